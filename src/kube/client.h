// The Kubernetes API over src/http: requests, server-side apply, and watches.
//
// Source: https://kubernetes.io/docs/reference/using-api/api-concepts/ and server-side-apply/.
// Thread safety: a Client may be used from any thread; its calls block, so never call from a
// watch's callbacks or an http::Server's handler thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/client.h"
#include "kube/config.h"

namespace mcpfleet::kube {

// Told of each finished request: the verb as Kubernetes names it (get, create, apply, patch,
// delete, watch) and the HTTP status, 0 where none came. For metrics; must not block.
using RequestObserver = std::function<void(std::string_view verb, int status)>;

// What an apply made of its object.
struct Applied {
  std::string object;  // as it is now
  bool created =
      false;  // it did not exist (201); else it was changed, or was the same already (200)
};

// Whether this process may change anything: a leader's lease. Any thread; must not block.
class WriteGuard {
 public:
  virtual ~WriteGuard() = default;
  // For how long from now on it may write; an error, with its reason, where it may not.
  virtual Result<std::chrono::milliseconds> may_write() = 0;
};

struct ClientOptions {
  std::string user_agent;
  RequestObserver observer;
  // Of a whole call, with its tries and waits.
  std::chrono::milliseconds timeout{30'000};
  // Requests a second, and how many at once after a pause; a watch is one. 0: as many as are made.
  // A call that could not be sent within its timeout fails with TooMany, unsent.
  double qps = 0;
  int burst = 1;
  // Asked before each request that is no GET is sent: an error is that call's error and nothing is
  // sent; a request is given up, and not sent any more, once its time is over. Must outlive the
  // client. Null: always.
  WriteGuard* write_guard = nullptr;
};

// How a long answer is asked for.
struct StreamOptions {
  std::chrono::milliseconds idle{0};  // Timeout where no byte came for so long; 0: never
  std::string_view accept = "application/json";
};

// What the server says when a request fails, and ErrorKind by its HTTP status and Status.reason;
// the message is the Status's own sentence with the verb and path in front, never the request's
// body. A call takes `timeout` at most; an answer is 64 MiB at most. A GET is tried three times
// where the server is overloaded (429) or failing (5xx), any request where it said 429 or 401; in
// between it waits for Retry-After, 5 s at most.
class Client {
 public:
  // Error: Invalid (configuration), never a failed connection: the API server may come later.
  static Result<std::unique_ptr<Client>> create(const Config& config, ClientOptions options);
  virtual ~Client() = default;

  // GET path (with its query). The body as text: decode it where you need it.
  virtual Result<std::string> get(std::string_view path) = 0;
  // GET of a collection, of each object no more than its metadata: a PartialObjectMetadataList.
  virtual Result<std::string> get_metadata(std::string_view path) = 0;
  // POST; `body` is JSON.
  virtual Result<std::string> create_object(std::string_view path, std::string body) = 0;
  // Server-side apply (application/apply-patch+yaml). `path` names the object; it may have a
  // query, such as "?dryRun=All". Conflict is an error unless `force`.
  virtual Result<Applied> apply(std::string_view path, std::string body,
                                std::string_view field_manager, bool force) = 0;
  // PATCH application/merge-patch+json.
  virtual Result<std::string> merge_patch(std::string_view path, std::string body,
                                          std::string_view field_manager) = 0;
  // DELETE with `propagationPolicy: Background` and, where given, a precondition on the uid.
  // NotFound is an error.
  virtual Result<void> remove(std::string_view path, std::string_view uid) = 0;

  // A long answer, line by line, for watches (kube/reflector.h uses it). Credentials are added.
  virtual std::unique_ptr<http::Stream> stream(std::string_view path, const StreamOptions& options,
                                               http::StreamHandler handler) = 0;
};

}  // namespace mcpfleet::kube
