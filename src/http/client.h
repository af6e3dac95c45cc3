// An HTTP/1.1 client, plain or TLS, with pooled keep-alive connections, on its own thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "http/message.h"

namespace mcpfleet::http {

struct Endpoint {
  std::string host;  // numeric address or name
  std::uint16_t port = 80;
  bool tls = false;
  auto operator<=>(const Endpoint&) const = default;
};

// "https://10.96.0.1:443/base" -> endpoint and "/base". Error: Invalid.
struct Url {
  Endpoint endpoint;
  std::string path;  // starts with "/" or is empty
};
Result<Url> parse_url(std::string_view text);

// Whom to trust and what to show, PEM texts. An empty `ca_pem` trusts the system's roots.
struct TlsClientOptions {
  std::string ca_pem;
  std::string client_certificate_pem;
  std::string client_key_pem;
  std::string server_name;  // verified name; empty: the endpoint's host
  bool insecure_skip_verify = false;
};

struct ClientOptions {
  TlsClientOptions tls;
  std::size_t max_connections_per_endpoint = 64;  // further calls wait in line
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds idle_timeout{
      60'000};  // an unused pooled connection is closed after this
};

struct CallLimits {
  std::chrono::milliseconds timeout{30'000};  // whole call, waiting for a connection included
  std::size_t max_body_bytes = 64 * 1024 * 1024;
  // Where it comes before the end of `timeout`: nothing is sent from then on, however long this
  // process was held up in between.
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
};

using Callback = std::function<void(Result<Response>)>;

// The parts of an answer that does not end by itself, such as a watch. Called on the client's
// thread; they must not block.
struct StreamHandler {
  std::function<void(int status, const Headers&)> on_head;
  std::function<void(std::string_view)> on_data;
  // Asked after each on_data, where it is set: true leaves the rest to wait in the network until
  // Stream::resume(), and `idle` stands still.
  std::function<bool()> full;
  // Exactly once, last: no error means that the server ended the stream properly.
  std::function<void(std::optional<Error>)> on_end;
};

// A running stream. cancel() or destruction stops it; on_end is then not called any more, once
// cancel() returned (when called from the client's own thread: at once).
class Stream {
 public:
  virtual ~Stream() = default;
  virtual void cancel() = 0;
  // Goes on where `full` said true; else does nothing. Any thread.
  virtual void resume() = 0;
};

// Thread safety: every function from any thread. The destructor ends open calls with an error and
// joins the thread. A request is sent twice never: a pooled connection that the server closed
// meanwhile is noticed before it is used, and only a GET that got no byte back is tried once more
// on a new connection.
class Client {
 public:
  // Error: Invalid (a certificate or key that cannot be read).
  static Result<std::unique_ptr<Client>> create(ClientOptions options);
  virtual ~Client() = default;

  // Calls back on the client's thread, exactly once. HTTP error statuses are responses, not errors.
  // Errors: Timeout, Unavailable, TooLarge, Malformed.
  virtual void send(const Endpoint& endpoint, Request request, CallLimits limits,
                    Callback callback) = 0;

  // As send(), and waits. Never from the client's own thread.
  Result<Response> call(const Endpoint& endpoint, Request request, CallLimits limits);

  // `idle` ends the stream with Timeout when no byte came for so long; 0 = never.
  virtual std::unique_ptr<Stream> open(const Endpoint& endpoint, Request request,
                                       std::chrono::milliseconds idle, StreamHandler handler) = 0;
};

}  // namespace mcpfleet::http
