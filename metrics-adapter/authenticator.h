// Who asks: the aggregator for somebody, a client certificate of the cluster, or a bearer token.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "http/authentication.h"
#include "http/message.h"
#include "kube/client.h"
#include "metrics-adapter/timed_cache.h"

namespace mcpfleet::adapter {

// Reads the ConfigMap kube-system/extension-apiserver-authentication. Error: Malformed or Invalid,
// with the key.
Result<http::AuthenticationConfig> parse_authentication_config(std::string_view config_map_json);

// The identity that a TokenReview vouches for. Error: Unauthorized.
Result<http::Identity> parse_token_review(std::string_view review_json);

// Thread safety: any thread.
class Authenticator {
 public:
  Authenticator(kube::Client& client, const Clock& clock) : client_(client), clock_(clock) {}

  // What can be said at once; nullopt: ask authenticate(), which may wait for the API server.
  std::optional<Result<http::Identity>> try_now(const http::Request& request);

  // Waits. Never on a server thread. Error: Unauthorized, or what kept us from finding out.
  Result<http::Identity> authenticate(const http::Request& request);

  // Reads the cluster's authorities again; what was known stays good when that fails. Logs changes
  // and, once, failures.
  Result<void> refresh();

  // True once the authorities are known.
  bool ready() const { return certificates_.load() != nullptr; }

 private:
  Result<http::Identity> review(std::string_view token);
  bool may_refresh_for_request();

  kube::Client& client_;
  const Clock& clock_;
  std::atomic<std::shared_ptr<http::CertificateAuthenticator>> certificates_;
  TimedCache<Result<http::Identity>> tokens_{std::chrono::seconds(10), 1024};
  std::mutex mutex_;
  bool told_failure_ = false;                    // protected by mutex_
  std::optional<MonotonicTime> last_on_demand_;  // protected by mutex_
};

}  // namespace mcpfleet::adapter
