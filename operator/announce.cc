#include "operator/announce.h"

#include <algorithm>
#include <array>

#include "desired/reasons.h"
#include "scaling/autoscaler.h"

namespace mcpfleet::op {
namespace {

using fleet::Condition;
using fleet::ConditionStatus;
using fleet::Status;

// Why a server is not ready, where it is more than a start that takes its time.
constexpr std::array kTroubles{desired::kStalled,
                               desired::kImagePullFailed,
                               desired::kCrashLooping,
                               desired::kContainerConfigError,
                               desired::kContainerCannotRun,
                               desired::kUnschedulable};

bool is_trouble(std::string_view reason) {
  return std::find(kTroubles.begin(), kTroubles.end(), reason) != kTroubles.end();
}

bool is(const Condition* condition, ConditionStatus status) {
  return condition != nullptr && condition->status == status;
}

using Conditions = std::vector<Condition>;

void announce_accepted(const Conditions& before, const Conditions& after,
                       std::vector<Announcement>& out) {
  const auto* was = find_condition(before, desired::kAccepted);
  const auto* now = find_condition(after, desired::kAccepted);
  if (is(now, ConditionStatus::False)) {
    const bool said = is(was, ConditionStatus::False) && was->reason == now->reason &&
                      was->message == now->message;
    if (!said) out.push_back({true, now->reason, now->message});
  } else if (is(now, ConditionStatus::True) && is(was, ConditionStatus::False)) {
    out.push_back({false, now->reason, now->message});
  }
}

void announce_ready(const Conditions& before, const Conditions& after,
                    std::vector<Announcement>& out) {
  const auto* was = find_condition(before, desired::kReady);
  const auto* now = find_condition(after, desired::kReady);
  if (now == nullptr) return;
  // Messages count restarts and so on: the reason alone tells one trouble from the next.
  const bool same = was != nullptr && was->reason == now->reason;
  if (now->status != ConditionStatus::True && is_trouble(now->reason) && !same) {
    out.push_back({true, now->reason, now->message});
  }
  // An ordinary start is no news, as with a Deployment.
  if (now->status == ConditionStatus::True && was != nullptr &&
      was->status != ConditionStatus::True && is_trouble(was->reason)) {
    out.push_back({false, now->reason, now->message});
  }
}

void announce_scaling_active(const Status& before, const Status& after,
                             std::vector<Announcement>& out) {
  const auto* was = find_condition(before, desired::kScalingActive);
  const auto* now = find_condition(after, desired::kScalingActive);
  if (now == nullptr) return;
  // Every start goes through a time without data; it is the loss that is worth a warning.
  if (is(now, ConditionStatus::False) && is(was, ConditionStatus::True) &&
      now->reason != desired::kNotConfigured) {
    out.push_back({true, now->reason, now->message});
  }
}

void announce_decision(const Status& before, const Status& after, std::vector<Announcement>& out) {
  if (!after.scaling || !after.scaling->last_decision) return;
  const auto& now = *after.scaling->last_decision;
  if (before.scaling && before.scaling->last_decision == now) return;
  std::string reason = now.to > now.from ? "ScaledUp" : "ScaledDown";
  if (now.reason == scaling::kFloorReleased) reason = "FloorReleased";
  if (now.reason == scaling::kLimitsChanged) reason = "LimitsChanged";
  out.push_back({false, reason, now.reason + ": " + now.message});
}

}  // namespace

std::vector<Announcement> announcements(const Conditions& before, const Conditions& after) {
  std::vector<Announcement> out;
  announce_accepted(before, after, out);
  announce_ready(before, after, out);
  return out;
}

std::vector<Announcement> announcements(const Status& before, const Status& after) {
  auto out = announcements(before.conditions, after.conditions);
  announce_scaling_active(before, after, out);
  announce_decision(before, after, out);
  return out;
}

}  // namespace mcpfleet::op
