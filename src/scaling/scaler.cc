#include "scaling/scaler.h"

#include <algorithm>
#include <cmath>

namespace mcpfleet::scaling {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr std::array kLoads = {Signal::RequestsPerSecond, Signal::Concurrency, Signal::Sessions};
constexpr std::array kTracked = {Signal::RequestsPerSecond, Signal::Concurrency, Signal::Sessions,
                                 Signal::CpuUtilization, Signal::MemoryUtilization};
// Another machine's clock may be so much ahead of ours; what is from later is not believed.
constexpr Duration kSkew = seconds(5);
// Without a call for so long a Scaler goes on as one that was restarted: the process slept, or the
// clock jumped.
constexpr Duration kGap = seconds(120);
// No value and no number of pods means more; sums and products of them stay finite and in range.
constexpr double kMostValue = 1e15;
constexpr int kMostPods = 500'000'000;

// Also no NaN.
bool is_amount(double value) { return value >= 0 && value <= kMostValue; }

// Differences of two such times are no overflow.
WallTime sane(WallTime time) {
  constexpr WallTime kLatest{hours(24 * 365 * 130)};
  return std::clamp(time, WallTime{}, kLatest);
}

Pods sane(const Pods& pods) {
  const auto some = [](int count) { return std::clamp(count, 0, kMostPods); };
  return {std::clamp(pods.wanted, 0, kMostReplicas), some(pods.ready), some(pods.starting),
          some(pods.stopping), some(pods.outdated)};
}

int least(const Policy& policy) { return std::clamp(policy.min_replicas, 1, kMostReplicas); }

int most(const Policy& policy) {
  return std::clamp(policy.max_replicas, least(policy), kMostReplicas);
}

bool has_objective(const Policy& policy) {
  const auto& latency = policy.targets.latency;
  return latency && std::isfinite(latency->seconds) && latency->seconds > 0;
}

// The load that is forecast: the first with a target.
std::optional<Signal> forecast_driver(const Policy& policy) {
  if (!policy.forecast) return std::nullopt;
  for (const Signal signal : kLoads)
    if (policy.targets.of(signal) > 0) return signal;
  return std::nullopt;
}

// Whether an answer rests upon the target of the signal; else the HPA alone looks at it.
bool decided_here(const Policy& policy, Signal signal) {
  if (!(policy.targets.of(signal) > 0)) return false;
  return policy.actuator == Actuator::Operator || (policy.panic && is_load(signal)) ||
         forecast_driver(policy) == signal;
}

void mark(Verdict& verdict, Signal signal) {
  verdict.missing |= static_cast<std::uint8_t>(1U << index(signal));
}

}  // namespace

Scaler::Scaler(const fleet::ScalingStatus& stored) {
  if (stored.recommended_replicas > 0) floor_ = stored.recommended_replicas;
}

// A clock that jumped back, a gap, and another actuator than before.
void Scaler::tell_time(const Policy& policy, const Pods& pods, WallTime now) {
  if (now < last_seen_) {
    panic_.pull_back(now);
    backlog_.pull_back(now);
    latency_.pull_back(now);
    behavior_.pull_back(now);
    for (Known& known : known_) {
      if (known.at > now + kSkew) known = {};
      known.at = std::min(known.at, now);
    }
  }
  const bool gap = now - last_seen_ > kGap;
  last_seen_ = now;
  if (policy.actuator == Actuator::Operator) {
    if (gap || actuator_ != Actuator::Operator || pods.wanted == 0 || !behavior_.started())
      behavior_.start(pods.wanted, now);
  } else if (actuator_ == Actuator::Operator) {
    floor_ = pods.wanted;
  }
  actuator_ = policy.actuator;
}

void Scaler::resize(const Policy& policy) {
  static constexpr Panic kDefault;
  const Panic& panic = policy.panic ? *policy.panic : kDefault;
  for (std::size_t i = 0; i < kLoads.size(); ++i) {
    short_[i].resize(panic.window);
    stable_[i].resize(std::max(panic.stable_window, panic.window));
  }
  if (!policy.panic) panic_.stop();
}

// True where the measurement is a new one.
bool Scaler::take(Signal signal, const Measurement& measurement, const Policy& policy,
                  WallTime now) {
  if (measurement.kind == Measurement::Kind::Missing) return false;
  const bool idle = measurement.kind == Measurement::Kind::Idle;
  if (!idle && !is_amount(measurement.value)) return false;
  if (measurement.at > now + kSkew) return false;
  const WallTime at = std::min(sane(measurement.at), now);
  if (now - at > policy.missing(signal).max_age) return false;
  Known& known = known_[index(signal)];
  if (known.known && at <= known.at) return false;
  known = {true, measurement.of_pods, idle ? 0 : measurement.value, idle, at, measurement.over};
  if (!is_load(signal)) return true;
  for (LoadWindow* window : {&stable_[index(signal)], &short_[index(signal)]}) {
    window->advance(now);
    window->add(at, known.value);
  }
  return true;
}

Scaler::State Scaler::state(const Policy& policy, Signal signal, WallTime now) const {
  const Known& known = known_[index(signal)];
  if (!known.known) return State::Missing;
  const MissingData& missing = policy.missing(signal);
  const Duration age = now - known.at;
  if (age <= missing.max_age) return State::Fresh;
  if (missing.then == MissingData::Then::LastKnownGood && age <= missing.last_good_for)
    return State::LastGood;
  return State::Missing;
}

bool Scaler::usable(const Policy& policy, Signal signal, WallTime now) const {
  return state(policy, signal, now) != State::Missing;
}

// What latency is learnt by: the calls in flight once they were ever known, so that a short outage
// does not throw away what was learnt.
std::optional<Signal> Scaler::driver() const {
  for (const Signal signal : {Signal::Concurrency, Signal::RequestsPerSecond})
    if (known_[index(signal)].known) return signal;
  return std::nullopt;
}

void Scaler::learn(const Policy& policy, const Pods& pods, bool new_latency, WallTime now) {
  const auto fresh = [&](Signal signal) { return state(policy, signal, now) == State::Fresh; };
  const auto mean = [&](Signal signal) {
    LoadWindow& window = short_[index(signal)];
    window.advance(now);
    return window.empty() ? known_[index(signal)].value : window.mean();
  };
  const bool objective = has_objective(policy);
  if ((objective || policy.targets.of(Signal::Concurrency) > 0) && fresh(Signal::Concurrency) &&
      fresh(Signal::RequestsPerSecond))
    backlog_.observe(pods, mean(Signal::RequestsPerSecond), mean(Signal::Concurrency),
                     known_[index(Signal::Concurrency)].value,
                     short_[index(Signal::Concurrency)].window(), now);
  if (const auto by = driver(); objective && by && fresh(*by)) {
    const int serving = pods.ready + pods.outdated;
    const int of_pods = known_[index(*by)].of_pods;
    if (const int heard = of_pods > 0 ? of_pods : serving; heard > 0) {
      const double rate = fresh(Signal::RequestsPerSecond) ? mean(Signal::RequestsPerSecond) : 0;
      latency_.carry(*policy.targets.latency, *by, {mean(*by) / heard, rate, serving}, now);
    }
    const Known& latency = known_[index(Signal::Latency)];
    if (new_latency && !latency.idle) latency_.judge(*policy.targets.latency, latency.value, now);
  }
  const auto ahead = forecast_driver(policy);
  if (!ahead) return forecast_.stop();
  forecast_.configure(*policy.forecast, *ahead);
  if (fresh(*ahead)) forecast_.observe(mean(*ahead), now);
}

void Scaler::observe(const Policy& policy, const Facts& facts) {
  const WallTime now = sane(facts.now);
  const Pods pods = sane(facts.pods);
  tell_time(policy, pods, now);
  resize(policy);
  bool new_latency = false;
  for (std::size_t i = 0; i < kSignals; ++i) {
    const auto signal = static_cast<Signal>(i);
    const bool taken = take(signal, facts.measurements[i], policy, now);
    if (signal == Signal::Latency) new_latency = taken;
  }
  behavior_.observe(pods.wanted, now);
  learn(policy, pods, new_latency, now);
}

void Scaler::recall(const Policy& policy, Signal signal, WallTime at, double value) {
  const auto ahead = forecast_driver(policy);
  if (ahead != signal || !is_amount(value)) return;
  forecast_.configure(*policy.forecast, signal);
  forecast_.observe(value, sane(at));
}

namespace {

// A burst that is plain to see need not fill the short window first. There is a look each second,
// so that one alone has to be further from chance. It asks for twice the pods at most: what is in
// flight may also be callers who pile up before pods that are too few, which takes longer to tell.
void look_once(double value, Duration over, double target, const Pods& pods, Load& load) {
  constexpr double kErrors = 3;
  const int there = std::max(pods.ready + pods.starting + pods.outdated, 1);
  const double seen =
      std::min(beyond_chance(load.signal, value, over, kErrors), 2 * target * there);
  if (load.age > seconds(2) || seen <= load.surge) return;
  load.surge = seen;
  load.surge_over = over;
}

}  // namespace

Load Scaler::load(const Policy& policy, Signal signal, const Pods& pods, WallTime now) {
  const Known& known = known_[index(signal)];
  const int serving = pods.ready + pods.outdated;
  const int heard = known.of_pods > 0 ? std::min(known.of_pods, serving) : serving;
  Load load;
  load.signal = signal;
  load.age = now - known.at;
  load.heard = heard;
  load.unheard = serving - heard;
  load.steady = is_load(signal) ? known.value : known.value * heard;
  if (!is_load(signal) || !policy.panic) return load;
  LoadWindow& stable = stable_[index(signal)];
  LoadWindow& brief = short_[index(signal)];
  stable.advance(now);
  brief.advance(now);
  if (!stable.empty()) {
    load.steady = stable.mean();
    load.steady_over = stable.window();
  }
  if (known.over > brief.window()) {
    load.surge = beyond_chance(signal, known.value, known.over);
    load.surge_over = known.over;
  } else if (!brief.empty()) {
    load.surge = beyond_chance(signal, brief.mean(), brief.window());
    load.surge_over = brief.window();
    look_once(known.value, known.over, policy.targets.of(signal), pods, load);
  }
  return load;
}

namespace {

// Pods that were not heard are taken to carry what the others do.
void fill_in_unheard(Load& load) {
  if (load.unheard == 0 || load.heard == 0) return;
  const double all = 1 + static_cast<double>(load.unheard) / load.heard;
  load.steady *= all;
  load.surge *= all;
}

// Calls in flight less those that only wait for starting pods.
void leave_out_backlog(const Backlog& backlog, double per_pod, const Pods& pods, Load& load) {
  if (load.signal != Signal::Concurrency) return;
  const double at_most = backlog.most(pods, per_pod);
  if (load.greatest() <= at_most) return;
  load.steady = std::min(load.steady, at_most);
  load.surge = std::min(load.surge, at_most);
  load.without_backlog = true;
}

}  // namespace

void Scaler::propose_loads(const Policy& policy, const Pods& pods, Verdict& verdict) {
  const WallTime now = verdict.now;
  for (const Signal signal : kTracked) {
    const double target = policy.targets.of(signal);
    if (!decided_here(policy, signal) || !usable(policy, signal, now)) continue;
    Load seen = load(policy, signal, pods, now);
    leave_out_backlog(backlog_, target, pods, seen);
    if (policy.actuator == Actuator::Operator)
      verdict.add() = track_target(seen, target, pods, policy.behavior);
    if (policy.panic && is_load(signal)) panic_.see(*policy.panic, seen, target, pods, now);
  }
  if (policy.panic) panic_.settle(*policy.panic, now);
  verdict.panicking = panic_.active();
  if (verdict.panicking) verdict.add() = panic_.proposal();
}

void Scaler::propose_latency(const Policy& policy, const Pods& pods, Verdict& verdict) {
  const WallTime now = verdict.now;
  const auto by = driver();
  if (!has_objective(policy) || !by || !usable(policy, *by, now)) return;
  Load seen = load(policy, *by, pods, now);
  fill_in_unheard(seen);
  leave_out_backlog(backlog_, latency_.refused(), pods, seen);
  const Known& latency = known_[index(Signal::Latency)];
  const bool known = usable(policy, Signal::Latency, now) && !latency.idle;
  const Input input{Signal::Latency, Input::Kind::Mean, latency.value, Duration{0},
                    now - latency.at};
  verdict.add() = latency_.propose(*policy.targets.latency, seen, known ? &input : nullptr, pods);
}

void Scaler::propose_forecast(const Policy& policy, const Pods& pods, Verdict& verdict) {
  const auto signal = forecast_driver(policy);
  if (!signal || !usable(policy, *signal, verdict.now)) return;
  Load seen = load(policy, *signal, pods, verdict.now);
  const double ahead = forecast_.load(*policy.forecast, seen.steady, verdict.now);
  if (!(ahead > 0)) return;
  const double target = policy.targets.of(*signal);
  const Input input{*signal, Input::Kind::Forecast, ahead, policy.forecast->lookahead, seen.age};
  verdict.add() = Proposal{Recommender::Forecast,
                           Reason::ForecastLoad,
                           1,
                           0,
                           false,
                           false,
                           pods_for(ahead, target),
                           target,
                           {input}};
}

void Scaler::find_missing(const Policy& policy, Verdict& verdict) const {
  const auto look = [&](Signal signal) {
    if (state(policy, signal, verdict.now) == State::Fresh) return;
    mark(verdict, signal);
    verdict.failed |= policy.missing(signal).then == MissingData::Then::Fail;
  };
  for (const Signal signal : kTracked)
    if (decided_here(policy, signal)) look(signal);
  if (!has_objective(policy)) return;
  look(Signal::Latency);
  look(driver().value_or(Signal::Concurrency));
}

namespace {

void choose(Verdict& verdict) {
  for (std::uint8_t i = 0; i < verdict.count; ++i) {
    const Proposal& proposal = verdict.list[i];
    verdict.unattainable |= proposal.unattainable;
    // Of equal answers the first speaks, but a panic before all: it holds the longest.
    const bool panic = proposal.by == Recommender::Panic && proposal.replicas == verdict.asked;
    if (verdict.best < verdict.count && proposal.replicas <= verdict.asked && !panic) continue;
    verdict.best = i;
    verdict.asked = proposal.replicas;
    verdict.by = proposal.by;
    verdict.reason = proposal.reason;
  }
}

// None go while data is missing or while panicking.
int held(Verdict& verdict) {
  if (verdict.asked >= verdict.from) return verdict.asked;
  if (verdict.missing != 0) {
    verdict.clipped_by.add(Clip::MissingData);
    verdict.by = Recommender::None;
    verdict.reason = Reason::HeldWithoutData;
    return verdict.from;
  }
  if (!verdict.panicking) return verdict.asked;
  verdict.clipped_by.add(Clip::PanicHold);
  return verdict.from;
}

}  // namespace

void Scaler::limit(const Policy& policy, Verdict& verdict) {
  const int low = least(policy);
  const int high = most(policy);
  const int from = std::clamp(verdict.from, low, high);
  int answer = from;
  if (verdict.failed) {
    verdict.clipped_by.add(Clip::MissingData);
    verdict.by = Recommender::None;
    verdict.reason = Reason::FailedWithoutData;
  } else {
    answer = held(verdict);
    if (policy.actuator == Actuator::Operator)
      answer = behavior_.limit(policy.behavior, answer, from, verdict.now, verdict.clipped_by,
                               verdict.panicking);
    if (answer > high) verdict.clipped_by.add(Clip::Maximum);
    if (answer < low) verdict.clipped_by.add(Clip::Minimum);
    verdict.limited = verdict.asked > high;
  }
  verdict.advised = std::clamp(answer, low, high);
  if (verdict.advised == from && from != verdict.from) {
    verdict.by = Recommender::None;
    verdict.reason = Reason::LimitsChanged;
  }
}

Verdict Scaler::decide(const Policy& policy, const Facts& facts, int rules_floor) {
  Verdict verdict;
  const Pods pods = sane(facts.pods);
  verdict.now = sane(facts.now);
  verdict.pods = pods;
  verdict.acts = policy.mode == Mode::Active;
  tell_time(policy, pods, verdict.now);
  const bool by_us = policy.actuator == Actuator::Operator;
  verdict.from =
      by_us ? pods.wanted : std::clamp(floor_.value_or(least(policy)), least(policy), most(policy));
  if (by_us && pods.wanted == 0) {
    verdict.reason = Reason::ScaledToZero;
    return verdict;
  }
  propose_loads(policy, pods, verdict);
  propose_latency(policy, pods, verdict);
  if (!policy.schedules.empty())
    if (const auto scheduled = schedule_.propose(policy, verdict.now)) verdict.add() = *scheduled;
  propose_forecast(policy, pods, verdict);
  if (rules_floor > 0)
    verdict.add() = Proposal{Recommender::Rules,
                             Reason::RulesFloor,
                             0,
                             0,
                             false,
                             false,
                             std::min(rules_floor, kMostReplicas),
                             0,
                             {}};
  find_missing(policy, verdict);
  choose(verdict);
  limit(policy, verdict);
  verdict.replicas = verdict.acts ? verdict.advised : verdict.from;
  if (!by_us && verdict.acts) floor_ = verdict.replicas;
  return verdict;
}

}  // namespace mcpfleet::scaling
