#include "simulation/workload.h"

#include <cmath>

namespace mcpfleet::simulation {
namespace {

Result<void> within(double value, double least, double most, const std::string& name) {
  if (std::isfinite(value) && value >= least && value <= most) return {};
  const auto text = [](double number) {
    std::string digits = std::to_string(number);
    digits.erase(digits.find_last_not_of('0') + 1);
    if (digits.ends_with('.')) digits.pop_back();
    return digits;
  };
  return fail(ErrorKind::Invalid,
              name + " must be from " + text(least) + " to " + text(most) + ", not " + text(value));
}

}  // namespace

Result<void> check(const Workload& workload) {
  const auto& [pod, objective, limits] = workload;
  struct Bound {
    double value, least, most;
    const char* name;
  };
  const Bound bounds[] = {
      {pod.concurrency, 0.001, 1e6, "the concurrency of a pod"},
      {pod.service_seconds, 0.0001, 3600, "the service time in seconds"},
      {static_cast<double>(pod.start_seconds), 0, kMaxStartSeconds, "the start-up time in seconds"},
      {static_cast<double>(pod.stop_seconds), 0, 3600, "the time to stop in seconds"},
      {pod.cpu_percent, 0, 100'000, "the CPU of a busy pod in percent"},
      {objective.seconds, 0.0001, 3600, "the latency objective in seconds"},
      {objective.share, 0, 1, "the share of calls in time"},
      {objective.timeout_seconds, 1, kMaxTimeoutSeconds, "the timeout in seconds"},
      {static_cast<double>(limits.min_replicas), 0, 100'000, "minReplicas"},
      {static_cast<double>(limits.max_replicas), 1, 100'000, "maxReplicas"},
  };
  for (const Bound& bound : bounds) {
    if (auto good = within(bound.value, bound.least, bound.most, bound.name); !good) return good;
  }
  if (limits.min_replicas > limits.max_replicas)
    return fail(ErrorKind::Invalid, "minReplicas must not be greater than maxReplicas");
  return {};
}

}  // namespace mcpfleet::simulation
