#include "scaling/scaler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "facts.h"

namespace mcpfleet::scaling {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr Signal kRate = Signal::RequestsPerSecond;
constexpr Signal kCalls = Signal::Concurrency;
constexpr Signal kLatency = Signal::Latency;

Policy panicky() {
  Policy policy = rate_policy();
  policy.panic = Panic{};
  return policy;
}

TEST(ScalerTest, FollowsItsTarget) {
  Life life(rate_policy());
  const Verdict got = life.second({{kRate, 412}});
  EXPECT_EQ(got.from, 4);
  EXPECT_EQ(got.replicas, 9);
  EXPECT_EQ(got.by, Recommender::Target);
  EXPECT_EQ(got.reason, Reason::OverTarget);
  EXPECT_TRUE(got.clipped_by.none());
  EXPECT_EQ(life.second({{kRate, 412}}).replicas, 9);
  EXPECT_EQ(life.second({{kRate, 100}}).replicas, 2);
}

TEST(ScalerTest, TheGreatestProposalWins) {
  Policy policy = rate_policy();
  policy.targets.concurrency = 5;
  policy.targets.sessions = 100;
  policy.targets.cpu_utilization = 70;
  Life life(policy);
  const Verdict got = life.second(
      {{kRate, 100}, {kCalls, 40}, {Signal::Sessions, 650}, {Signal::CpuUtilization, 90}});
  EXPECT_EQ(got.replicas, 8);
  ASSERT_EQ(got.proposals().size(), 4U);
  EXPECT_EQ(got.cause()->input[0].signal, kCalls);
  EXPECT_EQ(got.proposals()[2].replicas, 7);
  EXPECT_EQ(got.proposals()[3].replicas, 6) << "90 % of 4 pods at 70 %";
}

TEST(ScalerTest, TheRulesFloorIsOneOfThem) {
  Life life(rate_policy());
  life.rules_floor = 7;
  const Verdict got = life.second({{kRate, 100}});
  EXPECT_EQ(got.replicas, 7);
  EXPECT_EQ(got.by, Recommender::Rules);
  life.rules_floor = 0;
  EXPECT_EQ(life.second({{kRate, 100}}).replicas, 2);
}

TEST(ScalerTest, LimitsHoldAndAreSaid) {
  Policy policy = rate_policy();
  policy.min_replicas = 3;
  policy.max_replicas = 6;
  Life life(policy);
  Verdict got = life.second({{kRate, 412}});
  EXPECT_EQ(got.replicas, 6);
  EXPECT_EQ(got.asked, 9);
  EXPECT_TRUE(got.limited);
  EXPECT_TRUE(got.clipped_by.has(Clip::Maximum));
  got = life.second({{kRate, 1}});
  EXPECT_EQ(got.replicas, 3);
  EXPECT_FALSE(got.limited);
  EXPECT_TRUE(got.clipped_by.has(Clip::Minimum));
}

TEST(ScalerTest, ReplicasOutsideOfTheLimitsAreBroughtBack) {
  Life life(rate_policy(), 60);
  life.policy.max_replicas = 50;
  life.policy.behavior = Behavior{};
  const Verdict got = life.second({{kRate, 50 * 50}});
  EXPECT_EQ(got.replicas, 50);
  EXPECT_EQ(got.reason, Reason::LimitsChanged);
}

TEST(ScalerTest, ASurgeIsAnsweredWithinASecond) {
  Life life(panicky());
  life.seconds(120, {{kRate, 180}});
  EXPECT_EQ(life.facts.pods.wanted, 4);
  life.second({{kRate, 3000}});
  const Verdict got = life.second({{kRate, 3000}});
  EXPECT_GE(got.replicas, 20);
  EXPECT_TRUE(got.panicking);
}

// Its own short window on top would only make it slower.
TEST(ScalerTest, AMeanOfTheSourceIsTakenAsItIs) {
  Life life(panicky());
  life.seconds(120, {{kRate, 180}});
  life.facts.now += seconds(1);
  life.facts[kRate] = Measurement::of(1000, life.facts.now, 0, seconds(30));
  const Verdict got = life.go();
  EXPECT_EQ(got.replicas, 20) << "1000 less twice the square root of 1000 / 30";
  EXPECT_EQ(got.cause()->input[0].over, seconds(30));
}

TEST(ScalerTest, NoiseIsNoSurge) {
  Life life(panicky());
  life.policy.behavior = Behavior{};
  int changes = 0;
  // 170 a second, give or take 30.
  for (int i = 0; i < 3600; ++i) {
    const Verdict got = life.second({{kRate, 170 + 30 * std::sin(i * 1.7)}});
    changes += static_cast<int>(got.replicas != got.from);
  }
  EXPECT_EQ(changes, 0);
}

TEST(ScalerTest, APlainBurstIsFollowedAtTheFirstLook) {
  Life life(panicky());
  life.policy.behavior = Behavior{};
  life.seconds(60, {{kRate, 50}});
  const Verdict got = life.second({{kRate, 500}});
  EXPECT_GT(got.replicas, got.from);
  ASSERT_NE(got.cause(), nullptr);
  EXPECT_EQ(got.cause()->input[0].kind, Input::Kind::AtLeast);
}

TEST(ScalerTest, OneLookAtCallsInFlightAtMostDoublesThePods) {
  Policy policy = plain_policy();
  policy.targets.concurrency = 5;
  policy.panic = Panic{};
  Life life(policy, 3);
  life.seconds(60, {{kCalls, 10}});
  EXPECT_EQ(life.facts.pods.wanted, 2);
  EXPECT_EQ(life.second({{kCalls, 60}}).replicas, 4);
}

TEST(ScalerTest, WhilePanickingNobodyGoes) {
  Life life(panicky());
  life.seconds(60, {{kRate, 200}});
  life.seconds(10, {{kRate, 2000}});
  const int most = life.facts.pods.wanted;
  EXPECT_GE(most, 38);
  for (int i = 0; i < 50; ++i) {
    const Verdict got = life.second({{kRate, 10}});
    ASSERT_TRUE(got.panicking);
    ASSERT_GE(got.replicas, most);
  }
  life.seconds(70, {{kRate, 10}});
  EXPECT_EQ(life.facts.pods.wanted, 1);
}

TEST(ScalerTest, ASlowStartIsNotReadAsMoreLoad) {
  Policy policy = plain_policy();
  policy.targets.concurrency = 5;
  policy.panic = Panic{};
  Life life(policy, 2);
  life.follows = false;
  for (int i = 0; i < 120; ++i) life.second({{kRate, 100}, {kCalls, 10}});
  // Three times the calls; the pods take a minute to start, and callers pile up.
  int asked = 0;
  for (int i = 1; i <= 60; ++i) {
    const Verdict got = life.second({{kRate, 100}, {kCalls, 10.0 + 200 * i}});
    asked = std::max(asked, got.replicas);
    life.facts.pods = {.wanted = asked, .ready = 2, .starting = asked - 2};
  }
  // Without that it would be 12,010 calls in flight / 5, far over the maximum of 100.
  EXPECT_LE(asked, 8);
}

TEST(ScalerTest, WithoutFreshDataNobodyGoes) {
  Life life(rate_policy());
  life.second({{kRate, 412}});
  for (int i = 0; i < 300; ++i) {
    const Verdict got = life.second({});
    ASSERT_EQ(got.replicas, 9);
    ASSERT_EQ(got.is_missing(kRate), i >= 60);
  }
  const Verdict got = life.second({});
  EXPECT_EQ(got.reason, Reason::HeldWithoutData);
  EXPECT_TRUE(got.clipped_by.has(Clip::MissingData));
  EXPECT_TRUE(got.proposals().empty());
  EXPECT_EQ(life.second({{kRate, 0}}).replicas, 1) << "idle is not missing";
}

TEST(ScalerTest, WithoutDataOthersMayAskForMore) {
  Life life(rate_policy());
  life.second({{kRate, 412}});
  life.seconds(100, {});
  life.rules_floor = 12;
  EXPECT_EQ(life.second({}).replicas, 12);
  life.rules_floor = 1;
  EXPECT_EQ(life.second({}).replicas, 12);
}

TEST(ScalerTest, LastKnownGoodGoesOnAndThenHolds) {
  Life life(rate_policy());
  life.policy.missing_data[index(kRate)].then = MissingData::Then::LastKnownGood;
  life.policy.behavior.up.policies = {{RatePolicy::Type::Pods, 1, seconds(60)}};
  life.second({{kRate, 412}});
  EXPECT_EQ(life.facts.pods.wanted, 5);
  life.seconds(200, {});
  EXPECT_EQ(life.facts.pods.wanted, 8) << "a pod a minute, as the last value asks";
  const Verdict held = life.seconds(200, {});
  EXPECT_EQ(held.replicas, 8) << "within the tolerance";
  EXPECT_EQ(held.reason, Reason::HeldWithoutData);
}

TEST(ScalerTest, FailDecidesNothing) {
  Life life(rate_policy());
  life.policy.missing_data[index(kRate)].then = MissingData::Then::Fail;
  life.second({{kRate, 412}});
  life.seconds(61, {});
  life.rules_floor = 20;
  const Verdict got = life.second({});
  EXPECT_TRUE(got.failed);
  EXPECT_EQ(got.replicas, 9);
  EXPECT_EQ(got.reason, Reason::FailedWithoutData);
}

TEST(ScalerTest, OldAndImpossibleValuesAreNotDecidedUpon) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  for (const double value : {nan, inf, -inf, -1.0, 1e300}) {
    Life life(rate_policy());
    const Verdict got = life.second({{kRate, value}});
    EXPECT_EQ(got.replicas, 4) << value;
    EXPECT_TRUE(got.is_missing(kRate)) << value;
  }
  for (const Duration age : {Duration{seconds(61)}, Duration{-seconds(61)}}) {
    Life life(rate_policy());
    life.facts[kRate] = Measurement::of(5000, life.facts.now - age);
    EXPECT_TRUE(life.go().is_missing(kRate));
    EXPECT_EQ(life.go().replicas, 4);
  }
}

TEST(ScalerTest, ACounterThatWasResetIsAnOutlierOfASecond) {
  Life life(panicky());
  life.policy.behavior = Behavior{};
  life.seconds(120, {{kRate, 180}});
  EXPECT_EQ(life.second({{kRate, 0}}).replicas, 4);
  EXPECT_EQ(life.seconds(60, {{kRate, 180}}).replicas, 4);
}

TEST(ScalerTest, ClocksThatJumpHold) {
  for (const Duration jump : {Duration{hours(48)}, Duration{-hours(48)}}) {
    Life life(panicky());
    life.policy.behavior.down.stabilization = seconds(300);
    life.seconds(200, {{kRate, 2000}});
    EXPECT_EQ(life.facts.pods.wanted, 40);
    life.facts.now += jump;
    EXPECT_EQ(life.go().replicas, 40) << "no new data yet";
    for (int i = 0; i < 100; ++i) ASSERT_EQ(life.second({{kRate, 100}}).replicas, 40);
    life.seconds(260, {{kRate, 100}});
    EXPECT_EQ(life.facts.pods.wanted, 2) << "and does not hold for ever";
  }
}

TEST(ScalerTest, DryRunAndPausedShowAndDoNothing) {
  for (const Mode mode : {Mode::DryRun, Mode::Paused})
    for (const Actuator actuator : {Actuator::Operator, Actuator::Hpa}) {
      Life life(rate_policy());
      life.policy.mode = mode;
      life.policy.actuator = actuator;
      life.rules_floor = 9;
      const Verdict got = life.second({{kRate, 412}});
      EXPECT_FALSE(got.acts);
      EXPECT_EQ(got.replicas, got.from);
      EXPECT_EQ(got.advised, 9);
    }
}

TEST(ScalerTest, AWorkloadAtZeroIsLeftThere) {
  Life life(rate_policy(), 0);
  const Verdict got = life.seconds(100, {{kRate, 412}});
  EXPECT_EQ(got.replicas, 0);
  EXPECT_EQ(got.reason, Reason::ScaledToZero);
}

TEST(ScalerTest, WithTheHpaOnlyAFloorIsDecided) {
  Life life(panicky());
  life.policy.actuator = Actuator::Hpa;
  life.policy.min_replicas = 2;
  Verdict got = life.seconds(60, {{kRate, 412}});
  EXPECT_EQ(got.from, 2);
  EXPECT_EQ(got.replicas, 2) << "the HPA tracks the target itself";
  got = life.second({{kRate, 5000}});
  EXPECT_GT(got.replicas, 10) << "a panic is a floor";
  life.seconds(5, {{kRate, 5000}});
  got = life.seconds(55, {{kRate, 100}});
  EXPECT_GT(got.replicas, 90) << "for as long as it lasts";
  EXPECT_EQ(life.seconds(20, {{kRate, 100}}).replicas, 2) << "no smoothing of our own";
}

TEST(ScalerTest, WithTheHpaATargetThatItAloneLooksAtIsNotMissed) {
  Life life(rate_policy());
  life.policy.actuator = Actuator::Hpa;
  life.rules_floor = 8;
  EXPECT_EQ(life.second({}).missing, 0);
  life.rules_floor = 3;
  EXPECT_EQ(life.second({}).replicas, 3);
}

TEST(ScalerTest, ChangingTheActuatorNeverJumps) {
  Life life(rate_policy());
  life.policy.behavior.down.stabilization = seconds(300);
  life.seconds(10, {{kRate, 2000}});
  EXPECT_EQ(life.facts.pods.wanted, 40);
  life.policy.actuator = Actuator::Hpa;
  EXPECT_EQ(life.second({}).from, 40);
  life.facts.pods = ready_pods(44);  // by the HPA
  life.policy.actuator = Actuator::Operator;
  for (int i = 0; i < 299; ++i) ASSERT_EQ(life.second({{kRate, 100}}).replicas, 44);
  EXPECT_EQ(life.seconds(2, {{kRate, 100}}).replicas, 2);
}

TEST(ScalerTest, ARestartNeverJumps) {
  Life life(rate_policy(), 40);
  life.policy.behavior.down.stabilization = seconds(300);
  EXPECT_EQ(life.second({}).replicas, 40) << "no data yet";
  for (int i = 0; i < 298; ++i) ASSERT_EQ(life.second({{kRate, 100}}).replicas, 40);
  EXPECT_EQ(life.seconds(3, {{kRate, 100}}).replicas, 2);

  Policy by_hpa = panicky();
  by_hpa.actuator = Actuator::Hpa;
  Life floor(by_hpa);
  fleet::ScalingStatus stored;
  stored.recommended_replicas = 12;
  floor.scaler = Scaler(stored);
  EXPECT_EQ(floor.second({}).replicas, 12) << "held without data";
  EXPECT_EQ(floor.second({{kRate, 10}}).replicas, 1);
}

TEST(ScalerTest, TheObjectiveIsOneOfThem) {
  Policy policy = plain_policy();
  policy.targets.latency = {Quantile::P95, 0.2};
  Life life(policy);
  life.seconds(60, {{kCalls, 40}, {kRate, 400}, {kLatency, 0.1}});
  EXPECT_EQ(life.facts.pods.wanted, 4);
  const Verdict got = life.second({{kCalls, 80}, {kRate, 800}, {kLatency, 0.4}});
  EXPECT_GT(got.replicas, 4);
  EXPECT_EQ(got.by, Recommender::Latency);
  EXPECT_EQ(got.reason, Reason::OverObjective);
  // Without latency the load still drives, and nobody goes.
  life.seconds(61, {{kCalls, 80}, {kRate, 800}});
  const Verdict missing = life.seconds(100, {{kCalls, 4}, {kRate, 40}});
  EXPECT_GT(missing.replicas, 4);
  EXPECT_EQ(missing.replicas, missing.from);
  EXPECT_TRUE(missing.is_missing(kLatency));
}

TEST(ScalerTest, AnObjectiveOutOfReachIsSaid) {
  Policy policy = plain_policy();
  policy.targets.latency = {Quantile::P95, 0.2};
  Life life(policy);
  const Verdict got = life.seconds(120, {{kCalls, 0.5}, {kRate, 1}, {kLatency, 0.5}});
  EXPECT_TRUE(got.unattainable);
  EXPECT_LE(got.replicas, 4) << "no pods for what pods do not help";
}

TEST(ScalerTest, TheForecastIsNeverBelowTheReactiveAnswer) {
  Policy policy = rate_policy();
  policy.forecast = Forecast{hours(24), std::chrono::minutes(10)};
  Life life(policy);
  for (int i = 0; i < 288 * 2; ++i)
    life.scaler.recall(policy, kRate, kMorning - hours(48) + std::chrono::minutes(5) * i,
                       i % 288 == 1 ? 1000 : 100);
  Verdict got = life.second({{kRate, 100}});
  EXPECT_EQ(got.replicas, 20);
  EXPECT_EQ(got.by, Recommender::Forecast);
  got = life.second({{kRate, 3000}});
  EXPECT_EQ(got.replicas, 60);
  EXPECT_EQ(got.by, Recommender::Target);
}

TEST(ScalerTest, TheScheduleIsOneOfThem) {
  Policy policy = rate_policy();
  policy.schedules = {{"morning", Cron::parse("0 0 * * *").value(), hours(1), 30, Duration{0}}};
  Life life(policy);
  EXPECT_EQ(life.second({{kRate, 10}}).replicas, 30);
  life.facts.now += hours(1);
  EXPECT_EQ(life.second({{kRate, 10}}).replicas, 1);
}

TEST(ScalerTest, PoliciesThatCannotBeMeantAreSurvived) {
  Policy policy = plain_policy();
  policy.min_replicas = -5;
  policy.max_replicas = -9;
  policy.targets.requests_per_second = 0;
  policy.targets.concurrency = std::numeric_limits<double>::quiet_NaN();
  policy.targets.sessions = std::numeric_limits<double>::denorm_min();
  policy.targets.latency = {Quantile::P99, -1};
  policy.panic = Panic{Duration{-1}, Duration{0}, std::numeric_limits<double>::quiet_NaN()};
  policy.forecast = Forecast{Duration{0}, Duration::min()};
  policy.schedules = {{}};
  Life life(policy, 5);
  const Verdict got = life.second({{kRate, 100}, {kCalls, 9}, {Signal::Sessions, 1e15}});
  EXPECT_EQ(got.replicas, 1);
  EXPECT_EQ(problems(policy).size(), 8U);
  policy.max_replicas = std::numeric_limits<int>::max();
  Life greatest(policy, std::numeric_limits<int>::max());
  greatest.facts.pods.ready = greatest.facts.pods.outdated = std::numeric_limits<int>::max();
  EXPECT_EQ(greatest.second({{Signal::Sessions, 1e15}}).replicas, kMostReplicas);
}

TEST(PolicyTest, ProblemsNameTheField) {
  Policy policy = rate_policy();
  EXPECT_TRUE(problems(policy).empty());
  policy.targets.requests_per_second = 0;
  ASSERT_EQ(problems(policy).size(), 1U);
  EXPECT_EQ(problems(policy)[0],
            "targets.requestsPerSecond must be greater than 0: it is not scaled on");
  policy = rate_policy();
  policy.min_replicas = 7;
  policy.max_replicas = 3;
  EXPECT_EQ(problems(policy)[0],
            "maxReplicas must not be less than minReplicas (3 < 7): minReplicas is used for both");
}

}  // namespace
}  // namespace mcpfleet::scaling
