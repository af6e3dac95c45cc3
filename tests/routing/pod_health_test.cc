#include "routing/pod_health.h"

#include <gtest/gtest.h>

#include "pods.h"

namespace mcpfleet::routing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class PodHealthTest : public testing::Test {
 protected:
  PodHealthTest() { health_.begin(settings_, 0.5, now_); }
  bool told(bool ok) {
    now_ = health_.due();
    health_.started();
    return health_.told(settings_,
                        {.ok = ok, .took = milliseconds(7), .error = ok ? "" : "refused"}, now_);
  }

  fleet::HealthCheck settings_;
  PodHealth health_;
  MonotonicTime now_ = kStart;
};

TEST_F(PodHealthTest, BeginsHealthyAndIsCheckedWithinTheInterval) {
  EXPECT_TRUE(health_.healthy());
  EXPECT_EQ(health_.due(), kStart + seconds(15));
  EXPECT_FALSE(health_.last_check());
}

TEST_F(PodHealthTest, ACheckUnderWayIsNotDue) {
  health_.started();
  EXPECT_EQ(health_.due(), MonotonicTime::max());
}

TEST_F(PodHealthTest, Thresholds) {
  struct Step {
    bool ok;
    bool want_change;
    bool want_healthy;
    int want_next;  // s
  };
  const Step steps[] = {
      {true, false, true, 30},   {false, false, true, 3},   {false, false, true, 3},
      {true, false, true, 30},   {false, false, true, 3},   {false, false, true, 3},
      {false, true, false, 30},  {false, false, false, 30}, {true, false, false, 3},
      {false, false, false, 30}, {true, false, false, 3},   {true, true, true, 30},
  };
  int number = 0;
  for (const auto& step : steps) {
    EXPECT_EQ(told(step.ok), step.want_change) << ++number;
    EXPECT_EQ(health_.healthy(), step.want_healthy) << number;
    EXPECT_EQ(health_.due() - now_, seconds(step.want_next)) << number;
  }
  EXPECT_EQ(health_.checks(), 12U);
  EXPECT_EQ(health_.failures(), 7U);
}

TEST_F(PodHealthTest, AShortIntervalIsNotPassed) {
  settings_.interval = seconds(1);
  told(false);
  EXPECT_EQ(health_.due() - now_, seconds(1));
}

TEST_F(PodHealthTest, RemembersTheLastError) {
  told(false);
  told(true);
  EXPECT_EQ(health_.last_error(), "refused");
  EXPECT_EQ(health_.last_took(), milliseconds(7));
  EXPECT_EQ(health_.last_check(), now_);
}

TEST_F(PodHealthTest, AShorterIntervalCountsAtOnceAndALongerOneFromTheNextCheck) {
  settings_.interval = seconds(2);
  health_.change(settings_, now_);
  EXPECT_EQ(health_.due(), kStart + seconds(2));
  settings_.interval = seconds(60);
  health_.change(settings_, now_);
  EXPECT_EQ(health_.due(), kStart + seconds(2));
  told(true);
  EXPECT_EQ(health_.due() - now_, seconds(60));
}

TEST_F(PodHealthTest, ANewBeginningIsHealthy) {
  for (int i = 0; i < 3; ++i) told(false);
  EXPECT_FALSE(health_.healthy());
  health_.begin(settings_, 0, now_);
  EXPECT_TRUE(health_.healthy());
  EXPECT_EQ(health_.due(), now_);
}

}  // namespace
}  // namespace mcpfleet::routing
