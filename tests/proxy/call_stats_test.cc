#include "proxy/call_stats.h"

#include <gtest/gtest.h>

#include "metrics/exposition_writer.h"

namespace mcpfleet::proxy {
namespace {

using std::chrono::milliseconds;

std::vector<mcp::Message> messages(std::string_view text) {
  mcp::MessageScanner scanner;
  EXPECT_TRUE(scanner.feed(text) && scanner.finish());
  return scanner.messages();
}

std::string exposition(const CallStats& stats) {
  metrics::ExpositionWriter out;
  stats.write(out);
  return out.text();
}

bool has(const CallStats& stats, std::string_view line) {
  return exposition(stats).find(std::string(line) + "\n") != std::string::npos;
}

const MonotonicTime kStart{std::chrono::hours(1)};

TEST(CallStats, CountsEachRequestOfABatchByItsAnswer) {
  CallStats stats;
  OpenCalls calls(stats, messages(R"([{"id":1,"method":"tools/call","params":{"name":"add"}},
                               {"id":2,"method":"tools/list"},{"method":"notifications/x"}])"),
                  kStart);
  EXPECT_TRUE(has(stats, "mcp_requests_in_flight 2"));
  calls.answered({"1", true}, kStart + milliseconds(10));
  calls.answered({"9", false}, kStart + milliseconds(10));  // nobody's
  EXPECT_TRUE(has(stats, "mcp_requests_in_flight 1"));
  calls.end_all(false, kStart + milliseconds(20));
  EXPECT_TRUE(calls.empty());
  EXPECT_TRUE(has(stats, R"(mcp_requests_total{method="tools/call",tool="add"} 1)"));
  EXPECT_TRUE(has(stats, R"(mcp_request_errors_total{method="tools/call",tool="add"} 1)"));
  EXPECT_TRUE(has(stats, R"(mcp_request_errors_total{method="tools/list",tool=""} 0)"));
  EXPECT_TRUE(
      has(stats, R"(mcp_request_duration_seconds_sum{method="tools/call",tool="add"} 0.01)"));
  EXPECT_TRUE(has(stats, "mcp_requests_in_flight 0"));
}

TEST(CallStats, AnUnansweredRequestIsAnError) {
  CallStats stats;
  {
    OpenCalls calls(stats, messages(R"({"id":1,"method":"ping"})"), SystemClock().monotonic());
  }
  EXPECT_TRUE(has(stats, R"(mcp_request_errors_total{method="ping",tool=""} 1)"));
  EXPECT_TRUE(has(stats, "mcp_requests_in_flight 0"));
}

TEST(CallStats, AnAnswerWithoutIdBelongsToTheOnlyRequest) {
  CallStats stats;
  OpenCalls one(stats, messages(R"({"id":1,"method":"ping"})"), kStart);
  one.answered({"", true}, kStart);
  EXPECT_TRUE(one.empty());
  OpenCalls two(stats, messages(R"([{"id":1,"method":"ping"},{"id":2,"method":"ping"}])"), kStart);
  two.answered({"", true}, kStart);
  EXPECT_FALSE(two.empty());
}

TEST(CallStats, KnowsItsPast) {
  CallStats stats;
  auto& add = stats.series("tools/call", "add");
  const auto ends = [&](int second, CallStats::Series& series, bool failed = false) {
    stats.begin();
    const auto now = kStart + std::chrono::seconds(second);
    stats.end(series, now - milliseconds(100), now, failed);
  };
  ends(0, add);
  ends(10, add, true);
  ends(10, stats.series("ping", ""));
  ends(20, add);
  const auto total = [&](int second, const char* text) {
    return has(stats.at(kStart + std::chrono::seconds(second)), text);
  };
  constexpr const char* kAdd = R"(mcp_requests_total{method="tools/call",tool="add"} )";
  EXPECT_TRUE(total(0, (std::string(kAdd) + "0").c_str()));
  EXPECT_TRUE(total(1, (std::string(kAdd) + "1").c_str()));
  EXPECT_TRUE(total(10, (std::string(kAdd) + "1").c_str()));
  EXPECT_TRUE(total(11, (std::string(kAdd) + "2").c_str()));
  EXPECT_TRUE(total(21, (std::string(kAdd) + "3").c_str()));
  EXPECT_TRUE(total(5, R"(mcp_request_errors_total{method="tools/call",tool="add"} 0)"));
  EXPECT_TRUE(total(15, R"(mcp_request_errors_total{method="tools/call",tool="add"} 1)"));
  EXPECT_TRUE(total(5, R"(mcp_requests_total{method="ping",tool=""} 0)"));
  EXPECT_TRUE(total(0, R"(mcp_request_duration_seconds_sum{method="tools/call",tool="add"} 0)"));
}

TEST(CallStats, ItsPastIsBounded) {
  CallStats stats;
  EXPECT_TRUE(stats.reaches(kStart - std::chrono::hours(1)));
  std::vector<CallStats::Series*> tools;
  for (int i = 0; i < 100; ++i)
    tools.push_back(&stats.series("tools/call", "t" + std::to_string(i)));
  const auto run = [&](int from, int to, std::size_t active) {
    for (int second = from; second < to; ++second) {
      for (std::size_t i = 0; i < active; ++i) {
        stats.begin();
        const auto now = kStart + std::chrono::seconds(second);
        stats.end(*tools[i], now, now, false);
      }
    }
    return kStart + std::chrono::seconds(to);
  };
  auto now = run(0, 1000, 1);
  EXPECT_TRUE(stats.reaches(now - std::chrono::seconds(299)));
  EXPECT_FALSE(stats.reaches(now - std::chrono::seconds(310)));
  EXPECT_TRUE(has(stats.at(now - std::chrono::seconds(100)),
                  R"(mcp_requests_total{method="tools/call",tool="t0"} 900)"));
  now = run(1000, 1100, 100);
  EXPECT_TRUE(stats.reaches(now - std::chrono::seconds(15)));
  EXPECT_FALSE(stats.reaches(now - std::chrono::seconds(40))) << "too much happened";
}

TEST(CallStats, ClientsCannotMakeSeriesWithoutBound) {
  CallStats stats;
  for (std::size_t i = 0; i < 1000; ++i) {
    stats.series("tools/call", "tool" + std::to_string(i)).durations.observe(1);
    stats.series("method" + std::to_string(i), "").durations.observe(1);
  }
  EXPECT_TRUE(has(stats, R"(mcp_requests_total{method="tools/call",tool="_other"} 872)"));
  EXPECT_TRUE(has(stats, R"(mcp_requests_total{method="_other",tool=""} 1000)"));
  EXPECT_FALSE(has(stats, R"(mcp_requests_total{method="tools/call",tool="tool128"} 1)"));
}

TEST(CallStats, AToolNameThatNoScraperTakesIsOther) {
  CallStats stats;
  for (const std::string& name :
       {std::string("\xff"), std::string("a\xc3"), std::string("\xc0\xaf"), std::string(129, 'x')})
    stats.series("tools/call", name).durations.observe(1);
  EXPECT_TRUE(has(stats, R"(mcp_requests_total{method="tools/call",tool="_other"} 4)"));
  stats.series("tools/call", "größe").durations.observe(1);
  EXPECT_TRUE(has(stats, R"(mcp_requests_total{method="tools/call",tool="größe"} 1)"));
}

}  // namespace
}  // namespace mcpfleet::proxy
