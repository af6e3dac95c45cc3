#include "operator/announce.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>

#include "desired/reasons.h"
#include "scaling/autoscaler.h"

namespace mcpfleet::op {

void PrintTo(const Announcement& a, std::ostream* out) {
  *out << (a.warning ? "Warning " : "Normal ") << a.reason << ": " << a.message;
}

namespace {

using fleet::ConditionStatus;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

fleet::Status with(std::string_view type, ConditionStatus status, std::string_view reason,
                   const char* message, Duration since = Duration{0}) {
  fleet::Status result;
  result.conditions.push_back(
      {std::string(type), status, std::string(reason), message, WallTime{since}, 1});
  return result;
}

// Both since the epoch.
fleet::Status serving_and_scaling() {
  auto result = with("ScalingActive", ConditionStatus::True, desired::kScaling, "");
  const auto ready = with("Ready", ConditionStatus::True, desired::kServing, "");
  result.conditions.push_back(ready.conditions.front());
  return result;
}

fleet::Status decided(int from, int to, const char* reason, int second = 0) {
  fleet::Status result;
  result.scaling.emplace();
  result.scaling->last_decision =
      fleet::Decision{WallTime{std::chrono::seconds(second)}, from, to, "slow", reason, "because"};
  return result;
}

constexpr auto kTrue = ConditionStatus::True;
constexpr auto kFalse = ConditionStatus::False;

TEST(Announcements, Conditions) {
  const struct {
    const char* name;
    fleet::Status before;
    fleet::Status after;
    std::vector<Announcement> want;
  } kCases[] = {
      {"nothing new", {}, {}, {}},
      {"first accepted", {}, with("Accepted", kTrue, "Applied", "ok"), {}},
      {"refused", {}, with("Accepted", kFalse, "Invalid", "bad"), {{true, "Invalid", "bad"}}},
      {"refused as before",
       with("Accepted", kFalse, "Invalid", "bad"),
       with("Accepted", kFalse, "Invalid", "bad"),
       {}},
      {"refused for another reason",
       with("Accepted", kFalse, "Invalid", "bad"),
       with("Accepted", kFalse, "Invalid", "worse"),
       {{true, "Invalid", "worse"}}},
      {"accepted again",
       with("Accepted", kFalse, "Invalid", "bad"),
       with("Accepted", kTrue, "Applied", "ok"),
       {{false, "Applied", "ok"}}},
      {"starting", {}, with("Ready", kFalse, desired::kStarting, "0 of 1"), {}},
      {"crash loop",
       with("Ready", kFalse, desired::kStarting, "0 of 1"),
       with("Ready", kFalse, desired::kCrashLooping, "exit 1"),
       {{true, "CrashLooping", "exit 1"}}},
      {"the same crash loop with another count",
       with("Ready", kFalse, desired::kCrashLooping, "2 restarts"),
       with("Ready", kFalse, desired::kCrashLooping, "3 restarts"),
       {}},
      {"started",
       with("Ready", kFalse, desired::kStarting, ""),
       with("Ready", kTrue, desired::kServing, "3 of 3"),
       {}},
      {"well again",
       with("Ready", kFalse, desired::kCrashLooping, ""),
       with("Ready", kTrue, desired::kServing, "3 of 3"),
       {{false, "Serving", "3 of 3"}}},
      {"data lost",
       serving_and_scaling(),
       with("ScalingActive", kFalse, desired::kRuleWithoutData, "why", seconds(30)),
       {{true, "RuleWithoutData", "why"}}},
      {"not measured yet",
       serving_and_scaling(),
       with("ScalingActive", kFalse, desired::kMetricsMissing, "why", seconds(29)),
       {}},
      {"no data of what does not serve",
       with("ScalingActive", kTrue, desired::kScaling, ""),
       with("ScalingActive", kFalse, desired::kMetricsMissing, "why", seconds(99)),
       {}},
      {"no data yet", {}, with("ScalingActive", kFalse, desired::kRuleWithoutData, "why"), {}},
      {"autoscaling taken away",
       with("ScalingActive", kTrue, desired::kScaling, ""),
       with("ScalingActive", kFalse, desired::kNotConfigured, "none"),
       {}},
  };
  for (const auto& c : kCases) EXPECT_EQ(announcements(c.before, c.after), c.want) << c.name;
}

TEST(Announcements, Decisions) {
  const auto up = decided(3, 5, scaling::kThresholdExceeded);
  EXPECT_THAT(announcements({}, up),
              ElementsAre(Announcement{false, "ScaledUp", "Threshold exceeded: because"}));
  EXPECT_THAT(announcements(up, up), IsEmpty());
  const auto later = decided(5, 4, scaling::kThresholdExceeded, 60);
  EXPECT_THAT(announcements(up, later),
              ElementsAre(Announcement{false, "ScaledDown", "Threshold exceeded: because"}));
  EXPECT_THAT(announcements(up, decided(5, 3, scaling::kFloorReleased)),
              ElementsAre(Announcement{false, "FloorReleased", "Floor released: because"}));
  EXPECT_THAT(announcements(up, decided(3, 4, scaling::kLimitsChanged)),
              ElementsAre(Announcement{false, "LimitsChanged", "Limits changed: because"}));
}

}  // namespace
}  // namespace mcpfleet::op
