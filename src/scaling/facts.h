// What deciding may know of a server in one second: its pods, and what was measured of them.
//
// Whoever gathers fills a Facts each second and hands it to Scaler::observe and Scaler::decide; the
// simulator does the same from its model. Plain numbers, no texts of its own, no allocation.
// Thread safety: plain values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace mcpfleet::scaling {

// What can be measured. The first three are loads: what all pods carry together.
enum class Signal : std::uint8_t {
  RequestsPerSecond,  // calls that ended a second; the shorter its window the better (see below)
  Concurrency,        // calls in flight
  Sessions,           // live sessions
  Latency,            // seconds, the policy's quantile of the merged calls of the pods that count
  CpuUtilization,     // percent of the request, the mean of the pods that count
  MemoryUtilization,  // percent of the request, the mean of the pods that count
};
inline constexpr std::size_t kSignals = 6;

constexpr std::size_t index(Signal signal) { return static_cast<std::size_t>(signal); }
constexpr bool is_load(Signal signal) { return index(signal) < 3; }

// The metric's name as in the metrics API, "mcp_requests_per_second"; CPU and memory are "cpu" and
// "memory", and Latency is "mcp_request_duration_seconds" (explain.h adds the quantile).
const char* metric_name(Signal signal);

// One measured value.
//
// A load should be as short as its source can give it (a second or a few): the Scaler forms its own
// windows from one value a second. One that its source averaged over longer than the policy's short
// window is taken as it is for that window, and makes the answer to a surge so much slower.
struct Measurement {
  enum class Kind : std::uint8_t {
    Missing,  // no answer, or an explained error
    Idle,     // fresh data, and nothing to measure: a latency without calls; a load of 0
    Value
  };
  Kind kind = Kind::Missing;
  // How many pods the value was taken from; 0: all that serve (ready + outdated). Where it is
  // fewer, the others are taken as the HPA does: as carrying nothing when more pods would be asked
  // for, as carrying their target when fewer would be.
  int of_pods = 0;
  double value = 0;  // not finite or negative: taken as Missing
  WallTime at{};     // when it was true; an old one may be given again and again
  // Missing: a sentence that lives for ever (a literal), for the explanation; may be null.
  const char* why = nullptr;
  Duration over{0};  // what the source averaged it over; 0: a moment

  static constexpr Measurement of(double value, WallTime at, int of_pods = 0,
                                  Duration over = Duration{0}) {
    return {Kind::Value, of_pods, value, at, nullptr, over};
  }
  static constexpr Measurement idle(WallTime at) { return {Kind::Idle, 0, 0, at}; }
  static constexpr Measurement missing(const char* why = nullptr) {
    return {Kind::Missing, 0, 0, WallTime{}, why};
  }
};

// The pods of a server; each pod is in one of the last four at most. Those that failed or ended
// are in none.
struct Pods {
  int wanted = 0;    // spec.replicas of the workload
  int ready = 0;     // of the newest revision, and serving: the only ones that count
  int starting = 0;  // of the newest revision, not ready yet; not those that will never be
                     // (a crash loop, an image that cannot be pulled)
  int stopping = 0;  // marked for deletion; what they still carry is not asked for again
  int outdated = 0;  // of an older revision, still serving
  bool operator==(const Pods&) const = default;
};

struct Facts {
  WallTime now{};
  Pods pods;
  std::array<Measurement, kSignals> measurements{};

  const Measurement& operator[](Signal signal) const { return measurements[index(signal)]; }
  Measurement& operator[](Signal signal) { return measurements[index(signal)]; }
};

}  // namespace mcpfleet::scaling
