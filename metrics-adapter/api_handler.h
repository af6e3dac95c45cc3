// A request of the TLS port from its bytes to its answer: probes, identity, rights, then discovery
// or values.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "http/authentication.h"
#include "http/server.h"
#include "metrics-adapter/authorizer.h"
#include "metrics-adapter/discovery.h"
#include "metrics-adapter/history/history_api.h"
#include "metrics-adapter/metrics_api.h"
#include "metrics-adapter/openapi.h"
#include "metrics-adapter/own_metrics.h"
#include "metrics-adapter/probes.h"
#include "metrics-adapter/worker_pool.h"

namespace mcpfleet::adapter {

// Who asks and whether they may; the parts of Authenticator and Authorizer that a request needs.
struct Gatekeeper {
  std::function<std::optional<Result<http::Identity>>(const http::Request&)> identify_now;
  std::function<Result<http::Identity>(const http::Request&)> identify;
  std::function<std::optional<Result<void>>(const http::Identity&, const AccessRequest&)>
      authorize_now;
  std::function<Result<void>(const http::Identity&, const AccessRequest&)> authorize;
};

// Everything but the first question of somebody (10 s each), questions about the past, and what
// Prometheus is asked for, is answered on the server's thread. `history` may be null: no past is
// kept.
// Thread safety: handle() from any thread. Outlives the server and the pool.
class ApiHandler {
 public:
  ApiHandler(Gatekeeper gatekeeper, Sources sources, std::vector<Check> checks, const Clock& clock,
             WorkerPool& pool, OwnMetrics& metrics, const HistoryApi* history = nullptr)
      : gatekeeper_(std::move(gatekeeper)),
        sources_(sources),
        checks_(std::move(checks)),
        clock_(clock),
        pool_(pool),
        metrics_(metrics),
        history_(history) {
    if (sources_.prometheus != nullptr) answering_.emplace(kAnswering, kMaxAnswering);
  }

  void handle(http::Request request, http::Respond respond);

 private:
  struct Pending;
  // A Prometheus that hangs must keep nobody's identity, and no value of a pod, waiting.
  static constexpr std::size_t kAnswering = 8;
  static constexpr std::size_t kMaxAnswering = 1024;
  void wait_for(std::shared_ptr<Pending> pending);
  // Once it is allowed.
  void proceed(std::shared_ptr<Pending> pending);
  void finish(Pending& pending, http::Response response);
  // What is left when identity and rights are known.
  http::Response answer(const Pending& pending) const;

  const Gatekeeper gatekeeper_;
  const Sources sources_;
  const std::vector<Check> checks_;
  const Clock& clock_;
  WorkerPool& pool_;
  OwnMetrics& metrics_;
  const HistoryApi* const history_;
  const Discovery discovery_;
  const OpenApi openapi_;
  std::optional<WorkerPool> answering_;  // where there is a Prometheus; last: it ends first
};

}  // namespace mcpfleet::adapter
