#include "kube/client.h"

#include <algorithm>
#include <fstream>
#include <mutex>
#include <sstream>
#include <thread>

#include "base/backoff.h"
#include "base/clock.h"
#include "kube/paths.h"
#include "kube/status.h"

namespace mcpfleet::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kAttempts = 3;
constexpr seconds kMaxRetryAfter{5};
// The kubelet rotates a projected token long before it expires (at 80 % of its life).
constexpr seconds kTokenAge{30};

// The bearer token, read again now and then where it is a file.
class Token {
 public:
  Token(std::string fixed, std::string file) : value_(std::move(fixed)), file_(std::move(file)) {}

  std::string value() {
    std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    if (!file_.empty() && (value_.empty() || now - read_ > kTokenAge)) {
      std::ifstream in(file_);
      std::string text;
      // A token that cannot be read now may be readable soon: the old one is kept.
      if (in >> text) value_ = text;
      read_ = now;
    }
    return value_;
  }

 private:
  std::mutex mutex_;
  std::string value_;
  const std::string file_;
  std::chrono::steady_clock::time_point read_;
};

std::string with_query(std::string_view path, std::string_view query) {
  const bool first = path.find('?') == std::string_view::npos;
  return std::string(path).append(first ? "?" : "&").append(query);
}

struct Call {
  std::string_view verb;  // as Kubernetes names it
  std::string method;
  std::string target;
  std::string body;
  std::string content_type;
};

bool worth_retrying(const Call& call, const Result<http::Response>& response) {
  if (!response) return false;  // the HTTP client has tried what is safe to try
  if (response->status == 429) return true;
  return call.method == "GET" && response->status >= 500;
}

class HttpClient final : public Client {
 public:
  HttpClient(const Config& config, std::string user_agent, RequestObserver observer,
             std::unique_ptr<http::Client> http)
      : server_(config.server),
        user_agent_(std::move(user_agent)),
        observer_(std::move(observer)),
        token_(config.token, config.token_file),
        http_(std::move(http)) {}

  Result<std::string> get(std::string_view path) override {
    return run({"get", "GET", std::string(path), "", ""});
  }

  Result<std::string> create_object(std::string_view path, std::string body) override {
    return run({"create", "POST", std::string(path), std::move(body), "application/json"});
  }

  Result<std::string> apply(std::string_view path, std::string body, std::string_view field_manager,
                            bool force) override {
    std::string target =
        with_query(path, "fieldManager=" + escape(field_manager)) + (force ? "&force=true" : "");
    return run(
        {"apply", "PATCH", std::move(target), std::move(body), "application/apply-patch+yaml"});
  }

  Result<std::string> merge_patch(std::string_view path, std::string body,
                                  std::string_view field_manager) override {
    return run({"patch", "PATCH", std::string(path) + "?fieldManager=" + escape(field_manager),
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

  std::unique_ptr<http::Stream> stream(std::string_view path, milliseconds idle,
                                       http::StreamHandler handler) override {
    auto on_head = std::move(handler.on_head);
    handler.on_head = [this, on_head](int status, const http::Headers& headers) {
      observe("watch", status);
      on_head(status, headers);
    };
    return http_->open(server_.endpoint, request({"watch", "GET", std::string(path), "", ""}), idle,
                       std::move(handler));
  }

 private:
  http::Request request(const Call& call) {
    http::Request request;
    request.method = call.method;
    request.target = server_.path + call.target;
    request.body = call.body;
    request.headers.set("Accept", "application/json");
    request.headers.set("User-Agent", user_agent_);
    if (!call.content_type.empty()) request.headers.set("Content-Type", call.content_type);
    if (const auto token = token_.value(); !token.empty()) {
      request.headers.set("Authorization", "Bearer " + token);
    }
    return request;
  }

  void observe(std::string_view verb, int status) const {
    if (observer_) observer_(verb, status);
  }

  Result<std::string> run(const Call& call) {
    const Backoff backoff{milliseconds(200), kMaxRetryAfter};
    for (int attempt = 1;; ++attempt) {
      auto response = http_->call(server_.endpoint, request(call), http::CallLimits{});
      observe(call.verb, response ? response->status : 0);
      const bool ok = response && response->status >= 200 && response->status < 300;
      if (ok) return std::move(response->body);
      if (attempt >= kAttempts || !worth_retrying(call, response)) {
        const Error error =
            response ? decode_status(response->status, response->body) : response.error();
        const std::string path = call.target.substr(0, call.target.find('?'));
        return fail(error.context(std::string(call.verb) + " " + path));
      }
      const Duration asked = retry_after(response->headers, kMaxRetryAfter).value_or(seconds(0));
      std::this_thread::sleep_for(std::max(asked, backoff.delay(attempt)));
    }
  }

  // Constant after construction.
  const http::Url server_;
  const std::string user_agent_;
  const RequestObserver observer_;
  // Safe for any thread by themselves.
  Token token_;
  std::unique_ptr<http::Client> http_;
};

}  // namespace

Result<std::unique_ptr<Client>> Client::create(const Config& config, std::string user_agent,
                                               RequestObserver observer) {
  http::ClientOptions options;
  options.tls = config.tls;
  auto http = http::Client::create(std::move(options));
  if (!http) return fail(http.error().context("cannot use the API server's credentials"));
  return std::make_unique<HttpClient>(config, std::move(user_agent), std::move(observer),
                                      std::move(*http));
}

}  // namespace mcpfleet::kube
