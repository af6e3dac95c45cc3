#include "gateway/sidecar_flags.h"

#include <gtest/gtest.h>

namespace mcpfleet::sidecar {
namespace {

using Words = std::vector<std::string>;

Result<Command> parse(const Words& words) {
  return parse_command(words, [](std::string_view name) -> std::optional<std::string> {
    if (name == "POD_NAME") return "pod-1";
    if (name == "POD_IP") return "10.0.0.1";
    return std::nullopt;
  });
}

TEST(SidecarFlags, ServeHasDefaultsAndTakesBothSpellings) {
  const auto command = parse({"serve", "--upstream", "http://127.0.0.1:8080", "--path=/x",
                              "--listen", "[::1]:1", "--idle-timeout", "5m"});
  ASSERT_TRUE(command) << command.error().message;
  const auto& options = std::get<ServeCommand>(*command).options;
  EXPECT_EQ(options.upstream->port, 8080);
  EXPECT_EQ(options.path, "/x");
  EXPECT_EQ(options.listen.ip, "::1");
  EXPECT_EQ(options.listen.port, 1);
  EXPECT_EQ(options.metrics_listen.port, 19090);
  EXPECT_EQ(options.idle_timeout, std::chrono::minutes(5));
  EXPECT_EQ(options.drain_grace, std::chrono::seconds(5));
  EXPECT_EQ(options.pod_name, "pod-1");
  EXPECT_EQ(options.pod_ip, "10.0.0.1");
  EXPECT_TRUE(options.handle_signals);
}

TEST(SidecarFlags, TheCommandIsTakenAsItIs) {
  const auto command = parse(
      {"serve", "--max-processes=7", "--stdio", "--", "server", "--help", "--path", "", "--"});
  ASSERT_TRUE(command) << command.error().message;
  const auto& options = std::get<ServeCommand>(*command).options;
  EXPECT_EQ(options.command, (Words{"server", "--help", "--path", "", "--"}));
  EXPECT_EQ(options.max_links, 7u);
  EXPECT_EQ(options.path, "/mcp");
}

TEST(SidecarFlags, AServerOfTheOldTransportHasAPathOfItsOwn) {
  for (const auto& [url, path] :
       {std::pair("http://127.0.0.1:8000", "/sse"), std::pair("http://127.0.0.1:8000/", "/sse"),
        std::pair("http://127.0.0.1:8000/a/events?x=1", "/a/events?x=1")}) {
    const auto command = parse({"serve", "--sse-upstream", url, "--sse-mode", "shared"});
    ASSERT_TRUE(command) << command.error().message;
    const auto& options = std::get<ServeCommand>(*command).options;
    EXPECT_EQ(options.upstream->port, 8000);
    EXPECT_EQ(options.sse_path, path);
    EXPECT_EQ(options.path, "/mcp");
    EXPECT_EQ(options.bridge_mode, proxy::BridgeMode::Shared);
    EXPECT_EQ(options.max_links, 1000u);
  }
  const auto plain = parse({"serve", "--upstream", "http://127.0.0.1:8000"});
  EXPECT_EQ(std::get<ServeCommand>(*plain).options.sse_path, "");
}

TEST(SidecarFlags, OtherVerbs) {
  const auto drain = parse({"drain", "--socket", "/s", "--timeout", "7s"});
  ASSERT_TRUE(drain);
  EXPECT_EQ(std::get<DrainCommand>(*drain).socket, "/s");
  EXPECT_EQ(std::get<DrainCommand>(*drain).timeout, std::chrono::seconds(7));
  const auto install = parse({"install", "/x/y"});
  ASSERT_TRUE(install);
  EXPECT_EQ(std::get<InstallCommand>(*install).destination, "/x/y");
  EXPECT_TRUE(std::holds_alternative<HelpCommand>(*parse({"serve", "--help"})));
  EXPECT_TRUE(std::holds_alternative<VersionCommand>(*parse({"--version"})));
}

TEST(SidecarFlags, BadInputIsOneSentenceThatNamesTheFlag) {
  struct Case {
    Words words;
    const char* message;
  };
  for (const auto& [words, message] : {
           Case{{}, "say what to do: serve, drain, install, or --help"},
           Case{{"run"}, "unknown command \"run\"; there are serve, drain and install"},
           Case{{"serve"}, "serve needs one of --upstream, --sse-upstream and --stdio -- COMMAND"},
           Case{{"serve", "--upstream", "http://h:1", "--stdio", "--", "x"},
                "serve needs one of --upstream, --sse-upstream and --stdio -- COMMAND"},
           Case{{"serve", "--upstream", "http://h:1", "--sse-upstream", "http://h:1"},
                "serve needs one of --upstream, --sse-upstream and --stdio -- COMMAND"},
           Case{{"serve", "--sse-upstream", "https://h:1/sse"},
                "--sse-upstream: only http:// is possible"},
           Case{{"serve", "--sse-mode", "pooled"},
                "--sse-mode: \"pooled\" is none of perSession and shared"},
           Case{{"serve", "--stdio-mode", "one"},
                "--stdio-mode: \"one\" is none of perSession, shared and pooled"},
           Case{{"serve", "--bogus=1"}, "unknown flag --bogus"},
           Case{{"serve", "--path"}, "--path needs a value"},
           Case{{"serve", "--path="}, "--path: it is empty"},
           Case{{"serve", "x"}, "unexpected argument \"x\""},
           Case{{"serve", "--stdio"}, "--stdio must be followed by -- and the command to run"},
           Case{{"serve", "--stdio", "--"},
                "--stdio must be followed by -- and the command to run"},
           Case{{"serve", "--listen", "x:99999"},
                "--listen: \"99999\" is not a number up to 65535"},
           Case{{"serve", "--listen", "19080"}, "--listen: \"19080\" is not ADDRESS:PORT"},
           Case{{"serve", "--upstream", "https://h:1"}, "--upstream: only http:// is possible"},
           Case{{"serve", "--upstream", "http://h:1/x"},
                "--upstream: the path belongs into --path"},
           Case{{"serve", "--log-format", "xml"}, "--log-format: must be text or json"},
           Case{{"serve", "--max-processes", "0", "--stdio", "--", "x"},
                "--max-processes: it must be at least 1"},
           Case{{"serve", "--upstream", "http://h:1", "--path", "mcp"}, "--path must start with /"},
           Case{{"install"}, "install needs one destination"},
       }) {
    const auto command = parse(words);
    ASSERT_FALSE(command) << message;
    EXPECT_EQ(command.error().message, message);
  }
  EXPECT_EQ(parse({"drain", "--timeout", "soon"}).error().message.find("--timeout: "), 0u);
}

}  // namespace
}  // namespace mcpfleet::sidecar
