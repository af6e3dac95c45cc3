#include "gateway/gateway_flags.h"

#include <gtest/gtest.h>

namespace mcpfleet::gateway {
namespace {

using Words = std::vector<std::string>;

Result<Command> parse(const Words& words) {
  return parse_gateway_command(words, [](std::string_view name) -> std::optional<std::string> {
    if (name == "POD_NAME") return "gateway-1";
    return std::nullopt;
  });
}

TEST(GatewayFlags, HasTheDefaultsThatItsDeploymentCountsOn) {
  const auto command = parse({"--gateway", "team/front"});
  ASSERT_TRUE(command) << command.error().message;
  const auto& serve = std::get<ServeCommand>(*command);
  EXPECT_EQ(serve.routes.gateway->namespace_, "team");
  EXPECT_EQ(serve.routes.gateway->name, "front");
  EXPECT_EQ(serve.options.listen.port, 19080);
  EXPECT_EQ(serve.options.metrics_listen.port, 19090);
  EXPECT_EQ(serve.options.session_key_file, "/etc/mcpfleet/session/key");
  EXPECT_EQ(serve.options.name, "gateway-1");
  EXPECT_TRUE(serve.options.handle_signals);
}

TEST(GatewayFlags, TakesAllOfThem) {
  const auto command =
      parse({"--routes=/r", "--listen",           "127.0.0.1:1", "--metrics-listen",
             "127.0.0.1:2", "--tls-cert-file",    "/c",          "--tls-key-file",
             "/k",          "--session-key-file", "/s",          "--drain-timeout",
             "7s",          "--drain-grace",      "1s",          "--access-log-sample",
             "0",           "--log-format",       "json",        "--log-level",
             "warn"});
  ASSERT_TRUE(command) << command.error().message;
  const auto& serve = std::get<ServeCommand>(*command);
  EXPECT_EQ(serve.routes_file, "/r");
  EXPECT_EQ(serve.options.listen.ip, "127.0.0.1");
  EXPECT_EQ(serve.options.tls_certificate_file, "/c");
  EXPECT_EQ(serve.options.tls_key_file, "/k");
  EXPECT_EQ(serve.options.drain_timeout, std::chrono::seconds(7));
  EXPECT_EQ(serve.options.drain_grace, std::chrono::seconds(1));
  EXPECT_EQ(serve.options.access_log_sample, 0);
  EXPECT_EQ(serve.log_format, log::Format::Json);
  EXPECT_EQ(serve.log_level, log::Level::Warn);
  EXPECT_TRUE(std::holds_alternative<HelpCommand>(*parse({"--listen", "--help"})));
  EXPECT_TRUE(std::holds_alternative<VersionCommand>(*parse({"--version"})));
}

TEST(GatewayFlags, BadInputIsOneSentenceThatNamesTheFlag) {
  struct Case {
    Words words;
    const char* message;
  };
  for (const auto& [words, message] : {
           Case{{"--bogus"}, "unknown flag --bogus"},
           Case{{"serve"}, "unexpected argument \"serve\""},
           Case{{"--gateway", "front"}, "--gateway: \"front\" is not NAMESPACE/NAME"},
           Case{{"--gateway", "a/b/c"}, "--gateway: \"a/b/c\" is not NAMESPACE/NAME"},
           Case{{"--access-log-sample", "-1"},
                "--access-log-sample: \"-1\" is not a number up to 1000000000"},
           Case{{"--tls-cert-file", "/c"}, "--tls-cert-file and --tls-key-file belong together"},
           Case{{"--routes", "/r", "--gateway", "a/b"},
                "--routes stands alone, without --gateway and --watch-namespaces"},
           Case{{"--gateway", "a/b", "--watch-namespaces", "x"},
                "--watch-namespaces is not for --gateway: the MCPGateway says which"},
       }) {
    const auto command = parse(words);
    ASSERT_FALSE(command) << message;
    EXPECT_EQ(command.error().message, message);
  }
}

}  // namespace
}  // namespace mcpfleet::gateway
