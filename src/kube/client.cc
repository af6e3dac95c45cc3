#include "kube/client.h"

#include <algorithm>
#include <mutex>
#include <thread>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/token_bucket.h"
#include "kube/paths.h"
#include "kube/status.h"
#include "kube/token_source.h"

namespace mcpfleet::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kAttempts = 3;
constexpr seconds kMaxRetryAfter{5};

std::string with_query(std::string_view path, std::string_view query) {
  const bool first = path.find('?') == std::string_view::npos;
  return std::string(path).append(first ? "?" : "&").append(query);
}

struct Call {
  std::string_view verb;  // as Kubernetes names it
  std::string method;
  std::string target;
  std::string body;
  std::string_view content_type;
  std::string_view accept = "application/json";
};

// The client-side rate limit.
// Thread safety: any thread.
class RateLimit {
 public:
  RateLimit(const Clock& clock, double qps, int burst) : clock_(clock) {
    if (qps > 0) bucket_.emplace(qps, std::max(1, burst));
  }

  // Waits for this call's turn; an error where that would come after `until`.
  Result<void> wait(MonotonicTime until) {
    std::optional<Duration> turn{0};
    {
      std::lock_guard lock(mutex_);
      const auto now = clock_.monotonic();
      if (bucket_) turn = bucket_->take(now, until - now);
    }
    if (!turn) {
      return fail(ErrorKind::TooMany,
                  "the client-side rate limit leaves no time to send the request");
    }
    if (*turn > Duration(0)) std::this_thread::sleep_for(*turn);
    return {};
  }

 private:
  const Clock& clock_;
  // Protected by mutex_.
  std::mutex mutex_;
  std::optional<TokenBucket> bucket_;
};

bool worth_retrying(const Call& call, const Result<http::Response>& response) {
  if (!response) return false;  // the HTTP client has tried what is safe to try
  // Not carried out: too many requests, or a token that was rotated just now.
  if (response->status == 429 || response->status == 401) return true;
  return call.method == "GET" && response->status >= 500;
}

class HttpClient final : public Client {
 public:
  HttpClient(const Config& config, ClientOptions options, std::unique_ptr<http::Client> http)
      : server_(config.server),
        options_(std::move(options)),
        limit_(clock_, options_.qps, options_.burst),
        token_(clock_, config.token, config.token_file),
        http_(std::move(http)) {}

  Result<std::string> get(std::string_view path) override {
    return body_of({"get", "GET", std::string(path), "", ""});
  }

  Result<std::string> get_metadata(std::string_view path) override {
    return body_of({"get", "GET", std::string(path), "", "",
                    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"});
  }

  Result<std::string> create_object(std::string_view path, std::string body) override {
    return body_of({"create", "POST", std::string(path), std::move(body), "application/json"});
  }

  Result<Applied> apply(std::string_view path, std::string body, std::string_view field_manager,
                        bool force) override {
    std::string target =
        with_query(path, "fieldManager=" + escape(field_manager)) + (force ? "&force=true" : "");
    auto answer =
        run({"apply", "PATCH", std::move(target), std::move(body), "application/apply-patch+yaml"});
    if (!answer) return fail(answer.error());
    return Applied{std::move(answer->body), answer->status == 201};
  }

  Result<std::string> merge_patch(std::string_view path, std::string body,
                                  std::string_view field_manager) override {
    return body_of({"patch", "PATCH", std::string(path) + "?fieldManager=" + escape(field_manager),
                    std::move(body), "application/merge-patch+json"});
  }

  Result<void> remove(std::string_view path, std::string_view uid) override {
    std::string body =
        R"({"kind":"DeleteOptions","apiVersion":"v1","propagationPolicy":"Background")";
    if (!uid.empty()) body += R"(,"preconditions":{"uid":")" + std::string(uid) + R"("})";
    body += "}";
    auto answer = run({"delete", "DELETE", std::string(path), std::move(body), "application/json"});
    if (!answer) return fail(answer.error());
    return {};
  }

  std::unique_ptr<http::Stream> stream(std::string_view path, const StreamOptions& options,
                                       http::StreamHandler handler) override {
    auto on_head = std::move(handler.on_head);
    handler.on_head = [this, on_head](int status, const http::Headers& headers) {
      observe("watch", status);
      if (status == 401) token_.refused();
      on_head(status, headers);
    };
    const Call call{"watch", "GET", std::string(path), "", "", options.accept};
    // Where there is no time for it now the watch begins all the same: it is one request for long.
    static_cast<void>(limit_.wait(clock_.monotonic() + options_.timeout));
    return http_->open(server_.endpoint, request(call), options.idle, std::move(handler));
  }

 private:
  http::Request request(const Call& call) {
    http::Request request;
    request.method = call.method;
    request.target = server_.path + call.target;
    request.body = call.body;
    request.headers.set("Accept", std::string(call.accept));
    request.headers.set("User-Agent", options_.user_agent);
    if (!call.content_type.empty()) {
      request.headers.set("Content-Type", std::string(call.content_type));
    }
    if (const auto token = token_.value(); !token.empty()) {
      request.headers.set("Authorization", "Bearer " + token);
    }
    return request;
  }

  void observe(std::string_view verb, int status) const {
    if (options_.observer) options_.observer(verb, status);
  }

  Result<std::string> body_of(const Call& call) {
    auto answer = run(call);
    if (!answer) return fail(answer.error());
    return std::move(answer->body);
  }

  // One try, while there is time and nobody forbids it.
  Result<http::Response> attempt(const Call& call, MonotonicTime until) {
    if (auto turn = limit_.wait(until); !turn) return fail(turn.error());
    if (options_.write_guard != nullptr && call.method != "GET") {
      const auto now = clock_.monotonic();
      const auto allowed = options_.write_guard->may_write();
      if (!allowed) return fail(allowed.error());
      until = std::min(until, now + *allowed);
    }
    auto response = http_->call(server_.endpoint, request(call),
                                {.timeout = options_.timeout, .deadline = until});
    observe(call.verb, response ? response->status : 0);
    if (response && response->status == 401) token_.refused();
    return response;
  }

  Result<http::Response> run(const Call& call) {
    const Backoff backoff{milliseconds(200), kMaxRetryAfter};
    const MonotonicTime until = clock_.monotonic() + options_.timeout;
    for (int tries = 1;; ++tries) {
      auto response = attempt(call, until);
      const bool ok = response && response->status >= 200 && response->status < 300;
      if (ok) return response;
      Duration wait{0};
      if (response) {
        const auto asked = retry_after(response->headers, kMaxRetryAfter).value_or(seconds(0));
        wait = std::max(Duration(asked), backoff.delay(tries));
      }
      if (tries >= kAttempts || !worth_retrying(call, response) ||
          clock_.monotonic() + wait >= until) {
        const Error error =
            response ? decode_status(response->status, response->body) : response.error();
        const std::string path = call.target.substr(0, call.target.find('?'));
        return fail(error.context(std::string(call.verb) + " " + path));
      }
      std::this_thread::sleep_for(wait);
    }
  }

  // Constant after construction.
  const http::Url server_;
  const ClientOptions options_;
  // Safe for any thread by themselves.
  const SystemClock clock_;
  RateLimit limit_;
  TokenSource token_;
  std::unique_ptr<http::Client> http_;
};

}  // namespace

Result<std::unique_ptr<Client>> Client::create(const Config& config, ClientOptions options) {
  http::ClientOptions http_options;
  http_options.tls = config.tls;
  auto http = http::Client::create(std::move(http_options));
  if (!http) return fail(http.error().context("cannot use the API server's credentials"));
  return std::make_unique<HttpClient>(config, std::move(options), std::move(*http));
}

}  // namespace mcpfleet::kube
