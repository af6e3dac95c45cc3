#include "operator/pace.h"

#include <algorithm>
#include <array>

#include "desired/gateway_status.h"
#include "desired/reasons.h"
#include "desired/status.h"

namespace mcpfleet::op {
namespace {

constexpr std::chrono::seconds kTurnInterval{1};
constexpr std::chrono::seconds kStepInterval{3};
// Live numbers may be this old in a status; what changes more often is in the metrics API.
constexpr std::chrono::seconds kNumbersInterval{30};

// What the rules must find again after a restart, and what the HPA reads.
bool decided(const fleet::Status& stored, const fleet::Status& fresh) {
  const auto memory = [](const fleet::Status& status) {
    auto scaling = status.scaling.value_or(fleet::ScalingStatus{});
    scaling.metrics.clear();
    scaling.decisions.clear();
    return scaling;
  };
  return memory(stored) != memory(fresh);
}

using Conditions = std::vector<fleet::Condition>;

// Another word on the spec.
bool judged(const Conditions& stored, const Conditions& fresh) {
  const auto* was = fleet::find_condition(stored, desired::kAccepted);
  const auto* now = fleet::find_condition(fresh, desired::kAccepted);
  if (was == nullptr || now == nullptr) return was != now;
  return was->status != now->status || was->reason != now->reason ||
         was->observed_generation != now->observed_generation;
}

bool refused(const Conditions& fresh) {
  const auto* accepted = fleet::find_condition(fresh, desired::kAccepted);
  return accepted != nullptr && accepted->status == fleet::ConditionStatus::False;
}

// People and scripts wait for these.
bool turned(const Conditions& stored, const Conditions& fresh) {
  if (judged(stored, fresh)) return true;
  constexpr std::array kAwaited{desired::kReady, desired::kAvailable};
  return std::ranges::any_of(kAwaited, [&](std::string_view type) {
    const auto* was = fleet::find_condition(stored, type);
    const auto* now = fleet::find_condition(fresh, type);
    return was == nullptr || now == nullptr || was->status != now->status;
  });
}

std::optional<Duration> wait_for(desired::Change change, const Conditions& stored,
                                 const Conditions& fresh, Duration since) {
  if (change == desired::Change::None) return std::nullopt;
  if (judged(stored, fresh) && refused(fresh)) return Duration(0);
  Duration interval = turned(stored, fresh) ? kTurnInterval : kStepInterval;
  if (change == desired::Change::Numbers) interval = kNumbersInterval;
  return std::max(Duration(0), interval - since);
}

}  // namespace

std::optional<Duration> status_wait(const fleet::Status& stored, const fleet::Status& fresh,
                                    Duration since) {
  const auto change = desired::compare(stored, fresh);
  if (change != desired::Change::None && decided(stored, fresh)) return Duration(0);
  return wait_for(change, stored.conditions, fresh.conditions, since);
}

std::optional<Duration> status_wait(const fleet::GatewayStatus& stored,
                                    const fleet::GatewayStatus& fresh, Duration since) {
  return wait_for(desired::compare(stored, fresh), stored.conditions, fresh.conditions, since);
}

}  // namespace mcpfleet::op
