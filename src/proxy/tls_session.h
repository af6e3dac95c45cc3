// The server's side of TLS on one client's socket. For the translation units that do I/O; OpenSSL
// and Asio's part of it stay in the .cc file.
//
// Thread safety: none; it belongs to the proxy's one thread.
#pragma once

#include <array>
#include <memory>

#include "proxy/asio_types.h"

namespace boost::asio::ssl {
class context;
}

namespace mcpfleet::proxy {

using TlsContext = asio::ssl::context;

// `socket` outlives it, and may be closed at any time: what is under way ends with an error then.
class TlsSession {
 public:
  TlsSession(Socket& socket, std::shared_ptr<TlsContext> context);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  Task<error_code> handshake();
  // As of a plain socket: eof where the other side has ended, with or without saying so by TLS.
  Task<std::size_t> read_some(asio::mutable_buffer room, error_code& ec);
  Task<error_code> write(std::array<asio::const_buffer, 2> parts);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mcpfleet::proxy
