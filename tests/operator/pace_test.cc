#include "operator/pace.h"

#include <gtest/gtest.h>

#include "desired/reasons.h"

namespace mcpfleet::op {
namespace {

using std::chrono::seconds;

constexpr Duration kNow{0};

fleet::Condition condition(std::string_view type, fleet::ConditionStatus status,
                           std::string_view reason) {
  fleet::Condition result;
  result.type = type;
  result.status = status;
  result.reason = reason;
  result.observed_generation = 1;
  return result;
}

fleet::Status stored() {
  fleet::Status status;
  status.observed_generation = 1;
  status.scaling = fleet::ScalingStatus{};
  status.scaling->recommended_replicas = 3;
  status.conditions = {
      condition(desired::kAccepted, fleet::ConditionStatus::True, desired::kApplied),
      condition(desired::kReady, fleet::ConditionStatus::False, desired::kStarting),
      condition(desired::kAvailable, fleet::ConditionStatus::False, desired::kNoReplicaAvailable)};
  return status;
}

TEST(StatusWait, NothingWhereNothingChanged) {
  EXPECT_EQ(status_wait(stored(), stored(), seconds(100)), std::nullopt);
}

TEST(StatusWait, ReadinessAtMostOnceASecond) {
  auto fresh = stored();
  fresh.ready_replicas = 3;
  fresh.conditions[1] = condition(desired::kReady, fleet::ConditionStatus::True, desired::kServing);
  EXPECT_EQ(status_wait(stored(), fresh, seconds(0)), seconds(1));
  EXPECT_EQ(status_wait(stored(), fresh, std::chrono::milliseconds(400)),
            std::chrono::milliseconds(600));
  EXPECT_EQ(status_wait(stored(), fresh, seconds(2)), kNow);
}

TEST(StatusWait, StepsShareAWrite) {
  auto fresh = stored();
  fresh.ready_replicas = 1;
  EXPECT_EQ(status_wait(stored(), fresh, seconds(1)), seconds(2));
  EXPECT_EQ(status_wait(stored(), fresh, seconds(3)), kNow);
}

TEST(StatusWait, NumbersEveryHalfMinute) {
  auto fresh = stored();
  fresh.active_sessions = 7;
  EXPECT_EQ(status_wait(stored(), fresh, seconds(10)), seconds(20));
  EXPECT_EQ(status_wait(stored(), fresh, seconds(31)), kNow);
}

TEST(StatusWait, AnAcceptanceAtMostOnceASecond) {
  auto newer = stored();
  newer.conditions[0].observed_generation = 2;
  auto nothing = stored();
  nothing.conditions.clear();
  for (const auto& before : {nothing, newer}) {
    EXPECT_EQ(status_wait(before, stored(), seconds(0)), seconds(1));
    EXPECT_EQ(status_wait(before, stored(), seconds(5)), kNow);
  }
}

TEST(StatusWait, DecisionsAndRefusalsAtOnce) {
  auto decided = stored();
  decided.scaling->recommended_replicas = 5;
  EXPECT_EQ(status_wait(stored(), decided, seconds(0)), kNow);
  auto refused = stored();
  refused.conditions[0] =
      condition(desired::kAccepted, fleet::ConditionStatus::False, desired::kNameTaken);
  EXPECT_EQ(status_wait(stored(), refused, seconds(0)), kNow);
  EXPECT_EQ(status_wait(fleet::Status{}, refused, seconds(0)), kNow);
}

}  // namespace
}  // namespace mcpfleet::op
