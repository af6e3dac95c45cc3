#include "routing/balancer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "pods.h"

namespace mcpfleet::routing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Policy = fleet::LoadBalancingPolicy;

class BalancerTest : public testing::Test {
 protected:
  Pod& add() {
    all_.push_back(std::make_unique<Pod>());
    all_.back()->endpoint = ready(static_cast<int>(all_.size()) - 1);
    pods_.push_back(all_.back().get());
    return *all_.back();
  }
  Pod& add(std::uint32_t in_flight, std::uint32_t sessions) {
    Pod& pod = add();
    pod.stats.in_flight = in_flight;
    pod.stats.sessions = sessions;
    return pod;
  }
  void use(Policy policy) { settings_.load_balancing.policy = policy; }
  Pod& choose(Purpose purpose = Purpose::Call) {
    return choose_pod(settings_, purpose, pods_, now_, random_);
  }
  // The names of those that are chosen in a row.
  std::string choices(int count, Purpose purpose = Purpose::Call) {
    std::string names;
    for (int i = 0; i < count; ++i) names += choose(purpose).endpoint.pod;
    return names;
  }
  std::map<char, int> counted(int count, Purpose purpose = Purpose::Call) {
    std::map<char, int> counts;
    for (const char name : choices(count, purpose)) ++counts[name];
    return counts;
  }
  void back_from_ejection(Pod& pod) {
    const auto time = pod.ejection.eject(settings_.ejection, now_);
    now_ += time;
  }
  static void answered(Pod& pod, Duration took, MonotonicTime now) {
    pod.stats.began(now);
    pod.stats.ended(Outcome::Success, took, now);
  }

  fleet::TrafficSettings settings_;
  std::vector<std::unique_ptr<Pod>> all_;
  std::vector<Pod*> pods_;
  MonotonicTime now_ = kStart;
  Random random_{7};
};

TEST_F(BalancerTest, OfOnePodAllPoliciesChooseThat) {
  add();
  for (int policy = 0; policy <= static_cast<int>(Policy::FastestResponse); ++policy) {
    use(static_cast<Policy>(policy));
    EXPECT_EQ(choices(3), "aaa") << policy;
    EXPECT_EQ(choices(3, Purpose::NewSession), "aaa") << policy;
  }
}

TEST_F(BalancerTest, RoundRobinIsEachInTurnWhateverItsWeightAndLoad) {
  use(Policy::RoundRobin);
  for (int i = 0; i < 3; ++i) add();
  pods_[0]->weight = 9;
  pods_[1]->stats.in_flight = 100;
  EXPECT_EQ(choices(7), "abcabca");
}

TEST_F(BalancerTest, WeightedIsSmooth) {
  use(Policy::Weighted);
  for (const int weight : {5, 1, 1}) add().weight = weight;
  // The example of nginx's own commit message.
  EXPECT_EQ(choices(14), "aabacaaaabacaa");
}

TEST_F(BalancerTest, LeastConnectionsCountsCallsAndSessions) {
  use(Policy::LeastConnections);
  add(3, 0);
  add(1, 1);
  add(0, 4);
  EXPECT_EQ(choices(3), "bbb");
  EXPECT_EQ(choices(3, Purpose::NewSession), "bbb");
  pods_[1]->stats.sessions = 2;
  const auto counts = counted(1000);
  EXPECT_FALSE(counts.contains('c'));
  EXPECT_GT(counts.at('a'), 400);
  EXPECT_GT(counts.at('b'), 400);
}

TEST_F(BalancerTest, FastestResponseAsksWhoWasNotMeasuredThenTheFastest) {
  use(Policy::FastestResponse);
  for (int i = 0; i < 3; ++i) add();
  answered(*pods_[0], milliseconds(30), now_);
  answered(*pods_[1], milliseconds(10), now_);
  EXPECT_EQ(choices(2), "cc");
  // One call is enough to find out: the next ones do not wait with it.
  pods_[2]->stats.began(now_);
  EXPECT_EQ(choices(2), "bb");
  pods_[2]->stats.ended(Outcome::Success, milliseconds(20), now_);
  EXPECT_EQ(choices(2), "bb");
}

TEST_F(BalancerTest, FastestResponseCountsCallsInFlight) {
  use(Policy::FastestResponse);
  for (const int ms : {30, 10}) answered(add(), milliseconds(ms), now_);
  pods_[1]->stats.in_flight = 3;
  EXPECT_EQ(choices(1), "a");
}

TEST_F(BalancerTest, FastestResponseAsksASlowOneAgainAfterSomeTime) {
  use(Policy::FastestResponse);
  for (const int ms : {30, 10}) answered(add(), milliseconds(ms), now_);
  now_ += seconds(10);
  answered(*pods_[1], milliseconds(10), now_);
  EXPECT_EQ(choices(1), "b");
  now_ += seconds(10);
  answered(*pods_[1], milliseconds(10), now_);
  EXPECT_EQ(choices(1), "a");
}

TEST_F(BalancerTest, OfTwoTheOneWithLessToDoGetsTheCall) {
  struct Case {
    std::uint32_t in_flight[2];
    std::uint32_t sessions[2];
    const char* want;
  };
  const Case cases[] = {
      {{1, 2}, {0, 0}, "a"}, {{2, 1}, {0, 0}, "b"},  {{1, 1}, {5, 4}, "b"},
      {{1, 2}, {9, 0}, "a"}, {{1, 2}, {11, 0}, "b"}, {{0, 0}, {100, 99}, "b"},
  };
  for (const auto& test : cases) {
    all_.clear();
    pods_.clear();
    for (int i = 0; i < 2; ++i) add(test.in_flight[i], test.sessions[i]);
    for (int i = 0; i < 20; ++i) EXPECT_EQ(choices(1), test.want);
  }
}

TEST_F(BalancerTest, TwoChoicesNeverChooseTheBusiestAndSpreadEquals) {
  for (int i = 0; i < 5; ++i) add();
  pods_[4]->stats.in_flight = 1;
  const auto counts = counted(10'000);
  EXPECT_FALSE(counts.contains('e'));
  // Each of the others is in two fifths of all pairs, and wins half of those with an equal.
  for (const char name : {'a', 'b', 'c', 'd'}) EXPECT_NEAR(counts.at(name), 2500, 200) << name;
}

TEST_F(BalancerTest, ANewSessionGoesWhereThereAreFewest) {
  for (const auto sessions : {7U, 3U, 5U, 4U}) add(0, sessions);
  pods_[1]->stats.in_flight = 9;
  EXPECT_EQ(choices(5, Purpose::NewSession), "bbbbb");
  // Calls in flight decide where sessions are nearly alike.
  pods_[1]->stats.in_flight = 11;
  EXPECT_EQ(choices(5, Purpose::NewSession), "ddddd");
}

TEST_F(BalancerTest, SessionsFillUpTheEmptyPodFirst) {
  for (const auto sessions : {10U, 10U, 0U}) add(0, sessions);
  for (int i = 0; i < 10; ++i) {
    Pod& pod = choose(Purpose::NewSession);
    EXPECT_EQ(pod.endpoint.pod, "c");
    ++pod.stats.sessions;
  }
}

TEST_F(BalancerTest, APodThatComesBackGetsAShareThatGrows) {
  for (const auto policy : {Policy::RoundRobin, Policy::Weighted}) {
    use(policy);
    all_.clear();
    pods_.clear();
    for (int i = 0; i < 2; ++i) add();
    back_from_ejection(*pods_[0]);
    EXPECT_EQ(counted(110)['a'], 10);
    now_ += settings_.ejection.slow_start;
    EXPECT_EQ(counted(110)['a'], 55);
  }
}

TEST_F(BalancerTest, APodThatComesBackTakesPartAsOftenAsItsShareSays) {
  struct Case {
    Policy policy;
    Purpose purpose;
  };
  const Case cases[] = {{Policy::PowerOfTwoChoices, Purpose::Call},
                        {Policy::PowerOfTwoChoices, Purpose::NewSession},
                        {Policy::LeastConnections, Purpose::Call},
                        {Policy::FastestResponse, Purpose::Call}};
  for (const auto& test : cases) {
    use(test.policy);
    all_.clear();
    pods_.clear();
    add(0, 0);
    add(1, 1);
    back_from_ejection(*pods_[0]);
    // Without an ejection all would go to it.
    EXPECT_NEAR(counted(2000, test.purpose)['a'], 200, 60);
    now_ += settings_.ejection.slow_start / 2;
    EXPECT_NEAR(counted(2000, test.purpose)['a'], 1100, 120);
    now_ += settings_.ejection.slow_start / 2;
    EXPECT_EQ(counted(2000, test.purpose)['a'], 2000);
  }
}

TEST_F(BalancerTest, WhereAllComeBackOneOfThemIsChosen) {
  for (const auto policy : {Policy::PowerOfTwoChoices, Policy::LeastConnections}) {
    use(policy);
    all_.clear();
    pods_.clear();
    for (int i = 0; i < 3; ++i) add().ejection.eject(settings_.ejection, now_);
    now_ = pods_[0]->ejection.until();
    EXPECT_EQ(counted(1000).size(), 3U);
  }
}

// The deviation of what 50 pods have in flight, when calls come and the one that is oldest ends.
double spread_with(Policy policy, bool random_pods) {
  fleet::TrafficSettings settings;
  settings.load_balancing.policy = policy;
  std::vector<std::unique_ptr<Pod>> all;
  std::vector<Pod*> pods;
  for (int i = 0; i < 50; ++i) {
    all.push_back(std::make_unique<Pod>());
    pods.push_back(all.back().get());
  }
  Random random(11);
  std::vector<Pod*> in_flight;
  double squares = 0;
  for (int i = 0; i < 20'000; ++i) {
    Pod* pod = random_pods ? pods[random.below(50)]
                           : &choose_pod(settings, Purpose::Call, pods, kStart, random);
    pod->stats.began(kStart);
    in_flight.push_back(pod);
    if (in_flight.size() <= 500) continue;
    // Calls last differently long.
    const auto ends = random.below(static_cast<std::uint32_t>(in_flight.size()));
    in_flight[ends]->stats.ended(Outcome::Success, milliseconds(1), kStart);
    in_flight.erase(in_flight.begin() + ends);
    for (const Pod* one : pods) squares += std::pow(one->stats.in_flight - 10.0, 2);
  }
  return std::sqrt(squares / (20'000.0 * 50));
}

TEST(PowerOfTwoChoicesTest, SpreadsBetterThanChance) {
  const double chance = spread_with(Policy::PowerOfTwoChoices, true);
  const double two = spread_with(Policy::PowerOfTwoChoices, false);
  EXPECT_GT(chance, 2.5);
  EXPECT_LT(two, chance / 2);
}

}  // namespace
}  // namespace mcpfleet::routing
