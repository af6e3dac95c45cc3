#include "tools/mcp-simulate/simulate_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mcpfleet::tools {
namespace {

using ::testing::HasSubstr;
using Words = std::vector<std::string>;

TEST(SimulateOptions, Defaults) {
  const auto options = parse_simulate_options({});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->trace, "steps");
  EXPECT_EQ(options->policy, "mcpfleet-hpa");
  EXPECT_EQ(options->workload.pod.rate(), 100);
  EXPECT_EQ(options->fleet, 0);
  EXPECT_FALSE(options->compare);
}

TEST(SimulateOptions, BothSpellings) {
  const auto options = parse_simulate_options(
      {"--server=s.yaml", "--trace", "day:peak=5", "--scale=2.5", "--spread", "3s", "--compare",
       "--json", "--report=r.html", "--service-time", "250ms", "--start-up=1m", "--quantile=0.99",
       "--timeout", "10s", "--seed", "7", "--policy=knative"});
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->server, "s.yaml");
  EXPECT_EQ(options->trace, "day:peak=5");
  EXPECT_EQ(options->scale, 2.5);
  EXPECT_EQ(options->spread, 3);
  EXPECT_TRUE(options->compare);
  EXPECT_TRUE(options->json);
  EXPECT_EQ(options->report, "r.html");
  EXPECT_EQ(options->workload.pod.service_seconds, 0.25);
  EXPECT_EQ(options->workload.pod.start_seconds, 60);
  EXPECT_EQ(options->workload.objective.share, 0.99);
  EXPECT_EQ(options->workload.objective.timeout_seconds, 10);
  EXPECT_EQ(options->seed, 7U);
  EXPECT_EQ(options->policy, "knative");
}

TEST(SimulateOptions, RefusesByName) {
  struct Case {
    Words words;
    const char* message;
  };
  for (const auto& [words, message] : std::vector<Case>{
           {{"--speed", "1"}, "unknown flag --speed; see --help"},
           {{"trace.csv"}, "unknown flag trace.csv; see --help"},
           {{"--trace"}, "--trace needs a value"},
           {{"--trace="}, "--trace must not be empty"},
           {{"--scale", "-1"}, "--scale must be a number from 0.000001 to 1000000, not \"-1\""},
           {{"--scale", "nan"}, "--scale must be a number from 0.000001 to 1000000, not \"nan\""},
           {{"--spread=1500ms"}, "--spread must be whole seconds, at most 3600s, not \"1500ms\""},
           {{"--policy", "magic"}, "--policy must be one of mcpfleet-hpa, mcpfleet-operator"},
           {{"--start-up", "1h"}, "--start-up must be whole seconds, at most 600s, not \"1h\""},
           {{"--service-time", "0s"}, "the service time in seconds must be from 0.0001 to 3600"},
           {{"--timeout=5m"}, "the timeout in seconds must be from 1 to 120, not 300"},
           {{"--fleet", "0"}, "--fleet must be a number from 1 to 1000000, not \"0\""},
           {{"--fleet", "5", "--compare"}, "--compare is for one trace, and --fleet has none"},
           {{"--fleet=5", "--report=x"}, "--report is for one trace, and --fleet has none"},
           {{"--fleet=5", "--series=x"}, "--series is for one trace, and --fleet has none"},
           {{"--fleet=5", "--policy=oracle"}, "--policy oracle needs to know the trace"}}) {
    const auto options = parse_simulate_options(words);
    ASSERT_FALSE(options) << words[0];
    EXPECT_THAT(options.error().message, HasSubstr(message));
  }
}

TEST(SimulateOptions, HelpIsNotRefused) {
  const auto options = parse_simulate_options({"--help", "--fleet", "3", "--compare"});
  ASSERT_TRUE(options);
  EXPECT_TRUE(options->help);
}

}  // namespace
}  // namespace mcpfleet::tools
