#include "metrics-adapter/options.h"

#include <gtest/gtest.h>

namespace mcpfleet::adapter {
namespace {

std::optional<std::string> no_environment(const std::string&) { return std::nullopt; }

TEST(OptionsTest, FlagBeforeEnvironmentBeforeDefault) {
  const auto environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "POD_NAMESPACE") return "from-pod";
    return std::nullopt;
  };
  EXPECT_EQ(parse_options({}, no_environment)->namespace_, "mcpfleet-system");
  EXPECT_EQ(parse_options({}, environment)->namespace_, "from-pod");
  EXPECT_EQ(parse_options({"--namespace", "mine"}, environment)->namespace_, "mine");
  EXPECT_EQ(parse_options({"--namespace=mine"}, environment)->namespace_, "mine");
}

TEST(OptionsTest, ReadsEveryFlag) {
  const auto options = parse_options({"--kubeconfig=/k",
                                      "--listen",
                                      "127.0.0.1:1",
                                      "--health-listen=127.0.0.1:0",
                                      "--service-name=s",
                                      "--api-services=a,b,",
                                      "--tls-secret",
                                      "t",
                                      "--operator-lease=ns/op",
                                      "--watch-namespaces=a,b",
                                      "--scrape-interval",
                                      "500ms",
                                      "--window=1m",
                                      "--max-age=5s",
                                      "--log-format=json",
                                      "--log-level=debug",
                                      "--prometheus-url=http://p:9090",
                                      "--prometheus-rules=/r",
                                      "--prometheus-ca-file=/c",
                                      "--prometheus-token-file=/t",
                                      "--prometheus-relist-interval=30s",
                                      "--prometheus-timeout=2s"},
                                     no_environment);
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->kubeconfig, "/k");
  EXPECT_EQ(options->listen.address, "127.0.0.1");
  EXPECT_EQ(options->listen.port, 1);
  EXPECT_EQ(options->health_listen.port, 0);
  EXPECT_EQ(options->service_name, "s");
  EXPECT_EQ(options->api_services, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(options->tls_secret, "t");
  EXPECT_EQ(options->operator_lease_namespace, "ns");
  EXPECT_EQ(options->operator_lease_name, "op");
  EXPECT_EQ(options->watch_namespaces, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(parse_options({"--operator-lease="}, no_environment)->operator_lease_name.empty());
  EXPECT_EQ(options->scrape_interval, std::chrono::milliseconds(500));
  EXPECT_EQ(options->window, std::chrono::minutes(1));
  EXPECT_EQ(options->max_age, std::chrono::seconds(5));
  EXPECT_EQ(options->prometheus_url, "http://p:9090");
  EXPECT_EQ(options->prometheus_rules, "/r");
  EXPECT_EQ(options->prometheus_ca_file, "/c");
  EXPECT_EQ(options->prometheus_token_file, "/t");
  EXPECT_EQ(options->prometheus_relist_interval, std::chrono::seconds(30));
  EXPECT_EQ(options->prometheus_timeout, std::chrono::seconds(2));
  EXPECT_EQ(options->log_format, log::Format::Json);
  EXPECT_EQ(options->log_level, log::Level::Debug);
  EXPECT_TRUE(parse_options({"--api-services="}, no_environment)->api_services.empty());
}

TEST(OptionsTest, NamesTheFlagThatIsWrong) {
  const struct {
    std::vector<std::string> arguments;
    const char* want;
  } cases[] = {
      {{"--nope"}, "unknown flag --nope; --help lists them"},
      {{"serve"}, "unknown flag serve; --help lists them"},
      {{"--listen"}, "--listen needs a value"},
      {{"--listen", "6443"}, "--listen must be an address and port such as 0.0.0.0:6443"},
      {{"--listen=a:70000"}, "--listen must be an address and port such as 0.0.0.0:6443"},
      {{"--operator-lease=op"}, "--operator-lease must be NAMESPACE/NAME, or empty"},
      {{"--operator-lease=ns/"}, "--operator-lease must be NAMESPACE/NAME, or empty"},
      {{"--operator-lease=a/b/c"}, "--operator-lease must be NAMESPACE/NAME, or empty"},
      {{"--watch-namespaces=A"},
       "--watch-namespaces must be names of namespaces, separated by commas, not \"A\""},
      {{"--window=x"}, "--window must be a duration such as 300s, not negative"},
      {{"--scrape-interval=1ms"}, "--scrape-interval must be between 200ms and 60s"},
      {{"--tls-secret="}, "--tls-secret must not be empty"},
      {{"--scrape-interval=8s"}, "--max-age must be at least twice --scrape-interval"},
      {{"--prometheus-url=http://p"}, "--prometheus-url and --prometheus-rules go together"},
      {{"--prometheus-rules=/r"}, "--prometheus-url and --prometheus-rules go together"},
      {{"--prometheus-timeout=0s"}, "--prometheus-timeout must be between 100ms and 60s"},
      {{"--scrape-interval=3s", "--window=4s"},
       "--window must be at least twice --scrape-interval"},
  };
  for (const auto& test : cases) {
    const auto options = parse_options(test.arguments, no_environment);
    ASSERT_FALSE(options) << test.want;
    EXPECT_EQ(options.error().message, test.want);
  }
}

TEST(OptionsTest, HelpNamesEveryFlag) {
  for (const char* flag : {"--kubeconfig", "--listen", "--api-services", "--max-age"})
    EXPECT_NE(usage().find(flag), std::string::npos) << flag;
}

}  // namespace
}  // namespace mcpfleet::adapter
