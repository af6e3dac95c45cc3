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

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "fleet/mcp_server.h"

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

// Samples kept a rule; the oldest goes first.
inline constexpr std::size_t kMaxSamples = 100;

// One reading of a metric.
struct Sample {
  enum class Kind {
    Value,
    Idle,  // fresh data, but nothing to measure: latency without requests. A rule is then not met.
    Missing  // no answer, or an explained error: no sample is kept, the text is shown
  };
  Kind kind = Kind::Missing;
  double value = 0;  // not finite: taken as Missing
  std::string why;   // Missing: a sentence

  static Sample of(double value) { return {Kind::Value, value, {}}; }
  static Sample idle() { return {Kind::Idle, 0, {}}; }
  static Sample missing(std::string why) { return {Kind::Missing, 0, std::move(why)}; }
};

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

// How often a rule's metric is sampled: window / 100, so that 100 samples cover the window, but at
// most once a second.
Duration sample_interval(const fleet::Rule& rule);
// True when it is time for the rule's next sample. A `last` in the future is due.
bool due(const fleet::Rule& rule, std::optional<WallTime> last, WallTime now);

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
  struct Reading {
    WallTime time;
    std::optional<double> value;  // absent: idle
  };
  struct Series {
    std::string metric;
    std::string tool;
    std::deque<Reading> readings;
    std::optional<WallTime> last_sample;
    std::string why_missing;            // the last Missing since the last sample
    std::optional<WallTime> last_held;  // when the condition last held or was not known
  };
  struct Judged;  // a rule and what its window says

  Series& series_of(const fleet::Rule& rule);
  void forget_others(const fleet::Autoscaling& autoscaling);
  void pull_back(WallTime now);
  Judged judge(const fleet::Rule& rule, WallTime now);
  void clamp_floor(const fleet::Autoscaling& autoscaling, WallTime now, Evaluation& evaluation);
  void scale_up(const fleet::Autoscaling& autoscaling, std::vector<Judged>& judged, int observed,
                WallTime now, Evaluation& evaluation);
  void scale_down(const fleet::Autoscaling& autoscaling, std::vector<Judged>& judged, WallTime now,
                  Evaluation& evaluation);
  void release(const fleet::Autoscaling& autoscaling, const std::vector<Judged>& judged,
               WallTime now, Evaluation& evaluation);

  std::map<std::string, Series> series_;  // by rule name
  std::map<std::string, WallTime> last_fired_;
  int floor_ = 0;  // 0: not evaluated yet
  std::optional<WallTime> last_released_;
  std::optional<fleet::Decision> last_decision_;
};

}  // namespace mcpfleet::scaling
