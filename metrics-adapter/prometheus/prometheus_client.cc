// The only place where the C++ REST SDK is used. Its own faults shape what is done here: it sends a
// request again when a pooled connection breaks (so only GET), follows redirects with the token
// (so none), adds a CA to the system's instead of trusting it alone, has no limit of time for a
// whole call and none of size.
#define _TURN_OFF_PLATFORM_STRING  // its macro U breaks other headers
#include "metrics-adapter/prometheus/prometheus_client.h"

#ifdef __clang__
// In C++23 Clang wants to see at once what a unique_ptr deletes, and the SDK shows it too late.
#include <memory>
namespace web::json::details {
class _Value;
}
template <>
struct std::default_delete<web::json::details::_Value> {
  constexpr default_delete() noexcept = default;
  template <typename Derived>
  default_delete(const default_delete<Derived>&) noexcept {}
  void operator()(web::json::details::_Value* value) const;
};
#endif
#include <cpprest/http_client.h>
#include <openssl/ssl.h>
#include <pplx/threadpool.h>

#include <future>
#include <mutex>

#include "base/time_text.h"
#include "http/client.h"
#include "kube/paths.h"
#include "kube/token_source.h"
#include "metrics-adapter/prometheus/prometheus_answer.h"

namespace mcpfleet::adapter::promql {
namespace {

using web::http::http_request;
using web::http::http_response;

constexpr std::size_t kThreads = 2;
constexpr std::size_t kMaxQuestion = 256 * 1024;

struct AnswerTooLarge final : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Reply {
  int status = 0;
  std::string body;
};

void start_threads() {
  static std::once_flag started;
  std::call_once(started, [] { crossplat::threadpool::initialize_with_threads(kThreads); });
}

// Trusts the file's authorities and no others, as they are now.
void trust_only(SSL_CTX* context, const std::string& ca_file) {
  X509_STORE* store = X509_STORE_new();
  // Nothing is trusted where it cannot be read, and the handshake says so.
  static_cast<void>(X509_STORE_load_file(store, ca_file.c_str()));
  SSL_CTX_set_cert_store(context, store);
}

Result<void> check_ca(const std::string& ca_file) {
  const std::unique_ptr<X509_STORE, decltype(&X509_STORE_free)> store(X509_STORE_new(),
                                                                      &X509_STORE_free);
  if (X509_STORE_load_file(store.get(), ca_file.c_str()) == 1) return {};
  return fail(ErrorKind::Invalid, "the CA file " + ca_file + " has no certificates to read");
}

web::http::client::http_client_config make_config(const ClientOptions& options) {
  web::http::client::http_client_config config;
  config.set_max_redirects(0);
  config.set_timeout(std::chrono::duration_cast<std::chrono::microseconds>(options.timeout));
  config.set_ssl_context_callback([ca_file = options.ca_file](boost::asio::ssl::context& context) {
    SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
    if (!ca_file.empty()) trust_only(context.native_handle(), ca_file);
  });
  return config;
}

// What came of a call, once it is over.
Result<Reply> outcome(const pplx::task<Reply>& done, std::size_t max_bytes) {
  try {
    return done.get();
  } catch (const AnswerTooLarge&) {
    return fail(ErrorKind::TooLarge,
                "the answer is larger than " + std::to_string(max_bytes) + " bytes");
  } catch (const std::exception& error) {  // of the SDK or of Asio
    return fail(ErrorKind::Unavailable, error.what());
  }
}

Result<std::string> body_of(Reply reply) {
  if (reply.status >= 200 && reply.status < 300) return std::move(reply.body);
  const auto reason = refusal(reply.body);
  const auto status = "HTTP status " + std::to_string(reply.status);
  if (reply.status >= 500 || reason.empty())
    return fail(ErrorKind::Unavailable,
                "it answered " + status + (reason.empty() ? "" : " (" + reason + ")"));
  return fail(ErrorKind::Internal, "it refuses the query (" + reason + ")");
}

class RestClient final : public PrometheusClient {
 public:
  RestClient(const ClientOptions& options, const http::Url& url, const Clock& clock)
      : options_(options),
        prefix_(url.path.ends_with('/') ? url.path.substr(0, url.path.size() - 1) : url.path),
        token_(clock, "", options.token_file),
        client_(options.url.substr(0, options.url.size() - url.path.size()), make_config(options)) {
  }

  Result<std::string> get(std::string_view endpoint, const std::vector<Parameter>& parameters,
                          std::size_t max_bytes) override {
    std::string target = prefix_ + std::string(endpoint);
    for (const auto& parameter : parameters)
      target.append(&parameter == &parameters.front() ? "?" : "&")
          .append(kube::escape(parameter.name))
          .append("=")
          .append(kube::escape(parameter.value));
    if (target.size() > kMaxQuestion)
      return fail(ErrorKind::TooLarge, "the query is longer than " + std::to_string(kMaxQuestion) +
                                           " bytes, so it is not sent");
    auto reply = send(target, max_bytes);
    auto body = reply ? body_of(std::move(*reply)) : Result<std::string>(fail(reply.error()));
    if (!body) return fail(body.error().context("cannot ask Prometheus at " + options_.url));
    return body;
  }

 private:
  Result<Reply> send(const std::string& target, std::size_t max_bytes) {
    auto promise = std::make_shared<std::promise<Result<Reply>>>();
    auto result = promise->get_future();
    pplx::cancellation_token_source give_up;
    client_.request(make_request(target, max_bytes), give_up.get_token())
        .then([](const http_response& head) {
          const int status = head.status_code();
          // Whatever Content-Type it has.
          return head.content_ready().then([status](const http_response& whole) {
            return whole.extract_utf8string(true).then(
                [status](std::string body) { return Reply{status, std::move(body)}; });
          });
        })
        .then([promise, max_bytes](const pplx::task<Reply>& done) {
          promise->set_value(outcome(done, max_bytes));
        });
    if (result.wait_for(options_.timeout) == std::future_status::ready) return result.get();
    give_up.cancel();
    return fail(ErrorKind::Timeout, "no answer within " + format_duration(options_.timeout));
  }

  http_request make_request(const std::string& target, std::size_t max_bytes) {
    http_request request(web::http::methods::GET);
    request.set_request_uri(web::uri(target));
    request.headers().add("Accept", "application/json");
    if (const auto token = token_.value(); !token.empty())
      request.headers().add("Authorization", "Bearer " + token);
    request.set_progress_handler(
        [max_bytes](web::http::message_direction::direction direction, utility::size64_t bytes) {
          if (direction == web::http::message_direction::download && bytes > max_bytes)
            throw AnswerTooLarge("too large");
        });
    return request;
  }

  // Constant after construction.
  const ClientOptions options_;
  const std::string prefix_;  // of the URL's path; without a slash at its end
  // Safe for any thread by themselves.
  kube::TokenSource token_;
  web::http::client::http_client client_;
};

}  // namespace

Result<std::unique_ptr<PrometheusClient>> PrometheusClient::create(const ClientOptions& options,
                                                                   const Clock& clock) {
  const auto url = http::parse_url(options.url);
  if (!url) return fail(url.error());
  if (url->path.find_first_of("?#") != std::string::npos)
    return fail(ErrorKind::Invalid, "the URL must end with its path");
  if (!options.ca_file.empty())
    if (auto checked = check_ca(options.ca_file); !checked) return fail(checked.error());
  start_threads();
  try {
    return std::make_unique<RestClient>(options, *url, clock);
  } catch (const std::exception& error) {  // a URL that the SDK's own parser refuses
    return fail(ErrorKind::Invalid, error.what());
  }
}

}  // namespace mcpfleet::adapter::promql
