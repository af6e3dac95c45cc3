#include "simulation/hpa_policy.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "simulation/times.h"

namespace mcpfleet::simulation {
namespace {

using scaling::HpaPod;
using scaling::HpaSource;

// Of pods that serve as long as a metric looks back, and longer than the HPA doubts a new pod.
WallTime long_ago() { return time_of(-3600); }

std::int64_t milli(double value) {
  return static_cast<std::int64_t>(std::ceil(value * 1000 - 1e-6));
}

// Pods request 1 CPU; what they use is a share of it.
constexpr std::int64_t kRequestMilli = 1000;

}  // namespace

HpaPolicy::HpaPolicy(scaling::HpaSpec spec, std::vector<HpaSignal> signals, const PodShape& pod,
                     int phase)
    : spec_(std::move(spec)), signals_(std::move(signals)), pod_(pod), phase_(phase) {}

// Pods that came after a measurement are not known to it. All calls go evenly to those that serve,
// so that the known ones share what was measured.
HpaPolicy::Measured HpaPolicy::measure(const HpaSignal& signal, bool total,
                                       const Seen& seen) const {
  Measured result;
  if (signal.kind == HpaSignal::Kind::Floor) return {0, std::int64_t{1000} * floor_, seen.second};
  result.at = signal.pipeline.newest(seen.second);
  if (result.at <= 0) return {0, 0, -1};
  const std::int64_t begin = result.at - signal.pipeline.window;
  const Load load = seen.history.average(begin, result.at);
  // CPU counts only pods that served for the whole of its window.
  const std::int64_t since = signal.kind == HpaSignal::Kind::Cpu ? begin : result.at;
  const Load then =
      seen.history.average(std::max<std::int64_t>(since, 1) - 1, std::max<std::int64_t>(since, 1));
  result.known = std::min(seen.ready, static_cast<int>(std::lround(then.pods)));
  const double pods = total ? 1 : std::max(1, result.known);
  switch (signal.kind) {
    case HpaSignal::Kind::Rate:
      result.milli = milli(load.ended / pods);
      break;
    case HpaSignal::Kind::InFlight:
      result.milli = milli(load.in_flight / pods);
      break;
    case HpaSignal::Kind::Cpu:
      result.milli = milli(load.busy / std::max(1.0, load.pods) / pod_.concurrency *
                           pod_.cpu_percent / 100 * (kRequestMilli / 1000.0));
      break;
    case HpaSignal::Kind::Floor:
      break;
  }
  return result;
}

// Pods that all metrics know, those that only some know, and those that do not serve yet: a group
// each, since the HPA's arithmetic takes many pods that are alike as one.
void HpaPolicy::group_pods(const Seen& seen) {
  std::array<int, kGroups> ends{};
  std::size_t count = 0;
  const auto insert = [&](int end) {
    std::size_t at = std::min(count++, kGroups - 1);
    for (; at > 0 && ends[at - 1] > end; --at) ends[at] = ends[at - 1];
    ends[at] = end;
  };
  insert(seen.ready);
  for (std::size_t i = 0; i < signals_.size(); ++i)
    if (measured_[i].known > 0) insert(measured_[i].known);
  int from = 0;
  groups_ = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (ends[i] == from) continue;
    pods_[groups_] = {.count = ends[i] - from, .ready_since = long_ago(), .started = long_ago()};
    bounds_[groups_++] = ends[i];
    from = ends[i];
  }
  const int starting = seen.replicas - seen.ready;
  if (starting > 0) {
    pods_[groups_] = {.count = starting,
                      .phase = HpaPod::Phase::Pending,
                      .ready = HpaPod::Ready::False,
                      .ready_since = time_of(seen.second)};
    bounds_[groups_++] = seen.replicas;
  }
}

void HpaPolicy::answer(std::size_t metric) {
  const Measured& measured = measured_[metric];
  const HpaSource source = spec_.metrics[metric].source;
  readings_[metric] = {};
  if (source == HpaSource::Object || source == HpaSource::External) {
    readings_[metric].values = {&measured.milli, measured.at >= 0 ? std::size_t{1} : 0};
    return;
  }
  const bool cpu = signals_[metric].kind == HpaSignal::Kind::Cpu;
  const auto window = std::chrono::seconds(signals_[metric].pipeline.window);
  for (std::size_t i = 0; i < groups_; ++i) {
    scaling::HpaSample& sample = samples_[metric][i];
    sample = {.time = time_of(std::max<std::int64_t>(measured.at, 0)), .window = window};
    if (cpu) sample.request_milli = kRequestMilli;
    if (measured.at >= 0 && bounds_[i] <= measured.known) sample.milli = measured.milli;
  }
  readings_[metric].samples = {samples_[metric].data(), groups_};
  if (measured.at < 0) readings_[metric].error = "there are no metrics yet";
}

int HpaPolicy::decide(const Seen& seen) {
  for (std::size_t i = 0; i < signals_.size(); ++i)
    measured_[i] = measure(signals_[i], spec_.metrics[i].source == HpaSource::External, seen);
  group_pods(seen);
  for (std::size_t i = 0; i < signals_.size(); ++i) answer(i);
  const scaling::HpaSight sight{
      seen.replicas, seen.replicas, {pods_.data(), groups_}, {readings_.data(), signals_.size()}};
  const auto decision = hpa_.sync(spec_, settings_, sight, time_of(seen.second));
  return decision.rescale ? decision.replicas : seen.replicas;
}

}  // namespace mcpfleet::simulation
