// Whether somebody may ask what they ask: a SubjectAccessReview, remembered for ten seconds.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "http/authentication.h"
#include "kube/client.h"
#include "metrics-adapter/request_path.h"
#include "metrics-adapter/timed_cache.h"

namespace mcpfleet::adapter {

// What is asked, as Kubernetes' RBAC names it.
struct AccessRequest {
  std::string path;  // of a request that is not for a resource; else empty
  std::string verb = "get";
  std::string group;
  std::string version;
  std::string namespace_;
  std::string resource;
  std::string subresource;
  std::string name;
};

// "get" of a target, "list" of external metrics; an explanation, a history and a ranking need the
// right to the metric that they are of. Source: k8s.io/apiserver
// pkg/endpoints/request/requestinfo.go.
AccessRequest access_of(const Target& target);

// The SubjectAccessReview to send, as JSON.
std::string access_review(const http::Identity& identity, const AccessRequest& access);

// Thread safety: any thread.
class Authorizer {
 public:
  Authorizer(kube::Client& client, const Clock& clock) : client_(client), clock_(clock) {}

  // What can be said at once; nullopt: ask authorize(), which waits for the API server.
  // Error: Forbidden.
  std::optional<Result<void>> try_now(const http::Identity& identity, const AccessRequest& access);

  // Waits. Never on a server thread. Error: Forbidden, or what kept us from finding out.
  Result<void> authorize(const http::Identity& identity, const AccessRequest& access);

 private:
  kube::Client& client_;
  const Clock& clock_;
  TimedCache<Result<void>> decisions_{std::chrono::seconds(10), 8192};
};

}  // namespace mcpfleet::adapter
