// The program's flags.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "log/log.h"
#include "metrics-adapter/history/history_options.h"

namespace mcpfleet::adapter {

struct ListenAddress {
  std::string address;  // numeric
  std::uint16_t port = 0;
};

struct Options {
  std::string kubeconfig;  // empty: in-cluster, then $KUBECONFIG
  std::string namespace_ = "mcpfleet-system";
  std::vector<std::string> watch_namespaces;     // empty: all of the cluster
  ListenAddress listen{"0.0.0.0", 6443};         // the metrics API, TLS
  ListenAddress health_listen{"0.0.0.0", 8080};  // probes and own metrics, plain
  std::string service_name = "mcp-metrics-adapter";
  std::vector<std::string> api_services{"v1beta2.custom.metrics.k8s.io",
                                        "v1beta1.custom.metrics.k8s.io",
                                        "v1beta2.metrics.mcpfleet.dev"};
  std::string tls_secret = "mcp-metrics-adapter-tls";
  // Whose recommendations go stale with this Lease; an empty name: they do not.
  std::string operator_lease_namespace;
  std::string operator_lease_name;
  Duration scrape_interval = std::chrono::seconds(1);
  Duration window = std::chrono::seconds(30);
  Duration max_age = std::chrono::seconds(10);
  std::map<std::string, Duration, std::less<>> hold;  // of single metrics, instead of max_age
  std::uint64_t min_samples = 5;
  bool annotated_pods = true;
  std::size_t max_series = 200'000;
  HistoryOptions history;
  // A second source of metrics; an empty URL: none.
  std::string prometheus_url;
  std::string prometheus_rules;  // file
  std::string prometheus_ca_file;
  std::string prometheus_token_file;
  Duration prometheus_relist_interval = std::chrono::minutes(1);
  Duration prometheus_timeout = std::chrono::seconds(5);
  log::Format log_format = log::Format::Text;
  log::Level log_level = log::Level::Info;
};

using Environment = std::function<std::optional<std::string>(const std::string& name)>;

// Reads "--flag value" and "--flag=value"; what no flag says comes from the environment
// (POD_NAMESPACE, REDIS_PASSWORD), then from the defaults above. Error: Invalid, one sentence that
// names the flag.
Result<Options> parse_options(const std::vector<std::string>& arguments,
                              const Environment& environment);

// For --help.
std::string usage();

}  // namespace mcpfleet::adapter
