#include "scaling/latency_objective.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "facts.h"

namespace mcpfleet::scaling {
namespace {

using std::chrono::seconds;

constexpr LatencyTarget kObjective{Quantile::P95, 0.2};

class LatencyObjectiveTest : public testing::Test {
 protected:
  // A second in which each pod has `per_pod` calls in flight.
  void second(double per_pod, double latency) {
    now_ += seconds(1);
    learner_.carry(kObjective, Signal::Concurrency, per_pod, now_);
    learner_.judge(kObjective, latency, now_);
  }
  void seconds_of(int count, double per_pod, double latency) {
    for (int i = 0; i < count; ++i) second(per_pod, latency);
  }
  Proposal ask(double in_flight, const Pods& pods, double latency) const {
    Load load;
    load.signal = Signal::Concurrency;
    load.steady = in_flight;
    const Input input{Signal::Latency, Input::Kind::Mean, latency, Duration{0}, Duration{0}};
    return learner_.propose(kObjective, load, &input, pods);
  }
  LatencyObjective learner_;
  WallTime now_ = kMorning;
};

TEST_F(LatencyObjectiveTest, AsksForNothingMoreUntilTheObjectiveWasMissed) {
  seconds_of(60, 10, 0.1);
  for (const double load : {40.0, 400.0, 4e9}) EXPECT_EQ(ask(load, ready_pods(4), 0.1).replicas, 4);
  EXPECT_EQ(learner_.refused(), 0);
}

TEST_F(LatencyObjectiveTest, KeepsWhatIsProvenAndATenthOfCuriosity) {
  seconds_of(60, 10, 0.1);
  EXPECT_EQ(ask(100, ready_pods(20), 0.1).replicas, 10) << "100 / (10 × 1.1) is 9.1";
  EXPECT_EQ(ask(100, ready_pods(5), 0.1).replicas, 5);
  EXPECT_EQ(ask(100, ready_pods(5), 0.1).reason, Reason::WithinObjective);
}

TEST_F(LatencyObjectiveTest, NearTheObjectiveThereIsNoCuriosity) {
  seconds_of(60, 10, 0.19);
  EXPECT_EQ(ask(105, ready_pods(20), 0.19).replicas, 11);
}

TEST_F(LatencyObjectiveTest, AMissTeachesWhatAPodCarries) {
  seconds_of(60, 10, 0.1);
  seconds_of(3, 20, 0.25);
  EXPECT_NEAR(learner_.refused(), 20 * 0.2 / 0.25, 0.1);
  const Proposal got = ask(80, ready_pods(4), 0.25);
  EXPECT_EQ(got.replicas, 6) << "80 / (16 × 0.9) is 5.6";
  EXPECT_EQ(got.reason, Reason::OverObjective);
  EXPECT_NEAR(got.per_pod, 14.4, 0.1);
  EXPECT_FALSE(got.unattainable);
}

TEST_F(LatencyObjectiveTest, TheWindowOfAMissCountsOnceAndAtItsGreatestLoad) {
  seconds_of(60, 10, 0.1);
  second(20, 0.25);
  const double refused = learner_.refused();
  // More pods came, the quantile still is of the calls before.
  seconds_of(28, 8, 0.25);
  EXPECT_NEAR(learner_.refused(), refused, 1e-9);
}

TEST_F(LatencyObjectiveTest, TooFewSamplesTeachNothing) {
  seconds_of(LatencyObjective::kSamples - 1, 20, 5);
  const Proposal got = ask(80, ready_pods(4), 5);
  EXPECT_EQ(got.replicas, 4);
  EXPECT_EQ(got.reason, Reason::LearningCapacity);
  second(20, 5);
  EXPECT_GT(ask(80, ready_pods(4), 5).replicas, 4);
}

TEST_F(LatencyObjectiveTest, OneMissAtMostHalves) {
  seconds_of(60, 10, 0.1);
  second(20, 60);
  EXPECT_NEAR(learner_.refused(), 10, 0.1);
  EXPECT_EQ(ask(1e9, ready_pods(4), 60).replicas, 16) << "at most four times what serves";
}

TEST_F(LatencyObjectiveTest, ARefusalFadesAndIsRefuted) {
  seconds_of(60, 10, 0.1);
  second(20, 0.25);
  const double refused = learner_.refused();
  seconds_of(600, 5, 0.1);
  EXPECT_NEAR(learner_.refused(), refused * 1.64, 0.5) << "a twentieth a minute";
  seconds_of(40, 40, 0.1);
  EXPECT_GT(0.9 * learner_.refused(), 40) << "more than that is carried now";
}

TEST_F(LatencyObjectiveTest, AServerThatBecameSlowerIsLearntAnew) {
  seconds_of(60, 40, 0.1);
  seconds_of(31, 10, 0.1);
  second(10, 0.4);
  EXPECT_NEAR(learner_.refused(), 5, 0.1);
  EXPECT_LE(learner_.carried(), 5);
}

TEST_F(LatencyObjectiveTest, ALoneCallThatIsTooSlowIsUnattainable) {
  seconds_of(20, 0.1, 0.5);
  EXPECT_FALSE(learner_.unattainable()) << "not for a whole window yet";
  seconds_of(30, 0.1, 0.5);
  EXPECT_TRUE(learner_.unattainable());
  const Proposal got = ask(0.4, ready_pods(4), 0.5);
  EXPECT_EQ(got.replicas, 2) << "a pod a fifth of a call, not more";
  EXPECT_EQ(got.reason, Reason::ObjectiveTooTight);
  EXPECT_TRUE(got.unattainable);
  second(0.1, 0.1);
  EXPECT_FALSE(learner_.unattainable());
}

TEST_F(LatencyObjectiveTest, WhatDoesNotGetBetterWithLessLoadIsUnattainable) {
  seconds_of(60, 10, 0.1);
  second(20, 0.4);
  const double refused = learner_.refused();
  seconds_of(70, 8, 0.4);
  EXPECT_TRUE(learner_.unattainable());
  EXPECT_NEAR(learner_.refused(), refused, 1e-9) << "no more pods for what pods do not help";
}

TEST_F(LatencyObjectiveTest, IdleAsksForNothing) {
  seconds_of(60, 10, 0.1);
  const Proposal got = ask(0, ready_pods(4), 0.1);
  EXPECT_EQ(got.replicas, 0);
  EXPECT_EQ(got.reason, Reason::Idle);
}

TEST_F(LatencyObjectiveTest, MoreLoadNeverAsksForFewer) {
  seconds_of(60, 10, 0.1);
  second(20, 0.25);
  int before = 0;
  for (double load = 0; load < 1000; load += 0.9) {
    const int now = ask(load, ready_pods(20), 0.1).replicas;
    ASSERT_GE(now, before);
    before = now;
  }
  EXPECT_GT(before, 20);
}

TEST_F(LatencyObjectiveTest, AnotherObjectiveStartsAnew) {
  seconds_of(60, 20, 0.25);
  EXPECT_GT(learner_.refused(), 0);
  learner_.carry({Quantile::P95, 0.5}, Signal::Concurrency, 20, now_);
  EXPECT_EQ(learner_.refused(), 0);
}

// A server whose calls wait for each other: near `full` calls a second a pod latency has no bound.
struct Queueing {
  double full = 40;
  double call = 0.05;
  double latency(double rate, int pods) const {
    const double busy = std::min(rate / (full * pods), 0.995);
    return call / (1 - busy);
  }
};

// The whole loop, with the quantile of the last 30 s: it must settle near the fewest pods that meet
// the objective, from either side, and stay there.
TEST(LatencyObjectiveLoop, SettlesWithinTheObjectiveWithFewPods) {
  for (const int at_first : {1, 60}) {
    Policy policy = plain_policy();
    policy.targets.latency = {Quantile::P95, 0.2};
    policy.behavior.down.stabilization = seconds(60);
    Life life(policy, at_first);
    const Queueing server;
    double slowest = 0;
    int most = 0;
    int over = 0;
    std::array<double, 30> window{};
    for (std::size_t i = 0; i < 7200; ++i) {
      const int pods = life.facts.pods.ready;
      const double now = server.latency(600, pods);
      window[i % window.size()] = now;
      const double latency = *std::ranges::max_element(window);
      life.second({{Signal::RequestsPerSecond, 600},
                   {Signal::Concurrency, 600 * now},
                   {Signal::Latency, latency}});
      if (i < 3600) continue;
      slowest = std::max(slowest, now);
      most = std::max(most, pods);
      over += static_cast<int>(now > 0.2);
    }
    // 20 pods are the fewest: 0.05 / (1 - 600/(40 × 20)) is 0.2.
    EXPECT_LE(over, 36) << "a hundredth of the time, from " << at_first;
    EXPECT_LE(most, 30) << "from " << at_first;
    EXPECT_GT(slowest, 0.08) << "not with any number of pods, from " << at_first;
  }
}

}  // namespace
}  // namespace mcpfleet::scaling
