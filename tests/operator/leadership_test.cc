#include "operator/leadership.h"

#include <gtest/gtest.h>

#include "operator/leading.h"

namespace mcpfleet::op {
namespace {

// Nothing listens there.
kube::Config nowhere() {
  kube::Config config;
  config.server = http::parse_url("http://127.0.0.1:1").value();
  return config;
}

std::unique_ptr<Leadership> make(bool elect, const Clock& clock, std::string identity = "") {
  auto made = Leadership::create(
      {.elect = elect, .namespace_ = "ns", .identity = std::move(identity)}, nowhere(), {}, clock);
  EXPECT_TRUE(made) << made.error().message;
  return std::move(*made);
}

TEST(LeadershipTest, TheOnlyReplicaActsFromItsBeginOn) {
  const ManualClock clock;
  const auto only = make(false, clock);
  EXPECT_EQ(only->term(), 0u);
  EXPECT_FALSE(only->may_write());
  only->begin([] {});
  EXPECT_EQ(only->term(), 1u);
  EXPECT_TRUE(only->may_write());
  EXPECT_FALSE(only->lease()) << "there is none";
  only->retire();
  EXPECT_EQ(only->term(), 0u);
  ASSERT_FALSE(only->may_write());
  EXPECT_EQ(only->may_write().error().message, "not sent: this replica does not act now");
  only->release();
}

TEST(LeadershipTest, ACandidateWithoutAnApiServerDoesNotAct) {
  const SystemClock clock;
  const auto candidate = make(true, clock, "me");
  EXPECT_FALSE(candidate->may_write());
  candidate->begin([] {});
  EXPECT_EQ(candidate->term(), 0u);
  EXPECT_FALSE(candidate->may_write());
  EXPECT_EQ(candidate->lease()->name, kLease);
  EXPECT_EQ(candidate->identity(), "me");
}

TEST(LeadershipTest, EveryLifeHasAnIdentityOfItsOwn) {
  const ManualClock clock;
  EXPECT_NE(make(true, clock)->identity(), make(true, clock)->identity());
}

TEST(ChangesTest, GoToTheQueuesOfTheLeaderAndElseNowhere) {
  const ManualClock clock;
  kube::WorkQueue first(clock);
  kube::WorkQueue second(clock);
  kube::WorkQueue gateways(clock);
  Changes changes;
  changes.add("ns/early");
  changes.go_to(&first, &gateways);
  changes.add("ns/a");
  changes.go_to(nullptr, nullptr);
  changes.add("ns/between");
  changes.go_to(&second, &gateways);
  changes.add("ns/b");
  EXPECT_EQ(first.try_take(), "ns/a");
  EXPECT_EQ(first.depth(), 0u);
  EXPECT_EQ(second.try_take(), "ns/b");
  EXPECT_EQ(second.depth(), 0u);
  EXPECT_EQ(gateways.try_take(), "ns/a") << "a key may be one of either kind";
  EXPECT_EQ(gateways.try_take(), "ns/b");
  EXPECT_EQ(gateways.depth(), 0u);
}

}  // namespace
}  // namespace mcpfleet::op
