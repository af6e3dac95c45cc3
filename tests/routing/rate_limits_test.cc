#include "routing/rate_limits.h"

#include <gtest/gtest.h>

#include <array>
#include <map>

#include "base/random.h"
#include "pods.h"

namespace mcpfleet::routing {
namespace {

using fleet::RateLimit;
using fleet::RateScope;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

CallerId caller(std::uint64_t number) { return {.high = number, .low = number}; }

class RateLimitsTest : public testing::Test {
 protected:
  void use(const std::vector<RateLimit>& rates, std::size_t most = 100) {
    limits_.emplace(rates, most);
  }
  std::optional<Refusal> take(std::string_view tool, std::uint64_t who = 1) {
    return limits_->take(std::array{RatedCall{.tool = tool, .caller = caller(who)}}, now_);
  }
  // How many calls pass before the first one is refused.
  int passes(std::string_view tool, std::uint64_t who = 1) {
    for (int i = 0; i < 1000; ++i)
      if (take(tool, who)) return i;
    return 1000;
  }

  std::optional<RateLimits> limits_;
  MonotonicTime now_ = kStart;
};

TEST_F(RateLimitsTest, WithoutLimitsEverythingPasses) {
  use({});
  EXPECT_EQ(passes("search"), 1000);
}

TEST_F(RateLimitsTest, WhatCountsTogether) {
  struct Case {
    const char* name;
    RateLimit limit;
    // How many pass: of search by 1, then of fetch by 1, search by 2, and of no tool by 1.
    std::array<int, 4> want;
  };
  const auto per = [](RateScope scope, const char* tool) {
    return RateLimit{.per = scope, .tool = tool, .calls = 3, .period = seconds(60)};
  };
  const Case cases[] = {
      {"the server", per(RateScope::Server, ""), {3, 0, 0, 0}},
      {"one tool of the server", per(RateScope::Server, "search"), {3, 1000, 0, 1000}},
      {"each tool", per(RateScope::Tool, ""), {3, 3, 0, 1000}},
      {"that tool", per(RateScope::Tool, "search"), {3, 1000, 0, 1000}},
      {"each caller", per(RateScope::Caller, ""), {3, 0, 3, 0}},
      {"that tool by each caller", per(RateScope::Caller, "search"), {3, 1000, 3, 1000}},
  };
  for (const auto& test : cases) {
    use({test.limit});
    EXPECT_EQ(passes("search"), test.want[0]) << test.name;
    EXPECT_EQ(passes("fetch"), test.want[1]) << test.name;
    EXPECT_EQ(passes("search", 2), test.want[2]) << test.name;
    EXPECT_EQ(passes(""), test.want[3]) << test.name;
  }
}

TEST_F(RateLimitsTest, TheRefusalSaysWhichOne) {
  use({{.per = RateScope::Server, .calls = 100, .period = seconds(1)},
       {.per = RateScope::Tool, .calls = 2, .period = seconds(10)}});
  EXPECT_EQ(passes("search"), 2);
  now_ += seconds(1);
  EXPECT_EQ(take("search"), (Refusal{.limit = Limit::ToolRate,
                                     .value = 2,
                                     .period = seconds(10),
                                     .tool = "search",
                                     .retry_after = seconds(4)}));
}

TEST_F(RateLimitsTest, OfSeveralTheLongestWaitIsTold) {
  use({{.per = RateScope::Caller, .calls = 1, .period = seconds(60)},
       {.per = RateScope::Server, .calls = 1, .period = seconds(5)}});
  EXPECT_EQ(passes("search"), 1);
  const auto refusal = take("search");
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->limit, Limit::CallerRate);
  EXPECT_EQ(refusal->retry_after, seconds(60));
  EXPECT_EQ(refusal->tool, "");
}

TEST_F(RateLimitsTest, WhatIsRefusedByOneIsNotCountedByAnother) {
  use({{.per = RateScope::Server, .calls = 10, .period = minutes(1)},
       {.per = RateScope::Caller, .calls = 1, .period = minutes(1)}});
  EXPECT_EQ(passes("search", 1), 1);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(take("search", 1));
  for (std::uint64_t who = 2; who <= 10; ++who) EXPECT_FALSE(take("search", who)) << who;
  EXPECT_EQ(take("search", 11)->limit, Limit::ServerRate);
}

TEST_F(RateLimitsTest, CallsComeBackWithTime) {
  use({{.per = RateScope::Server, .calls = 6, .period = minutes(1)}});
  EXPECT_EQ(passes(""), 6);
  now_ += seconds(10);
  EXPECT_EQ(passes(""), 1);
  now_ += minutes(10);
  EXPECT_EQ(passes(""), 6);
}

TEST_F(RateLimitsTest, ABatchIsTakenAsAWhole) {
  use({{.per = RateScope::Tool, .tool = "search", .calls = 2, .period = seconds(2)}});
  const RatedCall search{.tool = "search"};
  const RatedCall fetch{.tool = "fetch"};
  const std::array batch{search, fetch, search, search};
  EXPECT_FALSE(limits_->take(batch, now_));
  // Three were taken where two are a burst: the next one waits for two.
  EXPECT_EQ(take("search")->retry_after, seconds(2));
  EXPECT_FALSE(take("fetch"));
  EXPECT_TRUE(limits_->take(batch, now_));
  now_ += seconds(2);
  EXPECT_FALSE(limits_->take(batch, now_));
}

TEST_F(RateLimitsTest, TheCallerOfLongAgoIsForgotten) {
  use({{.per = RateScope::Caller, .calls = 1, .period = minutes(60)}}, 3);
  for (std::uint64_t who = 1; who <= 3; ++who) EXPECT_FALSE(take("", who));
  EXPECT_TRUE(take("", 1));
  EXPECT_FALSE(take("", 4));
  EXPECT_EQ(limits_->remembered(), 3U);
  // 2 was the one; 1 and 4 are still known.
  EXPECT_TRUE(take("", 4));
  EXPECT_TRUE(take("", 1));
  EXPECT_FALSE(take("", 2));
}

TEST_F(RateLimitsTest, AMadeUpToolNameIsNotToldInFull) {
  use({{.per = RateScope::Tool, .calls = 1, .period = seconds(1)}});
  const std::string name(100'000, 'x');
  EXPECT_EQ(passes(name), 1);
  EXPECT_EQ(take(name)->tool.size(), 128U);
  EXPECT_EQ(passes(name + "y"), 1);
}

TEST_F(RateLimitsTest, AChangeKeepsWhatWasUsed) {
  const RateLimit server{.per = RateScope::Server, .calls = 10, .period = seconds(10)};
  const RateLimit callers{.per = RateScope::Caller, .calls = 4, .period = seconds(4)};
  use({server, callers});
  EXPECT_EQ(passes("", 1), 4);
  // In another order, with another limit between them: nothing is new.
  limits_->change({callers, {.per = RateScope::Tool, .calls = 1}, server}, now_);
  EXPECT_EQ(passes("", 1), 0);
  EXPECT_EQ(passes("", 2), 4);
  // More, and less.
  auto more = callers;
  more.calls = 6;
  limits_->change({more, server}, now_);
  EXPECT_EQ(passes("", 1), 2);
  auto less = server;
  less.calls = 1;
  limits_->change({less}, now_);
  EXPECT_EQ(passes("", 3), 0);
  now_ += seconds(100);
  EXPECT_EQ(passes("", 3), 1);
  limits_->change({}, now_);
  EXPECT_EQ(limits_->remembered(), 0U);
  EXPECT_EQ(passes("", 3), 1000);
}

// Whatever comes: in no period, wherever it begins, more pass than a burst and what comes back.
TEST(RateLimitsPropertyTest, LimitsAlwaysHold) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Random random(seed);
    const RateLimit limit{.per = RateScope::Caller,
                          .calls = static_cast<int>(1 + random.below(5)),
                          .period = milliseconds(100 + random.below(2000))};
    RateLimits limits({limit}, 8);
    std::map<std::uint64_t, std::vector<MonotonicTime>> passed;
    auto now = kStart;
    for (int i = 0; i < 1500; ++i) {
      now += milliseconds(random.below(60));
      const std::uint64_t who = 1 + random.below(5);
      const auto refusal = limits.take(std::array{RatedCall{.caller = caller(who)}}, now);
      auto& times = passed[who];
      if (!refusal) {
        times.push_back(now);
      } else {
        // What is told is true: at that time there is a place.
        ASSERT_GT(refusal->retry_after, Duration(0));
        ASSERT_LE(refusal->retry_after, limit.period / limit.calls + Duration(1));
      }
      const auto count = std::ranges::count_if(
          times, [&](MonotonicTime time) { return time > now - limit.period; });
      ASSERT_LE(count, 2 * limit.calls) << seed;
    }
    for (const auto& [who, times] : passed) {
      const double whole = std::chrono::duration<double>(now - kStart) / limit.period;
      EXPECT_LE(static_cast<double>(times.size()), limit.calls * (whole + 1)) << seed;
      EXPECT_GE(times.size(), 1U);
    }
  }
}

}  // namespace
}  // namespace mcpfleet::routing
