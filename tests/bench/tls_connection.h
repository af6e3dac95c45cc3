// One keep-alive HTTP/1.1 connection over TLS: blocking, one request after the other.
//
// Thread safety: a connection is for one thread; the context may be shared.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http_answer.h"
#include "sockets.h"

namespace mcpfleet::bench {

// Whom it speaks with is not checked: the benchmark has just started that server itself, and the
// check is the client's work, which is not measured.
class TlsContext {
 public:
  TlsContext();
  SSL_CTX* get() const { return context_.get(); }

 private:
  std::unique_ptr<SSL_CTX, decltype(&::SSL_CTX_free)> context_;
};

class TlsConnection {
 public:
  // Connects and shakes hands. Dies where nobody listens or the handshake fails. An answer that
  // takes longer than `seconds` counts as none.
  TlsConnection(const TlsContext& context, const std::string& address, unsigned seconds);

  // Nothing: the connection ended, or nothing came for too long. What is returned lives until the
  // next call.
  std::optional<HttpAnswer> exchange(std::string_view request);

 private:
  Fd socket_;
  std::unique_ptr<SSL, decltype(&::SSL_free)> tls_;
  std::string received_;
};

}  // namespace mcpfleet::bench
