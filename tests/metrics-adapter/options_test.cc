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

TEST(OptionsTest, TheRedisPasswordComesFromTheEnvironment) {
  const auto environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "REDIS_PASSWORD") return "s3cret";
    return std::nullopt;
  };
  const auto password = [&environment](const char* url) {
    return parse_options({"--redis-url", url}, environment)->history.redis.password;
  };
  EXPECT_EQ(password("redis://host"), "s3cret");
  EXPECT_EQ(password("redis://:other@host"), "other");
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
                                      "--history=false",
                                      "--history-details=false",
                                      "--history-fine=1m",
                                      "--history-raw=30m",
                                      "--history-minutes=2h",
                                      "--history-max-bytes=64Mi",
                                      "--redis-url=redis://:p@redis:7000/2",
                                      "--redis-key-prefix=mine:",
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
  EXPECT_FALSE(options->history.enabled);
  EXPECT_FALSE(options->history.details);
  EXPECT_EQ(options->history.fine, std::chrono::minutes(1));
  EXPECT_EQ(options->history.raw, std::chrono::minutes(30));
  EXPECT_EQ(options->history.minutes, std::chrono::hours(2));
  EXPECT_EQ(options->history.max_bytes, std::size_t{64} << 20);
  EXPECT_EQ(options->history.redis, (RedisAddress{"redis", 7000, 2, "", "p"}));
  EXPECT_EQ(options->history.redis_key_prefix, "mine:");
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

TEST(OptionsTest, ReadsWhatIsKeptAndHeld) {
  const auto options =
      parse_options({"--hold=mcp_active_sessions=2m,depth=forever", "--min-samples=20",
                     "--annotated-pods=false", "--max-series", "7"},
                    no_environment);
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->hold.at("mcp_active_sessions"), std::chrono::minutes(2));
  EXPECT_GT(options->hold.at("depth"), std::chrono::hours(24 * 365));
  EXPECT_EQ(options->min_samples, 20u);
  EXPECT_FALSE(options->annotated_pods);
  EXPECT_EQ(options->max_series, 7u);
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
      {{"--hold=depth"}, "--hold must be METRIC=DURATION or METRIC=forever, not 'depth'"},
      {{"--hold=a-b=2m"}, "--hold must be METRIC=DURATION or METRIC=forever, not 'a-b=2m'"},
      {{"--hold=depth=x"}, "--hold depth: must be a duration such as 300s, not negative"},
      {{"--hold=depth=3s"}, "--hold depth must not be shorter than --max-age"},
      {{"--min-samples=0"}, "--min-samples must be a whole number between 1 and 1000000"},
      {{"--annotated-pods=yes"}, "--annotated-pods must be true or false"},
      {{"--tls-secret="}, "--tls-secret must not be empty"},
      {{"--scrape-interval=8s"}, "--max-age must be at least twice --scrape-interval"},
      {{"--history=yes"}, "--history must be true or false"},
      {{"--history-raw=2h"}, "--history-raw must be between 60s and 3600s"},
      {{"--history-raw=1m"}, "--history-fine must not be longer than --history-raw"},
      {{"--history-max-bytes=10k"}, "--history-max-bytes must be at least 1Mi"},
      {{"--redis-url=redis:6379"},
       "--redis-url must be redis://[:PASSWORD@]HOST[:PORT][/DATABASE]"},
      {{"--redis-key-prefix="}, "--redis-key-prefix must not be empty"},
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
