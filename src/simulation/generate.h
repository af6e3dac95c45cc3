// Traces that are made: steps, ramps, spikes, day curves, noise. The same text gives the same trace
// on every machine. Pure. Thread safety: free functions and plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "simulation/trace.h"

namespace mcpfleet::simulation {

// The shape of a made trace. Rates are calls a second.
struct Shape {
  enum class Kind {
    Steps,  // levels between base and peak by chance, each for about `hold` seconds
    Ramp,   // up from base to peak within `hold` seconds, as long at the peak, as long back
    Spike,  // base, and each `every` seconds for `hold` seconds the peak
    Day,    // a sine from base to peak and back within `period` seconds
    Noise,  // about base, wandering by chance and never beyond peak
  };
  Kind kind = Kind::Steps;
  double base = 100;
  double peak = 1000;
  int seconds = 3600;  // how long the trace is
  int hold = 300;
  int every = 900;
  int period = 86'400;
  std::uint64_t seed = 1;
  bool poisson = true;  // each second's calls come by chance; else exactly as many as the rate says
};

// "steps", "spike:peak=500,hold=60": a kind, and values that are not its defaults. Whatever the
// kind, all fields of Shape have a name there. Error: Invalid, a sentence that names the value.
Result<Shape> parse_shape(std::string_view text);

// True for what begins as a kind does, so that it is not a file's name.
bool is_shape(std::string_view text);

Trace generate(const Shape& shape, const std::string& name);

// The rate of a day curve at a second.
double day_rate(double base, double peak, double second, double period);

}  // namespace mcpfleet::simulation
