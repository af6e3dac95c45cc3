#include "metrics-adapter/options.h"

#include <charconv>

#include "base/quantity.h"
#include "base/time_text.h"
#include "kube/paths.h"
#include "metrics/series_answer.h"

namespace mcpfleet::adapter {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// Longer than any program runs, and far from overflowing.
constexpr Duration kForever = hours(24 * 365 * 100);

using Set = Result<void> (*)(Options& options, const std::string& value);

Result<void> set_text(std::string& field, const std::string& value) {
  if (value.empty()) return fail(ErrorKind::Invalid, "must not be empty");
  field = value;
  return {};
}

Result<void> set_listen(ListenAddress& field, const std::string& value) {
  const auto colon = value.rfind(':');
  std::uint16_t port = 0;
  if (colon != std::string::npos) {
    const char* end = value.data() + value.size();
    const auto [stop, error] = std::from_chars(value.data() + colon + 1, end, port);
    if (error == std::errc{} && stop == end && colon > 0) {
      field = {value.substr(0, colon), port};
      return {};
    }
  }
  return fail(ErrorKind::Invalid, "must be an address and port such as 0.0.0.0:6443");
}

Result<void> set_duration(Duration& field, const std::string& value, Duration least,
                          Duration most) {
  auto duration = parse_duration(value);
  if (!duration) return fail(duration.error());
  if (*duration < least || *duration > most)
    return fail(ErrorKind::Invalid,
                "must be between " + format_duration(least) + " and " + format_duration(most));
  field = *duration;
  return {};
}

Result<void> set_list(std::vector<std::string>& field, const std::string& value) {
  field.clear();
  std::size_t at = 0;
  while (at <= value.size()) {
    const auto comma = std::min(value.find(',', at), value.size());
    if (comma > at) field.push_back(value.substr(at, comma - at));
    at = comma + 1;
  }
  return {};
}

Result<void> set_lease(Options& options, const std::string& value) {
  const auto slash = value.find('/');
  const bool two = slash != std::string::npos && slash > 0 && slash + 1 < value.size() &&
                   value.find('/', slash + 1) == std::string::npos;
  if (!value.empty() && !two) return fail(ErrorKind::Invalid, "must be NAMESPACE/NAME, or empty");
  options.operator_lease_namespace = two ? value.substr(0, slash) : "";
  options.operator_lease_name = two ? value.substr(slash + 1) : "";
  return {};
}

Result<void> set_number(std::uint64_t& field, const std::string& value, std::uint64_t least,
                        std::uint64_t most) {
  std::uint64_t number = 0;
  const char* end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, number);
  if (error != std::errc{} || stop != end || number < least || number > most)
    return fail(ErrorKind::Invalid, "must be a whole number between " + std::to_string(least) +
                                        " and " + std::to_string(most));
  field = number;
  return {};
}

Result<void> set_bool(bool& field, const std::string& value) {
  if (value != "true" && value != "false") return fail(ErrorKind::Invalid, "must be true or false");
  field = value == "true";
  return {};
}

// "METRIC=DURATION|forever,…"
Result<void> set_hold(Options& options, const std::string& value) {
  std::vector<std::string> entries;
  if (auto read = set_list(entries, value); !read) return read;
  options.hold.clear();
  for (const auto& entry : entries) {
    const auto equals = entry.find('=');
    const auto metric = entry.substr(0, equals);
    if (equals == std::string::npos || !metrics::is_metric_name(metric))
      return fail(ErrorKind::Invalid,
                  "must be METRIC=DURATION or METRIC=forever, not '" + entry.substr(0, 64) + "'");
    Duration& age = options.hold[metric];
    if (entry.substr(equals + 1) == "forever") {
      age = kForever;
    } else if (auto set = set_duration(age, entry.substr(equals + 1), seconds(1), hours(24));
               !set) {
      return fail(set.error().context(metric));
    }
  }
  return {};
}

Result<void> set_bytes(std::size_t& field, const std::string& value) {
  constexpr std::int64_t kLeast = std::int64_t{1} << 20;
  auto milli = parse_quantity_milli(value);
  if (!milli) return fail(milli.error());
  if (*milli / 1000 < kLeast) return fail(ErrorKind::Invalid, "must be at least 1Mi");
  field = static_cast<std::size_t>(*milli / 1000);
  return {};
}

// The password may come from elsewhere and stays.
Result<void> set_redis(RedisAddress& field, const std::string& value) {
  auto address = parse_redis_url(value);
  if (!address) return fail(address.error());
  if (address->password.empty()) address->password = std::move(field.password);
  field = std::move(*address);
  return {};
}

template <typename T>
Result<void> take(T& field, Result<T> value) {
  if (!value) return fail(value.error());
  field = std::move(*value);
  return {};
}

struct Flag {
  std::string_view name;
  std::string_view help;
  Set set;
};

constexpr Flag kFlags[] = {
    {"--kubeconfig", "FILE: how to reach the cluster (default: in-cluster, then $KUBECONFIG)",
     [](Options& o, const std::string& v) { return set_text(o.kubeconfig, v); }},
    {"--namespace", "NS: own namespace (default: $POD_NAMESPACE, then mcpfleet-system)",
     [](Options& o, const std::string& v) { return set_text(o.namespace_, v); }},
    {"--watch-namespaces", "A,B: only MCPServers in these namespaces (default: all of the cluster)",
     [](Options& o, const std::string& v) {
       return take(o.watch_namespaces, kube::parse_namespaces(v));
     }},
    {"--listen", "ADDRESS:PORT: the metrics API, TLS (default 0.0.0.0:6443)",
     [](Options& o, const std::string& v) { return set_listen(o.listen, v); }},
    {"--health-listen", "ADDRESS:PORT: probes and own metrics, plain HTTP (default 0.0.0.0:8080)",
     [](Options& o, const std::string& v) { return set_listen(o.health_listen, v); }},
    {"--service-name", "NAME: the Service in front of --listen (default mcp-metrics-adapter)",
     [](Options& o, const std::string& v) { return set_text(o.service_name, v); }},
    {"--api-services", "NAME,NAME: the APIServices whose caBundle is kept right; may be empty",
     [](Options& o, const std::string& v) { return set_list(o.api_services, v); }},
    {"--tls-secret",
     "NAME: the Secret of the serving certificate (default mcp-metrics-adapter-tls)",
     [](Options& o, const std::string& v) { return set_text(o.tls_secret, v); }},
    {"--operator-lease",
     "NAMESPACE/NAME: recommendations are stale once this Lease has expired (default: never)",
     set_lease},
    {"--scrape-interval", "DURATION: how often each pod is scraped (default 1s)",
     [](Options& o, const std::string& v) {
       return set_duration(o.scrape_interval, v, milliseconds(200), seconds(60));
     }},
    {"--window", "DURATION: what rates and latencies cover (default 30s)",
     [](Options& o, const std::string& v) {
       return set_duration(o.window, v, seconds(2), hours(1));
     }},
    {"--max-age", "DURATION: older data gives no value (default 10s)",
     [](Options& o, const std::string& v) {
       return set_duration(o.max_age, v, seconds(1), hours(1));
     }},
    {"--hold",
     "METRIC=DURATION,METRIC=forever: of these metrics the last value is served up to that age",
     set_hold},
    {"--min-samples", "NUMBER: requests in the window that a quantile needs (default 5)",
     [](Options& o, const std::string& v) { return set_number(o.min_samples, v, 1, 1'000'000); }},
    {"--annotated-pods",
     "true|false: scrape any pod with annotation mcpfleet.dev/scrape, which needs a watch of all "
     "pods (default true)",
     [](Options& o, const std::string& v) { return set_bool(o.annotated_pods, v); }},
    {"--max-series",
     "NUMBER: series of other metrics than mcp_… that are kept at most (default 200000)",
     [](Options& o, const std::string& v) { return set_number(o.max_series, v, 0, 100'000'000); }},
    {"--history", "true|false: whether the past of metrics is kept (default true)",
     [](Options& o, const std::string& v) { return set_bool(o.history.enabled, v); }},
    {"--history-details", "true|false: that of pods and tools, too (default true)",
     [](Options& o, const std::string& v) { return set_bool(o.history.details, v); }},
    {"--history-fine", "DURATION: for how long each sample is kept (default 5m)",
     [](Options& o, const std::string& v) {
       return set_duration(o.history.fine, v, Duration{0}, hours(1));
     }},
    {"--history-raw", "DURATION: for how long one sample of 5 s is kept (default 1h)",
     [](Options& o, const std::string& v) {
       return set_duration(o.history.raw, v, minutes(1), hours(1));
     }},
    {"--history-minutes", "DURATION: for how long aggregates of minutes are kept (default 24h)",
     [](Options& o, const std::string& v) {
       return set_duration(o.history.minutes, v, Duration{0}, hours(48));
     }},
    {"--history-max-bytes", "QUANTITY: the memory that all of that may take (default 256Mi)",
     [](Options& o, const std::string& v) { return set_bytes(o.history.max_bytes, v); }},
    {"--redis-url",
     "redis://[:PASSWORD@]HOST[:PORT][/DATABASE]: keeps the past over a restart; the password may "
     "also be in $REDIS_PASSWORD (default: no Redis)",
     [](Options& o, const std::string& v) { return set_redis(o.history.redis, v); }},
    {"--redis-key-prefix", "TEXT: in front of all keys in Redis (default mcpfleet:history:)",
     [](Options& o, const std::string& v) { return set_text(o.history.redis_key_prefix, v); }},
    {"--prometheus-url", "URL: also serve metrics of this Prometheus server (default: none)",
     [](Options& o, const std::string& v) { return set_text(o.prometheus_url, v); }},
    {"--prometheus-rules", "FILE: which of them, and as what; prometheus-adapter's rules file",
     [](Options& o, const std::string& v) { return set_text(o.prometheus_rules, v); }},
    {"--prometheus-ca-file", "FILE: trust these authorities for https (default: the system's)",
     [](Options& o, const std::string& v) { return set_text(o.prometheus_ca_file, v); }},
    {"--prometheus-token-file", "FILE: the bearer token for Prometheus (default: none)",
     [](Options& o, const std::string& v) { return set_text(o.prometheus_token_file, v); }},
    {"--prometheus-relist-interval", "DURATION: how often its series are read (default 1m)",
     [](Options& o, const std::string& v) {
       return set_duration(o.prometheus_relist_interval, v, seconds(1), hours(1));
     }},
    {"--prometheus-timeout", "DURATION: for one question to it (default 5s)",
     [](Options& o, const std::string& v) {
       return set_duration(o.prometheus_timeout, v, milliseconds(100), seconds(60));
     }},
    {"--log-format", "text|json (default text)",
     [](Options& o, const std::string& v) { return take(o.log_format, log::parse_format(v)); }},
    {"--log-level", "debug|info|warn|error (default info)",
     [](Options& o, const std::string& v) { return take(o.log_level, log::parse_level(v)); }},
};

const Flag* find_flag(std::string_view name) {
  for (const auto& flag : kFlags)
    if (flag.name == name) return &flag;
  return nullptr;
}

Result<Options> check(Options options) {
  if (options.max_age < 2 * options.scrape_interval)
    return fail(ErrorKind::Invalid, "--max-age must be at least twice --scrape-interval");
  if (options.window < 2 * options.scrape_interval)
    return fail(ErrorKind::Invalid, "--window must be at least twice --scrape-interval");
  for (const auto& [metric, age] : options.hold)
    if (age < options.max_age)
      return fail(ErrorKind::Invalid, "--hold " + metric + " must not be shorter than --max-age");
  if (options.history.fine > options.history.raw)
    return fail(ErrorKind::Invalid, "--history-fine must not be longer than --history-raw");
  if (options.prometheus_url.empty() != options.prometheus_rules.empty())
    return fail(ErrorKind::Invalid, "--prometheus-url and --prometheus-rules go together");
  return options;
}

}  // namespace

Result<Options> parse_options(const std::vector<std::string>& arguments,
                              const Environment& environment) {
  Options options;
  if (const auto value = environment("POD_NAMESPACE"); value && !value->empty())
    options.namespace_ = *value;
  if (const auto value = environment("REDIS_PASSWORD")) options.history.redis.password = *value;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto& argument = arguments[i];
    const auto equals = argument.find('=');
    const auto name = argument.substr(0, equals);
    const Flag* flag = find_flag(name);
    if (flag == nullptr)
      return fail(ErrorKind::Invalid, "unknown flag " + name + "; --help lists them");
    if (equals == std::string::npos && i + 1 == arguments.size())
      return fail(ErrorKind::Invalid, name + " needs a value");
    const auto value = equals == std::string::npos ? arguments[++i] : argument.substr(equals + 1);
    auto set = flag->set(options, value);
    if (!set) return fail(set.error().kind, name + " " + set.error().message);
  }
  return check(std::move(options));
}

std::string usage() {
  std::string text =
      "mcp-metrics-adapter: scrapes the pods of MCP servers and serves custom.metrics.k8s.io\n";
  for (const auto& flag : kFlags)
    text += "  " + std::string(flag.name) + " " + std::string(flag.help) + "\n";
  return text;
}

}  // namespace mcpfleet::adapter
