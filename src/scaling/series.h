// The samples of one rule: the last 100 readings of its metric, and their average over its window.
//
// Pure: times are parameters. Thread safety: one thread at a time.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "fleet/mcp_server.h"

namespace mcpfleet::scaling {

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

// How often a rule's metric is sampled: window / 100, so that 100 samples cover the window, but at
// most once a second.
Duration sample_interval(const fleet::Rule& rule);
// True when it is time for the rule's next sample. A `last` in the future is due. A tenth of the
// interval is forgiven, so that a ticker that runs a little early does not lose every second
// sample.
bool due(const fleet::Rule& rule, std::optional<WallTime> last, WallTime now);

// What a window holds.
struct Window {
  enum class State {
    Empty,  // never a sample
    Stale,  // samples, but none in the window
    Idle,   // the latest sample in the window is idle
    Average
  };
  State state = State::Empty;
  double average = 0;  // of the values in the window; idle samples have none
};

class Series {
 public:
  Series() = default;
  // Of the rule's metric and tool, which must be those of `rule` from now on.
  explicit Series(const fleet::Rule& rule) : metric_(rule.metric), tool_(rule.tool) {}

  bool measures(const fleet::Rule& rule) const {
    return metric_ == rule.metric && tool_ == rule.tool;
  }
  // Keeps the sample if it is due. A Missing keeps its text only.
  void record(const fleet::Rule& rule, const Sample& sample, WallTime now);
  Window window(const fleet::Rule& rule, WallTime now) const;
  // Forgets samples from the future: the clock jumped back.
  void pull_back(WallTime now);
  // The text of the last Missing since the last sample; empty: none.
  const std::string& why_missing() const { return why_missing_; }

 private:
  struct Reading {
    WallTime time;
    std::optional<double> value;  // absent: idle
  };
  std::string metric_;
  std::string tool_;
  std::deque<Reading> readings_;  // in the order of time
  std::string why_missing_;
};

}  // namespace mcpfleet::scaling
