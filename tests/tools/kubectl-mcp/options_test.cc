#include "tools/kubectl-mcp/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mcpfleet::kubectl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Options, Explain) {
  const auto options = parse_options({"explain", "--context=c", "-n", "team", "search",
                                      "--kubeconfig", "k", "--server=u", "-o", "json"});
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->command, Command::Explain);
  EXPECT_EQ(options->context, "c");
  EXPECT_EQ(options->namespace_, "team");
  EXPECT_EQ(options->kubeconfig, "k");
  EXPECT_EQ(options->server, "u");
  EXPECT_THAT(options->names, ElementsAre("search"));
  EXPECT_TRUE(options->json);
}

TEST(Options, Top) {
  const auto options = parse_options({"top", "-A", "--once", "--sort=p95", "--interval", "2s"});
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->command, Command::Top);
  EXPECT_TRUE(options->all_namespaces);
  EXPECT_TRUE(options->once);
  EXPECT_EQ(options->sort, Sort::P95);
  EXPECT_EQ(options->interval, std::chrono::seconds(2));
}

TEST(Options, TopOfSome) {
  EXPECT_THAT(parse_options({"top", "a", "-nteam", "b"})->names, ElementsAre("a", "b"));
  EXPECT_EQ(parse_options({"top", "a", "-nteam", "b"})->namespace_, "team");
  EXPECT_EQ(parse_options({"top", "-n=team"})->namespace_, "team");
}

TEST(Options, Help) {
  EXPECT_EQ(parse_options({})->command, Command::Usage);
  EXPECT_EQ(parse_options({"--help"})->command, Command::Usage);
  EXPECT_EQ(parse_options({"help"})->command, Command::Usage);
  EXPECT_TRUE(parse_options({"explain", "-h"})->help);
  EXPECT_TRUE(parse_options({"top", "--help"})->help);
  EXPECT_TRUE(parse_options({"version", "--help"})->help);
  EXPECT_EQ(parse_options({"version"})->command, Command::Version);
}

TEST(Options, EachRefusalIsASentenceThatNamesTheFlag) {
  struct Case {
    std::vector<std::string> arguments;
    const char* want;
  };
  const Case cases[] = {
      {{"explain", "x", "--colour"}, "unknown flag --colour; see \"kubectl mcp explain --help\""},
      {{"explain", "x", "-A"}, "unknown flag -A"},
      {{"top", "-o", "json"}, "unknown flag -o"},
      {{"top", "--sorted=x"}, "unknown flag --sorted;"},
      {{"top", "-x"}, "unknown flag -x"},
      {{"version", "-n", "x"}, "unknown flag -n"},
      {{"-n", "x", "top"}, "unknown flag -n; flags come after the command"},
      {{"advise"}, "unknown command \"advise\"; there are explain, top and version"},
      {{"explain"}, "explain needs the name of one MCPServer"},
      {{"explain", "a", "b"}, "explain needs the name of one MCPServer"},
      {{"explain", "x", "-o", "yaml"}, "-o must be json, not \"yaml\""},
      {{"explain", "x", "--namespace"}, "--namespace needs a value"},
      {{"explain", "x", "--namespace="}, "--namespace must not be empty"},
      {{"top", "--sort", "cpu"}, "--sort must be rate, p95, inflight, sessions or name"},
      {{"top", "--interval=1"}, "--interval must be a duration from 200ms to 1h"},
      {{"top", "--interval=1ms"}, "--interval must be a duration from 200ms to 1h"},
      {{"top", "--once=maybe"}, "--once takes no value"},
      {{"top", "x", "-A"}, "leave out -A or the names"},
      {{"version", "x"}, "version takes no argument"},
  };
  for (const auto& c : cases) {
    const auto options = parse_options(c.arguments);
    ASSERT_FALSE(options) << c.want;
    EXPECT_EQ(options.error().kind, ErrorKind::Invalid);
    EXPECT_THAT(options.error().message, HasSubstr(c.want));
  }
}

TEST(Options, AFlagMayFollowHelp) { EXPECT_FALSE(parse_options({"top", "--help", "--nonsense"})); }

TEST(Options, EachUsageNamesItsCommand) {
  EXPECT_THAT(usage(Command::Explain), HasSubstr("kubectl mcp explain NAME"));
  EXPECT_THAT(usage(Command::Top), HasSubstr("kubectl mcp top [NAME...]"));
  EXPECT_THAT(usage(Command::Version), HasSubstr("kubectl mcp version"));
  EXPECT_THAT(usage(Command::Usage), HasSubstr("kubectl mcp top"));
}

}  // namespace
}  // namespace mcpfleet::kubectl
