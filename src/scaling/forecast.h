// A seasonal forecast: the load in a while is what it was then one season ago, times how much today
// is above or below that season now.
//
// A season is kept in 288 parts (5 minutes of a day), each a mean in which the newest season weighs
// half. Nothing is said of parts that were never seen: for a season after a start there is no
// forecast, unless recall() gave one. It is combined with the others by maximum, so it is never
// below the reactive answer. Pure: times are parameters. Allocates once a season's length.
// Thread safety: one thread at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "scaling/facts.h"
#include "scaling/policy.h"

namespace mcpfleet::scaling {

class SeasonalForecast {
 public:
  static constexpr std::size_t kParts = 288;

  // Another season or signal than before starts empty.
  void configure(const Forecast& forecast, Signal signal);
  void observe(double load, WallTime now);
  // The greatest load from now to now + lookahead; 0: not known. `load`: the present one. More
  // load never gives less.
  double load(const Forecast& forecast, double load, WallTime now);
  void stop() { parts_.clear(); }

 private:
  struct Part {
    double mean = 0;
    bool known = false;
  };
  std::size_t place(std::int64_t part) const;
  void turn_to(WallTime now);
  void look_ahead(const Forecast& forecast);

  Duration season_{0};
  Duration lookahead_{0};
  Duration width_{1};
  Signal signal_ = Signal::RequestsPerSecond;
  std::vector<Part> parts_;  // kParts, or none
  // The part that is being filled, counted since 1970.
  bool started_ = false;
  std::int64_t part_ = 0;
  WallTime part_start_{};
  double sum_ = 0;
  std::uint32_t count_ = 0;
  // Looked up once a part.
  bool looked_ = false;
  double ahead_ = 0;  // the greatest mean up to the lookahead; 0: not known
  double here_ = 0;   // the mean of now, a season ago; 0: not known
};

}  // namespace mcpfleet::scaling
