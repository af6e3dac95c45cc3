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
