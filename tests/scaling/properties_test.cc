// What must hold for any rules, samples, replicas and clocks. Seeds are fixed, so a failure comes
// again.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "rules.h"

namespace mcpfleet::scaling {
namespace {

class Chance {
 public:
  explicit Chance(unsigned seed) : engine_(seed) {}
  int between(int least, int most) {
    return std::uniform_int_distribution<int>(least, most)(engine_);
  }
  bool one_in(int n) { return between(1, n) == 1; }

 private:
  std::mt19937 engine_;
};

Autoscaling any_settings(Chance& chance) {
  std::vector<Rule> rules;
  const int count = chance.between(0, 4);
  for (int i = 0; i < count; ++i) {
    Rule rule = chance.one_in(2) ? slow() : calm();
    rule.name += std::to_string(i);
    rule.metric = kP95;
    rule.threshold = chance.between(0, 10) / 10.0;
    rule.op = static_cast<Operator>(chance.between(0, 3));
    rule.amount = chance.one_in(2) ? fleet::Amount{chance.between(1, 8), std::nullopt}
                                   : fleet::Amount{std::nullopt, chance.between(1, 300)};
    rule.window = seconds(chance.between(1, 400));
    rule.cooldown = seconds(chance.between(0, 120));
    rules.push_back(rule);
  }
  const int least = chance.between(1, 20);
  return between(least, least + chance.between(0, 40), rules);
}

Sample any_sample(Chance& chance) {
  if (chance.one_in(10)) return Sample::missing("no answer");
  if (chance.one_in(10)) return Sample::idle();
  return Sample::of(chance.between(0, 12) / 10.0);
}

// The replicas follow the floor with delay, and a load of their own moves them too.
int follow(Chance& chance, int observed, int floor, const Autoscaling& settings) {
  if (chance.one_in(5)) observed += observed < floor ? 1 : -1;
  if (chance.one_in(40)) observed = chance.between(0, settings.max_replicas + 2);
  return std::max(observed, 0);
}

// Notes that the rule fired now; false where that was within its cooldown.
bool rested(std::map<std::string, WallTime>& fired, const std::string& rule, Duration cooldown,
            WallTime now) {
  const bool first = !fired.contains(rule);
  const bool rest = first || now - fired[rule] >= cooldown;
  fired[rule] = now;
  return rest;
}

TEST(AutoScalerProperties, LimitsCooldownsAndSentencesAlwaysHold) {
  for (unsigned seed = 1; seed <= 25; ++seed) {
    Chance chance(seed);
    Autoscaling settings = any_settings(chance);
    AutoScaler scaler;
    int observed = settings.min_replicas;
    WallTime now = kStart;
    std::map<std::string, WallTime> fired;
    for (int step = 0; step < 700; ++step) {
      now += milliseconds(chance.between(200, 3000));
      scaler.record(settings, kP95, "", any_sample(chance), now);
      const int before = scaler.status().floor;
      const auto got = scaler.evaluate(settings, observed, now);
      ASSERT_GE(got.floor, settings.min_replicas);
      ASSERT_LE(got.floor, settings.max_replicas);
      ASSERT_EQ(got.outcomes.size(), settings.rules.size());
      for (std::size_t i = 0; i < got.outcomes.size(); ++i) {
        const Outcome& outcome = got.outcomes[i];
        ASSERT_FALSE(outcome.message.empty());
        if (!outcome.action) continue;
        ASSERT_EQ(outcome.reason, kThresholdExceeded);
        ASSERT_TRUE(got.decision);
        ASSERT_TRUE(rested(fired, outcome.rule, settings.rules[i].cooldown, now)) << outcome.rule;
        ASSERT_TRUE(*outcome.action == Action::ScaleDown ||
                    observed >= std::max(before, settings.min_replicas));
      }
      ASSERT_EQ(got.floor,
                got.decision ? got.decision->to : std::max(before, settings.min_replicas));
      observed = follow(chance, observed, got.floor, settings);
    }
  }
}

// Restarted at any moment, through the text of the status.
TEST(AutoScalerProperties, ARestartedScalerKeepsFloorAndCooldowns) {
  for (unsigned seed = 1; seed <= 25; ++seed) {
    Chance chance(seed);
    const Autoscaling settings = any_settings(chance);
    AutoScaler scaler;
    std::map<std::string, WallTime> fired;
    int observed = settings.min_replicas;
    WallTime now = kStart;
    for (int step = 0; step < 800; ++step) {
      now += milliseconds(chance.between(900, 1100));
      if (chance.one_in(20)) {
        const auto stored = fleet::decode_status(fleet::encode_status(
            {.selector = {}, .address_url = {}, .scaling = scaler.status(), .conditions = {}}));
        const AutoScaler restarted(*stored.scaling);
        ASSERT_EQ(restarted.status(), scaler.status());
        scaler = restarted;
      }
      scaler.record(settings, kP95, "", any_sample(chance), now);
      const auto got = scaler.evaluate(settings, observed, now);
      for (std::size_t i = 0; i < got.outcomes.size(); ++i) {
        if (!got.outcomes[i].action) continue;
        const std::string& name = got.outcomes[i].rule;
        ASSERT_TRUE(rested(fired, name, settings.rules[i].cooldown, now)) << name;
      }
      observed = follow(chance, observed, got.floor, settings);
    }
  }
}

// One scaler lives on, another starts from its status when all windows are empty. They decide the
// same from the same readings, but that the restarted one may let the floor go later: until then.
TEST(AutoScalerProperties, ARestartChangesNoDecisionAndReleasesNeverEarlier) {
  int compared = 0;
  for (unsigned seed = 1; seed <= 40; ++seed) {
    Chance chance(seed);
    const Autoscaling settings = any_settings(chance);
    AutoScaler first;
    WallTime now = kStart;
    for (int step = 0; step < 50; ++step) {
      now += seconds(1);
      first.record(settings, kP95, "", any_sample(chance), now);
      first.evaluate(settings, settings.max_replicas, now);
    }
    now += seconds(1000);
    AutoScaler second(first.status());
    for (int step = 0; step < 300; ++step) {
      now += seconds(1);
      const Sample sample = any_sample(chance);
      first.record(settings, kP95, "", sample, now);
      second.record(settings, kP95, "", sample, now);
      const auto one = first.evaluate(settings, settings.max_replicas, now);
      const auto other = second.evaluate(settings, settings.max_replicas, now);
      if (one.decision && one.decision->reason == kFloorReleased) break;
      ASSERT_EQ(one.decision, other.decision);
      ASSERT_EQ(first.status(), second.status());
      compared += one.decision.has_value();
    }
  }
  EXPECT_GT(compared, 50);
}

TEST(AutoScalerProperties, ClocksThatJumpNeitherCrashNorFire) {
  for (unsigned seed = 1; seed <= 25; ++seed) {
    Chance chance(seed);
    const Autoscaling settings = any_settings(chance);
    AutoScaler scaler;
    WallTime now = kStart;
    for (int step = 0; step < 500; ++step) {
      const bool back = chance.one_in(10);
      now += seconds(back ? -chance.between(1, 100'000) : chance.between(0, 5));
      // Right after a jump back, without a new reading, nothing may fire.
      if (back) {
        for (const auto& outcome : scaler.evaluate(settings, settings.max_replicas, now).outcomes)
          ASSERT_NE(outcome.action, Action::ScaleUp);
      }
      scaler.record(settings, kP95, "", any_sample(chance), now);
      const auto got = scaler.evaluate(settings, settings.max_replicas, now);
      ASSERT_GE(got.floor, settings.min_replicas);
      ASSERT_LE(got.floor, settings.max_replicas);
    }
  }
}

}  // namespace
}  // namespace mcpfleet::scaling
