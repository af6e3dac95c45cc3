#include "scaling/policy.h"

#include <cmath>
#include <initializer_list>

namespace mcpfleet::scaling {
namespace {

using std::chrono::seconds;

bool usable(double target) { return std::isfinite(target) && target > 0; }

const char* field_of(Signal signal) {
  switch (signal) {
    case Signal::RequestsPerSecond:
      return "requestsPerSecond";
    case Signal::Concurrency:
      return "concurrency";
    case Signal::Sessions:
      return "sessions";
    case Signal::Latency:
      return "latency";
    case Signal::CpuUtilization:
      return "cpuUtilization";
    case Signal::MemoryUtilization:
      return "memoryUtilization";
  }
  return "?";
}

void check_limits(const Policy& policy, std::vector<std::string>& found) {
  if (policy.min_replicas < 1)
    found.push_back("minReplicas must be at least 1, not " + std::to_string(policy.min_replicas) +
                    ": 1 is used");
  if (policy.max_replicas < policy.min_replicas)
    found.push_back("maxReplicas must not be less than minReplicas (" +
                    std::to_string(policy.max_replicas) + " < " +
                    std::to_string(policy.min_replicas) + "): minReplicas is used for both");
}

void check_targets(const PodTargets& targets, std::vector<std::string>& found) {
  const struct {
    Signal signal;
    const std::optional<double>& value;
  } all[] = {{Signal::RequestsPerSecond, targets.requests_per_second},
             {Signal::Concurrency, targets.concurrency},
             {Signal::Sessions, targets.sessions},
             {Signal::CpuUtilization, targets.cpu_utilization},
             {Signal::MemoryUtilization, targets.memory_utilization}};
  for (const auto& target : all)
    if (target.value && !usable(*target.value))
      found.push_back("targets." + std::string(field_of(target.signal)) +
                      " must be greater than 0: it is not scaled on");
  if (targets.latency && !usable(targets.latency->seconds))
    found.push_back("targets.latency.value must be greater than 0: it is not scaled on");
}

void check_panic(const Policy& policy, std::vector<std::string>& found) {
  if (!policy.panic) return;
  const Panic& panic = *policy.panic;
  if (panic.window < seconds(1)) found.push_back("panic.window must be at least 1s: 1s is used");
  if (panic.stable_window < panic.window)
    found.push_back("panic.stableWindow must not be shorter than panic.window");
  if (!(panic.threshold > 100))
    found.push_back(
        "panic.threshold must be greater than 100, else a server that carries what it "
        "shall carry always panics: it never panics");
}

void check_schedules(const Policy& policy, std::vector<std::string>& found) {
  if (policy.schedules.size() > kMaxSchedules)
    found.push_back("schedule must have at most " + std::to_string(kMaxSchedules) +
                    " entries: those after them do not count");
  for (const Schedule& schedule : policy.schedules) {
    const std::string head = "schedule " + schedule.name + ": ";
    if (schedule.min_replicas > policy.max_replicas)
      found.push_back(head + "minReplicas " + std::to_string(schedule.min_replicas) +
                      " is more than maxReplicas " + std::to_string(policy.max_replicas) +
                      ", which holds");
    if (schedule.duration <= seconds(0))
      found.push_back(head + "duration must be greater than 0s: nothing is asked for");
  }
}

}  // namespace

std::vector<std::string> problems(const Policy& policy) {
  std::vector<std::string> found;
  check_limits(policy, found);
  check_targets(policy.targets, found);
  check_panic(policy, found);
  check_schedules(policy, found);
  if (policy.forecast) {
    bool driven = false;
    for (Signal signal : {Signal::RequestsPerSecond, Signal::Concurrency, Signal::Sessions})
      driven |= policy.targets.of(signal) > 0;
    if (!driven)
      found.push_back(
          "forecast needs a target of requestsPerSecond, concurrency or sessions: "
          "nothing is forecast");
  }
  for (std::size_t i = 0; i < kSignals; ++i)
    if (policy.missing_data[i].max_age <= seconds(0))
      found.push_back("missingData of " + std::string(field_of(static_cast<Signal>(i))) +
                      ": maxAge must be greater than 0s: all data is too old");
  return found;
}

}  // namespace mcpfleet::scaling
