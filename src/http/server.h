// An HTTP/1.1 server, plain or TLS, for small buffered answers: metrics, health, the metrics API.
// (The data plane streams and has its own loop in src/proxy.)
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "http/message.h"

namespace mcpfleet::http {

// What a TLS server shows. PEM texts.
struct TlsIdentity {
  std::string certificate_chain_pem;
  std::string private_key_pem;
};

struct ServerOptions {
  std::string address = "0.0.0.0";  // numeric
  std::uint16_t port = 0;           // 0 takes a free one, see Server::port()
  int threads = 1;
  std::shared_ptr<const TlsIdentity> tls;   // null: plain HTTP
  bool request_client_certificate = false;  // asked for, never required; see Request::certificate
  std::size_t max_header_bytes = 64 * 1024;
  std::size_t max_body_bytes = 1024 * 1024;
  std::size_t max_connections = 4096;
  std::chrono::milliseconds idle_timeout{90'000};     // keep-alive connection without a request
  std::chrono::milliseconds request_timeout{30'000};  // from the first byte to the answer's last
};

// Answers one request, exactly once, from any thread, now or later, but before the Server is gone.
// Dropping it answers 500.
using Respond = std::function<void(Response)>;

// Called on a server thread: it must not block. Long work is handed on, with the Respond.
using Handler = std::function<void(Request, Respond)>;

// Thread safety: reload(), port() and stop() from any thread; stop() is idempotent and joins the
// server's threads, so never call it from a handler.
class Server {
 public:
  // Binds and starts. Errors: Invalid (address, certificate), Unavailable (the port is taken).
  static Result<std::unique_ptr<Server>> start(ServerOptions options, Handler handler);
  virtual ~Server() = default;
  virtual std::uint16_t port() const = 0;
  // New connections get the new identity; running ones go on (swaps the whole context: replacing a
  // certificate inside a live one fails handshakes).
  virtual Result<void> reload(std::shared_ptr<const TlsIdentity> tls) = 0;
  virtual void stop() = 0;
};

}  // namespace mcpfleet::http
