#include "operator/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace mcpfleet::op {
namespace {

using ::testing::HasSubstr;

Result<Options> parse(std::vector<std::string> arguments,
                      std::map<std::string, std::string> environment = {}) {
  return parse_options(arguments, [&](const char* name) { return environment[name]; });
}

TEST(Options, Defaults) {
  const auto options = parse({});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->namespace_, "mcpfleet-system");
  EXPECT_EQ(options->listen_address, "0.0.0.0");
  EXPECT_EQ(options->listen_port, 8080);
  EXPECT_EQ(options->workers, 4);
}

TEST(Options, AFlagBeatsTheEnvironment) {
  const std::map<std::string, std::string> environment{{"POD_NAMESPACE", "env"},
                                                       {"MCPFLEET_SIDECAR_IMAGE", "env:1"}};
  auto options = parse({"--namespace=flag"}, environment);
  ASSERT_TRUE(options);
  EXPECT_EQ(options->namespace_, "flag");
  EXPECT_EQ(options->sidecar_image, "env:1");
}

TEST(Options, BothSpellings) {
  const auto options = parse({"--listen", "127.0.0.1:0", "--workers=2", "--log-format", "json",
                              "--sidecar-pull-policy=Never", "--kubeconfig", "k"});
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->listen_address, "127.0.0.1");
  EXPECT_EQ(options->listen_port, 0);
  EXPECT_EQ(options->workers, 2);
  EXPECT_EQ(options->log_format, log::Format::Json);
  EXPECT_EQ(options->sidecar_pull_policy, "Never");
  EXPECT_EQ(options->kubeconfig, "k");
}

TEST(Options, RefusalsNameTheFlag) {
  const struct {
    std::vector<std::string> arguments;
    const char* want;
  } kCases[] = {
      {{"--nonsense"}, "--nonsense"},
      {{"--listen"}, "--listen needs a value"},
      {{"--listen=80"}, "--listen"},
      {{"--listen=a:b"}, "--listen"},
      {{"--listen=a:70000"}, "--listen"},
      {{"--workers=0"}, "--workers"},
      {{"--workers=2x"}, "--workers"},
      {{"--log-format=xml"}, "--log-format"},
      {{"--log-level=loud"}, "--log-level"},
      {{"--sidecar-pull-policy=Maybe"}, "Maybe"},
      {{"word"}, "word"},
  };
  for (const auto& c : kCases) {
    const auto options = parse(c.arguments);
    ASSERT_FALSE(options) << c.arguments[0];
    EXPECT_THAT(options.error().message, HasSubstr(c.want));
  }
}

}  // namespace
}  // namespace mcpfleet::op
