// Questions to a Prometheus server.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace mcpfleet::adapter::promql {

struct ClientOptions {
  std::string url;         // "https://prometheus.monitoring.svc:9090/prefix"
  std::string ca_file;     // PEM; empty: the system's roots. Read again for each connection
  std::string token_file;  // a bearer token, read again as it is rotated; empty: none
  Duration timeout = std::chrono::seconds(5);  // of a whole call
};

struct Parameter {
  std::string_view name;
  std::string value;
};

// Thread safety: any thread. Calls wait, at most for the timeout.
class PrometheusClient {
 public:
  // Error: Invalid (a URL or CA file that cannot be used), never a failed connection.
  static Result<std::unique_ptr<PrometheusClient>> create(const ClientOptions& options,
                                                          const Clock& clock);
  virtual ~PrometheusClient() = default;

  // GET of an endpoint such as "/api/v1/query": the body of a 2xx. Nothing but GET is ever sent,
  // since it may be sent twice. Errors: TooLarge (the question, or an answer over `max_bytes`),
  // Timeout, Unavailable, Internal (Prometheus refuses the question, with its reason).
  virtual Result<std::string> get(std::string_view endpoint,
                                  const std::vector<Parameter>& parameters,
                                  std::size_t max_bytes) = 0;
};

}  // namespace mcpfleet::adapter::promql
