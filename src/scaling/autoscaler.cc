#include "scaling/autoscaler.h"

#include <algorithm>
#include <chrono>
#include <set>

#include "scaling/amounts.h"
#include "scaling/messages.h"

namespace mcpfleet::scaling {
namespace {

using fleet::Action;

// As stored in the API server: whole seconds, and never earlier than it was.
WallTime rounded_up(WallTime time) { return std::chrono::ceil<std::chrono::seconds>(time); }

bool is_up(const fleet::Rule& rule) { return rule.action == Action::ScaleUp; }

// The longest cooldown among the ScaleUp rules, and their largest step down from `floor`.
struct ReleaseStep {
  Duration pause{0};
  int pods = 0;
};

ReleaseStep release_step(const fleet::Autoscaling& autoscaling, int floor) {
  ReleaseStep result;
  for (const auto& rule : autoscaling.rules) {
    if (!is_up(rule)) continue;
    result.pause = std::max(result.pause, rule.cooldown);
    result.pods = std::max(result.pods, pods(rule.amount, floor));
  }
  return result;
}

}  // namespace

AutoScaler::AutoScaler(const fleet::ScalingStatus& stored)
    : last_fired_(stored.last_fired),
      floor_(stored.floor),
      last_released_(stored.last_released),
      last_decision_(stored.last_decision) {}

fleet::ScalingStatus AutoScaler::status() const {
  fleet::ScalingStatus status;
  status.floor = floor_;
  status.last_decision = last_decision_;
  status.last_fired = last_fired_;
  status.last_released = last_released_;
  return status;
}

Series& AutoScaler::series_of(const fleet::Rule& rule) {
  Series& series = series_[rule.name];
  if (!series.measures(rule)) series = Series(rule);
  return series;
}

void AutoScaler::record(const fleet::Autoscaling& autoscaling, std::string_view metric,
                        std::string_view tool, const Sample& sample, WallTime now) {
  for (const auto& rule : autoscaling.rules)
    if (rule.metric == metric && rule.tool == tool) series_of(rule).record(rule, sample, now);
}

void AutoScaler::forget_others(const fleet::Autoscaling& autoscaling) {
  std::set<std::string_view> names;
  for (const auto& rule : autoscaling.rules) names.insert(rule.name);
  const auto gone = [&](const auto& entry) { return !names.contains(entry.first); };
  std::erase_if(series_, gone);
  std::erase_if(last_held_, gone);
  std::erase_if(last_fired_, gone);
}

void AutoScaler::pull_back(WallTime now) {
  const WallTime latest = rounded_up(now);
  for (auto& [name, time] : last_fired_) time = std::min(time, latest);
  for (auto& [name, time] : last_held_) time = std::min(time, now);
  for (auto& [name, series] : series_) series.pull_back(now);
  if (last_released_) last_released_ = std::min(*last_released_, latest);
}

AutoScaler::Judged AutoScaler::judge(const fleet::Rule& rule, WallTime now) {
  const Series& series = series_of(rule);
  Judged judged;
  judged.rule = &rule;
  judged.window = series.window(rule, now);
  const auto state = judged.window.state;
  judged.known = state == Window::State::Average || state == Window::State::Idle;
  judged.met =
      state == Window::State::Average && compare(rule.op, judged.window.average, rule.threshold);
  const auto fired = last_fired_.find(rule.name);
  judged.cooling = fired != last_fired_.end() && now - fired->second < rule.cooldown;
  if (judged.met || !judged.known || !last_held_.contains(rule.name)) last_held_[rule.name] = now;

  Outcome& outcome = judged.outcome;
  outcome.rule = rule.name;
  outcome.metric = rule.metric;
  outcome.threshold = rule.threshold;
  if (state == Window::State::Average) outcome.current_value = judged.window.average;
  outcome.message = judged.known ? finding(rule, judged.window, judged.met)
                                 : without_data(rule, judged.window, series.why_missing());
  if (state == Window::State::Empty)
    outcome.reason = kNoMetricData;
  else if (judged.cooling)
    outcome.reason = kCooldownPeriod;
  else if (state == Window::State::Stale)
    outcome.reason = kNoRecentData;
  else
    outcome.reason = judged.met ? kThresholdExceeded : kThresholdNotMet;
  return judged;
}

void AutoScaler::decide(fleet::Decision decision, Evaluation& evaluation) {
  floor_ = decision.to;
  last_decision_ = decision;
  evaluation.decision = std::move(decision);
}

void AutoScaler::scale_up(const fleet::Autoscaling& autoscaling, int observed, WallTime now,
                          std::vector<Judged>& judged, Evaluation& evaluation) {
  std::optional<fleet::Decision> best;
  for (Judged& one : judged) {
    if (!is_up(*one.rule) || !one.met) continue;
    const int wanted = observed + pods(one.rule->amount, observed);
    const int to = std::min(wanted, autoscaling.max_replicas);
    evaluation.limited |= wanted > autoscaling.max_replicas;
    if (one.cooling) continue;
    if (observed < floor_) {
      one.outcome.reason = kCooldownPeriod;
      one.outcome.message += ", but the " + std::to_string(floor_) +
                             " replicas asked for before are not there yet (" +
                             std::to_string(observed) + " are)";
    } else if (to <= floor_) {
      one.outcome.message +=
          ", but maxReplicas " + std::to_string(autoscaling.max_replicas) + " is reached";
    } else {
      one.outcome.action = Action::ScaleUp;
      one.outcome.message += ", so " + step(observed, to);
      if (wanted > to)
        one.outcome.message += " (" + std::to_string(wanted) + " wanted, but maxReplicas is " +
                               std::to_string(autoscaling.max_replicas) + ")";
      last_fired_[one.rule->name] = rounded_up(now);
      if (!best || to > best->to)
        best = {std::chrono::floor<std::chrono::seconds>(now),
                observed,
                to,
                one.rule->name,
                one.outcome.reason,
                one.outcome.message};
    }
  }
  if (best) decide(std::move(*best), evaluation);
}

void AutoScaler::scale_down(const fleet::Autoscaling& autoscaling, WallTime now,
                            std::vector<Judged>& judged, Evaluation& evaluation) {
  const auto holder = std::ranges::find_if(
      judged, [](const Judged& one) { return is_up(*one.rule) && (one.met || !one.known); });
  std::optional<fleet::Decision> best;
  for (Judged& one : judged) {
    if (is_up(*one.rule) || !one.met || one.cooling) continue;
    const int to = std::max(floor_ - pods(one.rule->amount, floor_), autoscaling.min_replicas);
    if (holder != judged.end()) {
      one.outcome.message += ", but rule " + holder->rule->name +
                             (holder->met ? " wants more" : " has no data") + " at the same time";
    } else if (to >= floor_) {
      one.outcome.message += ", but the floor is at minReplicas " +
                             std::to_string(autoscaling.min_replicas) + " already";
    } else {
      one.outcome.action = Action::ScaleDown;
      one.outcome.message += ", so the floor goes " + step(floor_, to);
      last_fired_[one.rule->name] = rounded_up(now);
      if (!best || to > best->to)
        best = {std::chrono::floor<std::chrono::seconds>(now),
                floor_,
                to,
                one.rule->name,
                one.outcome.reason,
                one.outcome.message};
    }
  }
  if (best) decide(std::move(*best), evaluation);
}

void AutoScaler::release(const fleet::Autoscaling& autoscaling, const std::vector<Judged>& judged,
                         WallTime now, Evaluation& evaluation) {
  if (evaluation.decision || floor_ <= autoscaling.min_replicas) return;
  for (const Judged& one : judged) {
    const fleet::Rule& rule = *one.rule;
    if (is_up(rule) && now - last_held_[rule.name] < rule.window + rule.cooldown) return;
  }
  const ReleaseStep down = release_step(autoscaling, floor_);
  if (down.pods > 0 && last_released_ && now - *last_released_ < down.pause) return;
  const int to = down.pods == 0 ? autoscaling.min_replicas
                                : std::max(floor_ - down.pods, autoscaling.min_replicas);
  last_released_ = rounded_up(now);
  decide(
      {std::chrono::floor<std::chrono::seconds>(now), floor_, to, "", kFloorReleased,
       "no ScaleUp rule held for its window and cooldown, so the floor goes " + step(floor_, to)},
      evaluation);
}

Evaluation AutoScaler::evaluate(const fleet::Autoscaling& autoscaling, int observed_replicas,
                                WallTime now) {
  forget_others(autoscaling);
  pull_back(now);
  if (floor_ == 0) floor_ = autoscaling.min_replicas;
  floor_ = std::clamp(floor_, autoscaling.min_replicas, autoscaling.max_replicas);

  Evaluation evaluation;
  std::vector<Judged> judged;
  judged.reserve(autoscaling.rules.size());
  for (const auto& rule : autoscaling.rules) judged.push_back(judge(rule, now));
  scale_up(autoscaling, observed_replicas, now, judged, evaluation);
  scale_down(autoscaling, now, judged, evaluation);
  release(autoscaling, judged, now, evaluation);

  evaluation.floor = floor_;
  for (Judged& one : judged) {
    if (!one.known) evaluation.problems.push_back(one.outcome.message);
    evaluation.readings.push_back(reading(*one.rule, one.window));
    evaluation.outcomes.push_back(std::move(one.outcome));
  }
  return evaluation;
}

}  // namespace mcpfleet::scaling
