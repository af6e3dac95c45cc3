#include "routing/pod_set.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "pods.h"

namespace mcpfleet::routing {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class PodSetTest : public testing::Test {
 protected:
  // The names of all that are chosen in many choices, in order; or why there is none.
  std::string chosen(Purpose purpose, std::vector<PodId> tried = {}) {
    std::set<std::string> names;
    for (int i = 0; i < 200; ++i) {
      const auto pod = pods_.choose(purpose, tried, now_, random_);
      if (!pod) return to_string(pod.error().limit);
      names.insert(name_of(pods_, *pod));
    }
    std::string all;
    for (const auto& name : names) all += name;
    return all;
  }
  std::string calls() { return chosen(Purpose::Call); }
  std::string sessions() {
    // Of equals, that is: with no session and no call anywhere.
    return chosen(Purpose::NewSession);
  }
  PodId id(int number) const { return id_of(pods_, number); }
  const Pod& pod(int number) const { return *pods_.get(id(number)); }
  std::optional<Duration> end(int number, Outcome outcome) {
    pods_.begin(id(number), now_);
    return pods_.end(id(number), outcome, milliseconds(10), now_);
  }
  std::optional<Duration> eject(int number) {
    std::optional<Duration> time;
    for (int i = 0; i < 5; ++i) time = end(number, Outcome::ConnectFailed);
    return time;
  }
  void take_down(int number) {
    for (int i = 0; i < settings_.health.unhealthy_threshold; ++i)
      pods_.checked(id(number), {.ok = false, .error = "refused"}, now_);
  }

  fleet::TrafficSettings settings_;
  PodSet pods_{settings_, 0};
  MonotonicTime now_ = kStart;
  Random random_{3};
};

TEST_F(PodSetTest, WhoseConnectionsAreAllInUseIsLeftOutWhileThereAreOthers) {
  settings_.connection_pool.max_connections = 2;
  using Policy = fleet::LoadBalancingPolicy;
  for (const auto policy :
       {Policy::PowerOfTwoChoices, Policy::RoundRobin, Policy::FastestResponse}) {
    settings_.load_balancing.policy = policy;
    pods_.update({}, now_);
    pods_.update(ready_pods(3), now_);
    pods_.change(settings_, 0, now_);
    for (int i = 0; i < 2; ++i) pods_.begin(id(0), now_);
    pods_.begin(id(1), now_);
    EXPECT_EQ(calls(), policy == Policy::FastestResponse ? "c" : "bc");
    EXPECT_EQ(chosen(Purpose::Call, {id(1), id(2)}), "a") << "where it must wait";
    for (int i = 0; i < 2; ++i)
      for (const int pod : {1, 2}) pods_.begin(id(pod), now_);
    EXPECT_NE(calls(), "NoneReady") << "all are full, and one is waited for";
  }
}

TEST_F(PodSetTest, WhoMayBeChosen) {
  struct Case {
    const char* name;
    std::vector<Endpoint> endpoints;
    const char* calls;
    const char* sessions;
  };
  const Case cases[] = {
      {"no pod", {}, "NoPods", "NoPods"},
      {"all ready", ready_pods(3), "abc", "abc"},
      {"one terminating", {ready(0), terminating(1), ready(2)}, "ac", "ac"},
      {"one unready", {unready(0), ready(1)}, "b", "b"},
      {"all unready", {unready(0), unready(1)}, "NoneReady", "NoneReady"},
      {"all terminating", {terminating(0), terminating(1)}, "ab", "NoneReady"},
      {"terminating and unready", {terminating(0), unready(1)}, "a", "NoneReady"},
  };
  for (const auto& test : cases) {
    pods_.update(test.endpoints, now_);
    EXPECT_EQ(calls(), test.calls) << test.name;
    EXPECT_EQ(sessions(), test.sessions) << test.name;
  }
}

TEST_F(PodSetTest, ARefusalSaysWhenToTryAgain) {
  const auto pod = pods_.choose(Purpose::Call, {}, now_, random_);
  ASSERT_FALSE(pod);
  EXPECT_EQ(pod.error(), (Refusal{.limit = Limit::NoPods, .retry_after = seconds(2)}));
}

TEST_F(PodSetTest, TriedPodsAreLeftOutWhereThereAreOthers) {
  pods_.update(ready_pods(3), now_);
  EXPECT_EQ(chosen(Purpose::Call, {id(1)}), "ac");
  EXPECT_EQ(chosen(Purpose::NewSession, {id(0), id(2)}), "b");
  EXPECT_EQ(chosen(Purpose::Call, {id(0), id(1), id(2)}), "abc");
  EXPECT_TRUE(pods_.other_than(std::array{id(0), id(1)}, Purpose::Call, now_));
  EXPECT_FALSE(pods_.other_than(std::array{id(0), id(1), id(2)}, Purpose::Call, now_));
}

TEST_F(PodSetTest, AnUpdateKeepsWhatIsKnownOfThoseThatStay) {
  auto changes = pods_.update(ready_pods(2), now_);
  EXPECT_EQ(changes.added.size(), 2U);
  const auto a = id(0);
  const auto b = id(1);
  end(0, Outcome::Success);
  pods_.begin(a, now_);

  auto moved = ready(0);
  moved.port = 1234;
  moved.zone = "west";
  changes = pods_.update(std::vector{ready(2), moved}, now_);
  EXPECT_EQ(changes.removed, std::vector{b});
  EXPECT_EQ(changes.added, std::vector{id(2)});
  EXPECT_EQ(id(0), a);
  EXPECT_EQ(pod(0).stats.requests, 1U);
  EXPECT_EQ(pod(0).stats.in_flight, 1U);
  EXPECT_EQ(pod(0).endpoint.port, 1234);
  EXPECT_EQ(pods_.size(), 2U);
  EXPECT_EQ(calls(), "c");
}

TEST_F(PodSetTest, AnotherAddressIsAnotherLife) {
  pods_.update(ready_pods(1), now_);
  const auto old = id(0);
  end(0, Outcome::Success);
  auto reborn = ready(0);
  reborn.address = "10.9.9.9";
  const auto changes = pods_.update(std::vector{reborn}, now_);
  EXPECT_EQ(changes.removed, std::vector{old});
  EXPECT_FALSE(pods_.find("a", "10.0.0.1"));
  const auto found = pods_.find("a", "10.9.9.9");
  ASSERT_TRUE(found);
  EXPECT_EQ(pods_.get(*found)->stats.requests, 0U);
}

TEST_F(PodSetTest, WhatIsToldOfOneThatIsGoneChangesNothing) {
  pods_.update(ready_pods(1), now_);
  const auto old = id(0);
  pods_.begin(old, now_);
  pods_.update({}, now_);
  pods_.update(std::vector{ready(1)}, now_);  // in the same place
  EXPECT_EQ(id(1).slot, old.slot);
  EXPECT_FALSE(pods_.end(old, Outcome::Broken, seconds(1), now_));
  pods_.session_began(old);
  pods_.set_draining(old);
  EXPECT_FALSE(pods_.checked(old, {}, now_));
  EXPECT_EQ(pods_.get(old), nullptr);
  EXPECT_EQ(pods_.get(PodId{}), nullptr);
  EXPECT_EQ(pod(1).stats.requests, 0U);
  EXPECT_EQ(pod(1).stats.sessions, 0U);
  EXPECT_EQ(sessions(), "b");
}

TEST_F(PodSetTest, AnOldSessionFindsItsPodInAnyState) {
  pods_.update(std::vector{terminating(0), unready(1), ready(2)}, now_);
  eject(2);
  for (int i = 0; i < 3; ++i) EXPECT_NE(pods_.get(id(i)), nullptr) << i;
  EXPECT_FALSE(pods_.find("a", "10.0.0.2"));
  EXPECT_FALSE(pods_.find("z", "10.0.0.1"));
}

TEST_F(PodSetTest, AnEjectedPodGetsNothingUntilItsTimeIsOver) {
  pods_.update(ready_pods(3), now_);
  EXPECT_EQ(eject(1), seconds(30));
  EXPECT_EQ(calls(), "ac");
  EXPECT_EQ(sessions(), "ac");
  EXPECT_EQ(pods_.counts(now_).ready, 3U);
  EXPECT_EQ(pods_.counts(now_).up, 2U);
  now_ += seconds(30);
  EXPECT_EQ(pods_.counts(now_).up, 3U);
  EXPECT_EQ(calls(), "abc");
}

TEST_F(PodSetTest, AToolsOwnErrorsDoNotEject) {
  pods_.update(ready_pods(2), now_);
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(end(0, Outcome::BadStatus));
  EXPECT_FALSE(end(0, Outcome::CallError));
  EXPECT_FALSE(end(0, Outcome::Cancelled));
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(end(0, Outcome::BadStatus));
  // A call that nobody waited for does not make it well.
  EXPECT_FALSE(end(0, Outcome::Cancelled));
  EXPECT_TRUE(end(0, Outcome::BadStatus));
}

TEST_F(PodSetTest, AtMostAShareIsEjectedAtATime) {
  struct Case {
    int pods;
    int percent;
    int want;
  };
  const Case cases[] = {{1, 50, 0}, {1, 100, 1}, {2, 50, 1},  {3, 50, 1},
                        {4, 50, 2}, {10, 0, 1},  {10, 33, 3}, {3, 100, 3}};
  for (const auto& test : cases) {
    settings_.ejection.max_percent = test.percent;
    PodSet pods(settings_, 0);
    pods.update(ready_pods(test.pods), now_);
    int ejected = 0;
    for (int round = 0; round < 3; ++round)
      for (int number = 0; number < test.pods; ++number)
        for (int i = 0; i < 5; ++i)
          if (pods.end(id_of(pods, number), Outcome::Broken, seconds(1), now_)) ++ejected;
    EXPECT_EQ(ejected, test.want) << test.pods << " " << test.percent;
  }
}

TEST_F(PodSetTest, WhenAllLookDownAllAreTried) {
  settings_.ejection.max_percent = 100;
  pods_.change(settings_, 0, now_);
  pods_.update(std::vector{ready(0), ready(1), terminating(2), unready(3)}, now_);
  eject(0);
  EXPECT_EQ(calls(), "b");
  take_down(1);
  EXPECT_EQ(calls(), "ab");
  EXPECT_EQ(sessions(), "ab");
  now_ += seconds(30);
  EXPECT_EQ(calls(), "a");
}

TEST_F(PodSetTest, ADrainingPodGetsNothingNew) {
  pods_.update(ready_pods(2), now_);
  pods_.set_draining(id(0));
  EXPECT_EQ(calls(), "b");
  EXPECT_EQ(sessions(), "b");
  pods_.set_draining(id(1));
  EXPECT_EQ(calls(), "ab");
  EXPECT_EQ(sessions(), "NoneReady");
  // A check that does not ask for it says nothing of it.
  pods_.checked(id(0), {.ok = true}, now_);
  EXPECT_EQ(sessions(), "NoneReady");
  pods_.checked(id(0), {.ok = true, .draining = false}, now_);
  EXPECT_EQ(sessions(), "a");
  // Ready anew, as Kubernetes says.
  pods_.update(std::vector{ready(0), unready(1)}, now_);
  pods_.update(ready_pods(2), now_);
  EXPECT_EQ(sessions(), "ab");
}

TEST_F(PodSetTest, AFullPodGetsNoNewSession) {
  pods_.change(settings_, 2, now_);
  pods_.update(ready_pods(2), now_);
  for (int i = 0; i < 2; ++i) pods_.session_began(id(0));
  EXPECT_EQ(sessions(), "b");
  EXPECT_EQ(chosen(Purpose::NewSession, {id(1)}), "b");
  for (int i = 0; i < 2; ++i) pods_.session_began(id(1));
  const auto refused = pods_.choose(Purpose::NewSession, {}, now_, random_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().limit, Limit::PodSessions);
  EXPECT_EQ(refused.error().value, 2);
  EXPECT_EQ(calls(), "ab");
  pods_.session_ended(id(0));
  EXPECT_EQ(sessions(), "a");
}

TEST_F(PodSetTest, SessionsThatAPodTellsOfCount) {
  pods_.update(ready_pods(2), now_);
  pods_.checked(id(0), {.ok = true, .sessions = 7}, now_);
  EXPECT_EQ(pod(0).stats.sessions, 7U);
  EXPECT_EQ(sessions(), "b");
  pods_.session_ended(id(1));
  EXPECT_EQ(pod(1).stats.sessions, 0U);
}

TEST_F(PodSetTest, WeightsAreThoseOfTheZones) {
  settings_.load_balancing = {.policy = fleet::LoadBalancingPolicy::Weighted,
                              .weights = {{.zone = "west", .weight = 3}}};
  pods_.change(settings_, 0, now_);
  auto west = ready(0);
  west.zone = "west";
  pods_.update(std::vector{west, ready(1)}, now_);
  std::map<std::string, int> counts;
  for (int i = 0; i < 40; ++i)
    ++counts[name_of(pods_, *pods_.choose(Purpose::Call, {}, now_, random_))];
  EXPECT_EQ(counts["a"], 30);
  settings_.load_balancing.weights.clear();
  pods_.change(settings_, 0, now_);
  EXPECT_EQ(pod(0).weight, 1);
}

TEST_F(PodSetTest, ReadyPodsAreCheckedOnceAnInterval) {
  pods_.update(std::vector{ready(0), ready(1), terminating(2), unready(3)}, now_);
  EXPECT_GE(pods_.next_check(), now_);
  EXPECT_FALSE(pods_.take_check(now_ - Duration(1)));
  std::map<std::string, int> checks;
  for (int second = 0; second < 120; ++second) {
    now_ += seconds(1);
    while (const auto due = pods_.take_check(now_)) {
      ++checks[name_of(pods_, *due)];
      pods_.checked(*due, {.ok = true, .took = milliseconds(3)}, now_);
    }
  }
  EXPECT_EQ(checks, (std::map<std::string, int>{{"a", 4}, {"b", 4}}));
}

TEST_F(PodSetTest, ACheckThatIsUnderWayIsNotBegunAgain) {
  pods_.update(ready_pods(1), now_);
  now_ += minutes(1);
  ASSERT_TRUE(pods_.take_check(now_));
  EXPECT_EQ(pods_.next_check(), MonotonicTime::max());
  now_ += minutes(10);
  EXPECT_FALSE(pods_.take_check(now_));
  pods_.checked(id(0), {.ok = true}, now_);
  EXPECT_EQ(pods_.next_check(), now_ + seconds(30));
}

TEST_F(PodSetTest, ChecksTakeAPodDownAndUp) {
  pods_.update(ready_pods(2), now_);
  const CheckResult bad{.ok = false, .error = "refused"};
  EXPECT_FALSE(pods_.checked(id(0), bad, now_));
  EXPECT_FALSE(pods_.checked(id(0), bad, now_));
  EXPECT_EQ(calls(), "ab");
  EXPECT_TRUE(pods_.checked(id(0), bad, now_));
  EXPECT_EQ(calls(), "b");
  EXPECT_FALSE(pods_.checked(id(0), {.ok = true}, now_));
  EXPECT_TRUE(pods_.checked(id(0), {.ok = true}, now_));
  EXPECT_EQ(calls(), "ab");
}

TEST_F(PodSetTest, AMinuteOfCallsIsSpreadEvenly) {
  for (int policy = 0; policy <= 4; ++policy) {
    settings_.load_balancing.policy = static_cast<fleet::LoadBalancingPolicy>(policy);
    PodSet pods(settings_, 0);
    pods.update(ready_pods(5), now_);
    for (int i = 0; i < 5000; ++i) {
      const auto pod = pods.choose(Purpose::Call, {}, now_, random_);
      ASSERT_TRUE(pod);
      pods.begin(*pod, now_);
      pods.end(*pod, Outcome::Success, milliseconds(5), now_);
    }
    pods.each([&](PodId, const Pod& pod) { EXPECT_NEAR(pod.stats.requests, 1000, 120) << policy; });
  }
}

}  // namespace
}  // namespace mcpfleet::routing
