#include "scaling/hpa_metric.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "scaling/hpa_numbers.h"
#include "scaling/hpa_pods.h"

namespace mcpfleet::scaling {
namespace {

constexpr double kMostReplicas = std::numeric_limits<std::int32_t>::max();

HpaProposal problem(HpaProblem problem) { return {problem, 0, 0, std::nullopt}; }

constexpr std::int64_t kMostUsage = std::numeric_limits<std::int64_t>::max();

// The sum of an External metric's values; one that is too large stays at the largest. With an
// average as the target Kubernetes takes each sum below zero for one that was too large.
std::int64_t sum(const HpaMetric& metric, std::span<const std::int64_t> values) {
  std::int64_t total = 0;
  for (const std::int64_t value : values) {
    if (value > 0 && total > kMostUsage - value) return kMostUsage;
    total = wrapping_add(total, value);
    if (total < 0 && metric.target == HpaTarget::AverageValue) return kMostUsage;
  }
  return total;
}

// Object and External with a Value target: the ratio is of the pods that are ready.
HpaProposal propose_by_value(const HpaMetric& metric, std::int64_t usage, const HpaSight& sight,
                             const HpaTolerances& tolerance) {
  const double ratio = static_cast<double>(usage) / static_cast<double>(metric.amount);
  if (sight.spec_replicas == 0)
    return {HpaProblem::None, to_int32(std::ceil(ratio)), usage, std::nullopt};
  if (tolerance.within(ratio)) return {HpaProblem::None, sight.spec_replicas, usage, std::nullopt};
  if (sight.pods.empty()) return problem(HpaProblem::NoPods);
  const double wanted = ratio * static_cast<double>(ready_pods(sight.pods));
  return {HpaProblem::None, to_int32(wanted > kMostReplicas ? kMostReplicas : std::ceil(wanted)),
          usage, std::nullopt};
}

// Object and External with an AverageValue target: usage / target, whatever the pods do. The ratio
// that the tolerance is for is of the replicas that the scale's status says.
HpaProposal propose_by_average(const HpaMetric& metric, std::int64_t usage, const HpaSight& sight,
                               const HpaTolerances& tolerance) {
  const double used = static_cast<double>(usage);
  const double target = static_cast<double>(metric.amount);
  const double pods = sight.status_replicas;
  HpaProposal proposal{HpaProblem::None, sight.status_replicas, 0, std::nullopt};
  if (!tolerance.within(used / (target * pods))) {
    const double wanted = std::ceil(used / target);
    // Kubernetes bounds that of External only.
    const bool bounded = metric.source == HpaSource::External && wanted > kMostReplicas;
    proposal.replicas = to_int32(bounded ? kMostReplicas : wanted);
  }
  const bool most = metric.source == HpaSource::External && used >= static_cast<double>(kMostUsage);
  proposal.usage_milli = most ? kMostUsage : to_int64(std::ceil(used / pods));
  return proposal;
}

HpaProposal propose_by_object(const HpaMetric& metric, const HpaReading& reading,
                              const HpaSight& sight, const HpaTolerances& tolerance) {
  if (reading.values.empty()) return problem(HpaProblem::NoValues);
  const std::int64_t usage =
      metric.source == HpaSource::External ? sum(metric, reading.values) : reading.values.front();
  return metric.target == HpaTarget::Value ? propose_by_value(metric, usage, sight, tolerance)
                                           : propose_by_average(metric, usage, sight, tolerance);
}

// The sums that a ratio is made of.
struct Tally {
  std::int64_t values = 0;    // of all samples
  std::int64_t samples = 0;   // how many
  std::int64_t used = 0;      // of the pods that are known
  std::int64_t requests = 0;  // of these
  std::int64_t pods = 0;      // how many

  void add(std::int64_t count, std::int64_t value, std::int64_t request) {
    add_stranger(count, value);
    used = wrapping_add(used, wrapping_multiply(count, value));
    requests = wrapping_add(requests, wrapping_multiply(count, request));
    pods += count;
  }
  // Of a pod that is not known, so that neither is its request.
  void add_stranger(std::int64_t count, std::int64_t value) {
    values = wrapping_add(values, wrapping_multiply(count, value));
    samples += count;
  }
  int utilization() const {
    return to_int32(wrapping_divide(wrapping_multiply(used, 100), requests));
  }
  double ratio(const HpaMetric& metric) const {
    const auto target = static_cast<double>(metric.amount);
    if (metric.target == HpaTarget::Utilization) return utilization() / target;
    const std::int64_t average = values / samples;  // what is left over is dropped
    return static_cast<double>(average) / target;
  }
};

// What a pod without a value is taken to use.
std::int64_t guess(const HpaMetric& metric, const HpaSample& sample, double ratio) {
  if (ratio > 1.0) return 0;
  if (metric.target != HpaTarget::Utilization) return metric.amount;
  const std::int64_t percent = std::max<std::int64_t>(100, metric.amount);
  return wrapping_multiply(sample.request_milli.value_or(0), percent) / 100;
}

// All pods of the scale as one metric sees them.
struct Crowd {
  Tally tally;
  std::int64_t counted = 0, unready = 0, missing = 0;
  bool requested = true;  // each pod requests the resource
};

const HpaSample& sample_of(const HpaReading& reading, std::size_t pod) {
  static constexpr HpaSample kNone{};
  return pod < reading.samples.size() ? reading.samples[pod] : kNone;
}

Crowd look(const HpaReading& reading, const HpaSight& sight, const Readiness& readiness) {
  Crowd crowd;
  for (std::size_t i = 0; i < sight.pods.size(); ++i) {
    const HpaPod& pod = sight.pods[i];
    const HpaSample& sample = sample_of(reading, i);
    crowd.requested = crowd.requested && sample.request_milli.has_value();
    switch (readiness.standing(pod, sample)) {
      case Standing::Counted:
        crowd.counted += pod.count;
        crowd.tally.add(pod.count, *sample.milli, sample.request_milli.value_or(0));
        break;
      case Standing::Unready:
        crowd.unready += pod.count;
        break;
      case Standing::Missing:
        crowd.missing += pod.count;
        break;
      case Standing::Ignored:
        break;
    }
  }
  for (std::size_t i = sight.pods.size(); i < reading.samples.size(); ++i)
    if (reading.samples[i].milli) crowd.tally.add_stranger(1, *reading.samples[i].milli);
  return crowd;
}

// The sums with what is guessed of the pods that have no value or are not ready.
Tally with_guesses(const HpaMetric& metric, const HpaReading& reading, const HpaSight& sight,
                   const Readiness& readiness, const Tally& measured, double ratio) {
  Tally tally = measured;
  for (std::size_t i = 0; i < sight.pods.size(); ++i) {
    const HpaPod& pod = sight.pods[i];
    const HpaSample& sample = sample_of(reading, i);
    const Standing standing = readiness.standing(pod, sample);
    if (standing == Standing::Missing && ratio != 1.0)
      tally.add(pod.count, guess(metric, sample, ratio), sample.request_milli.value_or(0));
    else if (standing == Standing::Unready && ratio > 1.0)
      tally.add(pod.count, 0, sample.request_milli.value_or(0));
  }
  return tally;
}

// The replicas that `ratio` over the pods in `tally` asks for, unless the guesses in it turned the
// direction of `before` round.
int guessed_replicas(double before, double ratio, std::int64_t pods, int current,
                     const HpaTolerances& tolerance) {
  const bool turned = (before < 1.0 && ratio > 1.0) || (before > 1.0 && ratio < 1.0);
  if (tolerance.within(ratio) || turned) return current;
  const int wanted = to_int32(std::ceil(ratio * static_cast<double>(pods)));
  const bool against = (ratio < 1.0 && wanted > current) || (ratio > 1.0 && wanted < current);
  return against ? current : wanted;
}

HpaProposal propose_by_pods(const HpaMetric& metric, const HpaReading& reading,
                            const HpaSight& sight, const HpaTolerances& tolerance,
                            const Readiness& readiness) {
  const bool by_request = metric.target == HpaTarget::Utilization;
  if (std::ranges::none_of(reading.samples, [](const HpaSample& s) { return s.milli.has_value(); }))
    return problem(HpaProblem::NoValues);
  if (sight.pods.empty()) return problem(HpaProblem::NoPods);
  const Crowd crowd = look(reading, sight, readiness);
  const Tally& tally = crowd.tally;
  if (tally.samples == 0) return problem(HpaProblem::NoneThatCount);
  if (by_request && !crowd.requested) return problem(HpaProblem::NoRequest);
  if (by_request && tally.requests == 0) return problem(HpaProblem::NothingAsked);

  HpaProposal proposal{HpaProblem::None, sight.spec_replicas, 0, std::nullopt};
  proposal.usage_milli = by_request ? tally.used / tally.pods : tally.values / tally.samples;
  if (by_request) proposal.utilization = tally.utilization();
  const double ratio = tally.ratio(metric);
  if (crowd.missing == 0 && (crowd.unready == 0 || ratio <= 1.0)) {
    if (!tolerance.within(ratio))
      proposal.replicas = to_int32(std::ceil(ratio * static_cast<double>(crowd.counted)));
    return proposal;
  }
  const Tally all = with_guesses(metric, reading, sight, readiness, tally, ratio);
  // Only requests that wrap around can sum up to nothing here.
  if (by_request && all.requests == 0) return problem(HpaProblem::NothingAsked);
  proposal.replicas =
      guessed_replicas(ratio, all.ratio(metric), all.samples, sight.spec_replicas, tolerance);
  return proposal;
}

}  // namespace

HpaTolerances tolerances(const HpaSpec& spec, const HpaSettings& settings) {
  if (!spec.behavior) return {settings.tolerance, settings.tolerance};
  return {spec.behavior->up.tolerance.value_or(settings.tolerance),
          spec.behavior->down.tolerance.value_or(settings.tolerance)};
}

HpaProposal propose(const HpaMetric& metric, const HpaReading& reading, const HpaSight& sight,
                    const HpaTolerances& tolerance, const HpaSettings& settings, WallTime now) {
  if (!reading.error.empty()) return problem(HpaProblem::Unanswered);
  switch (metric.source) {
    case HpaSource::Resource:
    case HpaSource::ContainerResource:
      return propose_by_pods(metric, reading, sight, tolerance,
                             {metric.name == "cpu", settings, now});
    case HpaSource::Pods:
      return propose_by_pods(metric, reading, sight, tolerance, {false, settings, now});
    case HpaSource::Object:
    case HpaSource::External:
      return propose_by_object(metric, reading, sight, tolerance);
  }
  return problem(HpaProblem::NoValues);
}

}  // namespace mcpfleet::scaling
