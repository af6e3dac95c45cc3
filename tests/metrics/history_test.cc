#include "metrics/history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mcpfleet::metrics {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr Metric kRate = Metric::RequestsPerSecond;

WallTime at(int second) { return WallTime{seconds(1'767'225'600 + second)}; }

HistoryKey server(std::string name, std::string namespace_ = "ns") {
  return {"mcpservers.mcpfleet.dev", std::move(namespace_), std::move(name), "", ""};
}

HistoryKey tool(std::string name, std::string tool) {
  return {"mcpservers.mcpfleet.dev", "ns", std::move(name), "tools/call", std::move(tool)};
}

HistoryKey pod(std::string name) { return {"pods", "ns", std::move(name), "", ""}; }

Reading rate(double value) {
  Reading reading{};
  reading[static_cast<std::size_t>(kRate)] = value;
  return reading;
}

std::vector<std::string> names(const History& history, const HistorySelection& of) {
  std::vector<std::string> found;
  history.visit(of, [&found](const HistoryKey& key, const ObjectHistory&) {
    found.push_back(key.name + (key.is_tool() ? "/" + key.tool : ""));
  });
  return found;
}

TEST(HistoryTest, SelectsByObjectAndTags) {
  History history({});
  for (const auto& key : {server("a"), server("b"), server("a", "other"), tool("a", "search"),
                          tool("a", "add"), tool("b", "add"), pod("a-1")})
    ASSERT_TRUE(history.record(key, at(0), rate(1)));
  const std::string_view servers = "mcpservers.mcpfleet.dev";
  const KindFilter any = [](auto, auto) { return true; };
  const KindFilter add = [](auto, auto name) { return name == "add"; };
  EXPECT_THAT(names(history, {servers, "ns", "", {}}), ElementsAre("a", "b"));
  EXPECT_THAT(names(history, {servers, "ns", "a", {}}), ElementsAre("a"));
  EXPECT_THAT(names(history, {servers, "ns", "a", any}), ElementsAre("a/add", "a/search"));
  EXPECT_THAT(names(history, {servers, "ns", "", add}), ElementsAre("a/add", "b/add"));
  EXPECT_THAT(names(history, {"pods", "ns", "", {}}), ElementsAre("a-1"));
  EXPECT_THAT(names(history, {servers, "none", "", {}}), ElementsAre());
}

TEST(HistoryTest, NothingIsKeptOfWhatHasNoValue) {
  History history({});
  EXPECT_TRUE(history.record(server("a"), at(0), Reading{}));
  EXPECT_EQ(history.objects(), 0u);
  EXPECT_EQ(history.bytes(), 0u);
}

TEST(HistoryTest, TheNewestIsRefusedAtEachBound) {
  const struct {
    HistoryLimits limits;
    std::vector<HistoryKey> fit;
    HistoryKey refused;
    const char* why;
  } cases[] = {
      {{.max_objects = 2},
       {server("a"), server("b")},
       server("c"),
       "histories are kept of 2 pods, servers and tools at most"},
      {{.max_tools = 2},
       {server("a"), tool("a", "x"), tool("a", "y"), tool("b", "z")},
       tool("a", "z"),
       "histories are kept of 2 tools of a server at most"},
      {{.max_bytes = 200'000},
       {server("a")},
       server("b"),
       "the 200000 bytes for histories are given out"},
      {{.max_bytes = 30'000},
       {pod("a"), pod("b")},
       pod("c"),
       "the 30000 bytes for histories are given out, as far as pods and tools may have them"},
  };
  for (const auto& test : cases) {
    History history(test.limits);
    for (const auto& key : test.fit) ASSERT_TRUE(history.record(key, at(0), rate(1))) << test.why;
    const auto refused = history.record(test.refused, at(0), rate(1));
    ASSERT_FALSE(refused) << test.why;
    EXPECT_EQ(refused.error().kind, ErrorKind::TooMany);
    EXPECT_EQ(refused.error().message, test.why);
    EXPECT_TRUE(history.record(test.fit.front(), at(1), rate(1))) << "those that are there go on";
  }
}

TEST(HistoryTest, WhatIsSetAsideComesBack) {
  History history({.max_bytes = 200'000});
  ASSERT_TRUE(history.record(server("a"), at(0), rate(1)));
  EXPECT_FALSE(history.record(server("b"), at(0), rate(1)));
  EXPECT_EQ(history.reset({"mcpservers.mcpfleet.dev", "ns", "a", {}}, std::nullopt), 1u);
  EXPECT_EQ(history.reserved_bytes(), 0u);
  EXPECT_TRUE(history.record(server("b"), at(0), rate(1)));
}

TEST(HistoryTest, ForgetsWhatIsIdleForAsLongAsItIsKept) {
  History history({});
  ASSERT_TRUE(history.record(server("a"), at(0), rate(1)));
  ASSERT_TRUE(history.record(pod("p"), at(0), rate(1)));
  EXPECT_EQ(history.forget_idle(at(0) + minutes(15)), 0u);
  EXPECT_EQ(history.forget_idle(at(0) + minutes(16)), 1u);
  EXPECT_EQ(history.find(pod("p")), nullptr);
  EXPECT_EQ(history.forget_idle(at(0) + hours(24)), 0u);
  EXPECT_EQ(history.forget_idle(at(0) + hours(25)), 1u);
}

TEST(HistoryTest, ResetsOneObjectOneMetricOrAll) {
  History history({});
  Reading both = rate(1);
  both[static_cast<std::size_t>(Metric::ErrorRatio)] = 0.5;
  for (const auto& key : {server("a"), server("b"), tool("a", "x"), pod("p")})
    ASSERT_TRUE(history.record(key, at(0), both));
  const std::string_view servers = "mcpservers.mcpfleet.dev";
  EXPECT_EQ(history.reset({servers, "ns", "b", {}}, kRate), 1u);
  EXPECT_TRUE(history.find(server("b"))->samples(kRate, at(0), at(9)).empty());
  EXPECT_FALSE(history.find(server("b"))->samples(Metric::ErrorRatio, at(0), at(9)).empty());
  EXPECT_EQ(history.reset({servers, "ns", "a", {}}, std::nullopt), 1u);
  EXPECT_EQ(history.find(server("a")), nullptr);
  EXPECT_EQ(history.find(tool("a", "x")), nullptr) << "its tools go with it";
  EXPECT_EQ(history.reset({servers, "ns", "", {}}, std::nullopt), 1u);
  EXPECT_EQ(history.objects(), 1u);
  EXPECT_EQ(history.reset({servers, "ns", "", {}}, std::nullopt), 0u);
}

TEST(HistoryTest, RanksObjects) {
  History history({});
  const struct {
    const char* name;
    std::vector<double> rates;
  } servers[] = {{"steady", {5, 5, 5}},
                 {"burst", {0, 0, 12}},
                 {"alike", {5, 5, 5}},
                 {"idle", {0, 0, 0}},
                 {"silent", {}}};
  for (const auto& one : servers) {
    ASSERT_TRUE(history.open(server(one.name)));
    for (std::size_t i = 0; i < one.rates.size(); ++i)
      ASSERT_TRUE(history.record(server(one.name), at(static_cast<int>(i)), rate(one.rates[i])));
  }
  const auto top = [&](AggregateField field, std::size_t limit, int from = 0) {
    std::vector<std::string> found;
    for (const auto& item : history.top({"mcpservers.mcpfleet.dev", "ns", "", {}}, kRate, at(from),
                                        at(9), Resolution::Raw, field, limit))
      found.push_back(item.key.name);
    return found;
  };
  EXPECT_THAT(top(AggregateField::Mean, 10), ElementsAre("alike", "steady", "burst", "idle"));
  EXPECT_THAT(top(AggregateField::Max, 2), ElementsAre("burst", "alike"));
  EXPECT_THAT(top(AggregateField::Last, 1), ElementsAre("burst"));
  EXPECT_THAT(top(AggregateField::Sum, 10, 1), ElementsAre("burst", "alike", "steady", "idle"));
  EXPECT_THAT(top(AggregateField::Min, 10, 3), ElementsAre());
}

TEST(HistoryTest, FieldsHaveWords) {
  const Aggregate of{4, 20, 1, 9, 2};
  const struct {
    const char* word;
    double want;
  } cases[] = {{"count", 4}, {"sum", 20}, {"avg", 5}, {"min", 1}, {"max", 9}, {"last", 2}};
  for (const auto& test : cases) {
    const auto field = parse_aggregate_field(test.word);
    ASSERT_TRUE(field) << test.word;
    EXPECT_EQ(field_of(of, *field), test.want) << test.word;
    EXPECT_EQ(to_string(*field), test.word);
  }
  EXPECT_FALSE(parse_aggregate_field("mean"));
}

// What docs/history.md says that it costs.
TEST(HistoryTest, StaysWithinWhatIsSetAside) {
  History history({});
  double seed = 0.37;
  const auto took = [&](const HistoryKey& key, bool busy) {
    const auto before = history.bytes();
    for (int second = 0; second < 90'000; second += second < 80'000 && busy ? 20 : 1) {
      Reading reading{};
      for (std::size_t i = 0; i < kMetricCount; ++i) {
        seed = seed * 3.99 * (1 - seed);
        const bool is_duration = i >= 1 && i <= 4;
        if (busy || !is_duration) reading[i] = busy ? 1 + seed : 0;
      }
      EXPECT_TRUE(history.record(key, at(second), reading));
    }
    return history.bytes() - before;
  };
  const auto busy = took(server("busy"), true);
  const auto idle = took(server("idle"), false);
  const auto one_pod = took(pod("pod"), true);
  RecordProperty("busy", static_cast<int>(busy));
  RecordProperty("idle", static_cast<int>(idle));
  RecordProperty("pod", static_cast<int>(one_pod));
  EXPECT_LE(history.bytes(), history.reserved_bytes());
  EXPECT_LT(busy, 150'000u);
  EXPECT_LT(idle, 6'000u);
  EXPECT_LT(one_pod, 7'000u);
}

}  // namespace
}  // namespace mcpfleet::metrics
