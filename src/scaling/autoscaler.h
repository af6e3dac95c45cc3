// The AutoScaler: rules over windows of samples, cooldowns, and the floor that they leave.
//
// A rule compares the average of its metric over its window with its threshold. The outcome of all
// rules is one number, the floor: the replicas that the rules want at least. It starts at
// minReplicas. ScaleUp sets it to observed + amount, at most maxReplicas, and no ScaleUp fires
// again until the observed replicas have reached it. ScaleDown only lowers it, and neither fires
// nor is the floor released while some ScaleUp condition holds or is not known (a missing metric is
// never a zero). When every ScaleUp condition was known and not met for its window + cooldown, the
// floor is released: by the largest amount among the ScaleUp rules, once per the longest cooldown
// among them, down to minReplicas. Without ScaleUp rules it is minReplicas.
//
// Pure: no clock; all times are parameters. A time later than `now` (the clock jumped back) counts
// as now: it delays a firing, and never causes one. Times of firing are rounded up to whole
// seconds, so that a scaler restored from the API server's whole seconds decides the same. Thread
// safety: an AutoScaler belongs to one thread at a time.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "fleet/mcp_server.h"
#include "scaling/series.h"

namespace mcpfleet::scaling {

// The reasons of an outcome, exactly these five.
inline constexpr const char* kNoMetricData = "No metric data";
inline constexpr const char* kCooldownPeriod = "Cooldown period";
inline constexpr const char* kNoRecentData = "No recent data";
inline constexpr const char* kThresholdExceeded = "Threshold exceeded";
inline constexpr const char* kThresholdNotMet = "Threshold not met";
// The reason of a Decision that no rule made: the floor goes back as nothing holds it up, or
// minimum or maximum were changed.
inline constexpr const char* kFloorReleased = "Floor released";
inline constexpr const char* kLimitsChanged = "Limits changed";

// What happened to one rule in one evaluation.
struct Outcome {
  std::string rule;
  std::optional<fleet::Action> action;  // absent: "none"
  std::string reason;                   // one of the five
  std::string metric;
  std::optional<double> current_value;  // the average over the window; absent: none
  double threshold = 0;
  std::string message;  // a sentence for people
};

struct Evaluation {
  std::vector<Outcome> outcomes;  // one a rule, in the order of the rules
  int floor = 0;                  // what to recommend: within minReplicas and maxReplicas
  // The floor changed, and why, for status, Event and log. `from` is the observed replicas for a
  // ScaleUp, else the floor before: "rule slow: mcp_request_duration_seconds_p95 averaged 0.412
  // over 30s > 0.2, so 3 → 5 replicas".
  std::optional<fleet::Decision> decision;
  bool limited = false;                        // a ScaleUp wants more than maxReplicas
  std::vector<std::string> problems;           // of rules without data, a sentence each
  std::vector<fleet::MetricReading> readings;  // a rule each, for status.scaling.metrics
};

// A threshold or an average as people write it: at most three significant decimals, no zeros
// behind.
std::string format_value(double value);

class AutoScaler {
 public:
  AutoScaler() = default;
  // Goes on from what an earlier life wrote. Samples are not kept: the first readings fill the
  // windows anew.
  explicit AutoScaler(const fleet::ScalingStatus& stored);

  // Gives a reading of (metric, tool) to each rule that looks at it and is due. `tool` empty: all
  // requests. Call it once a second or oftener with what was read; a call that is not due changes
  // nothing but the text of a Missing.
  void record(const fleet::Autoscaling& autoscaling, std::string_view metric, std::string_view tool,
              const Sample& sample, WallTime now);

  // Evaluates all rules. `observed_replicas`: status.replicas of the Deployment. Rules that are no
  // longer in `autoscaling` are forgotten, and a rule that now looks at another metric starts
  // empty.
  Evaluation evaluate(const fleet::Autoscaling& autoscaling, int observed_replicas, WallTime now);

  // What must be stored before the floor of the last evaluation may be served (decision and firing
  // times are one write with it). `metrics` is empty.
  fleet::ScalingStatus status() const;

 private:
  // A rule, and what its window says now.
  struct Judged {
    const fleet::Rule* rule = nullptr;
    Window window;
    bool known = false;    // there are samples in the window
    bool met = false;      // the comparison holds
    bool cooling = false;  // fired less than its cooldown ago
    Outcome outcome;
  };

  Series& series_of(const fleet::Rule& rule);
  void forget_others(const fleet::Autoscaling& autoscaling);
  void pull_back(WallTime now);
  Judged judge(const fleet::Rule& rule, WallTime now);
  void scale_up(const fleet::Autoscaling& autoscaling, int observed, WallTime now,
                std::vector<Judged>& judged, Evaluation& evaluation);
  void scale_down(const fleet::Autoscaling& autoscaling, WallTime now, std::vector<Judged>& judged,
                  Evaluation& evaluation);
  void release(const fleet::Autoscaling& autoscaling, const std::vector<Judged>& judged,
               WallTime now, Evaluation& evaluation);
  void decide(fleet::Decision decision, Evaluation& evaluation);

  std::map<std::string, Series> series_;  // by rule name
  // By rule name: when a ScaleUp condition last held or was not known. Not stored: after a restart
  // nothing is known at first, so that the release starts to count anew.
  std::map<std::string, WallTime> last_held_;
  std::map<std::string, WallTime> last_fired_;
  int floor_ = 0;  // 0: not evaluated yet
  std::optional<WallTime> last_released_;
  std::optional<fleet::Decision> last_decision_;
};

}  // namespace mcpfleet::scaling
