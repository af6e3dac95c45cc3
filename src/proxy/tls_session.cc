#include "proxy/tls_session.h"

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

namespace mcpfleet::proxy {

namespace ssl = asio::ssl;

struct TlsSession::Impl {
  Impl(Socket& socket, std::shared_ptr<TlsContext> shared)
      : context(std::move(shared)), stream(socket, *context) {}

  const std::shared_ptr<TlsContext> context;  // a newer one may be in use already
  ssl::stream<Socket&> stream;
};

TlsSession::TlsSession(Socket& socket, std::shared_ptr<TlsContext> context)
    : impl_(std::make_unique<Impl>(socket, std::move(context))) {}
TlsSession::~TlsSession() = default;

Task<error_code> TlsSession::handshake() {
  error_code ec;
  co_await impl_->stream.async_handshake(ssl::stream_base::server, caught(ec));
  co_return ec;
}

Task<std::size_t> TlsSession::read_some(asio::mutable_buffer room, error_code& ec) {
  const auto got = co_await impl_->stream.async_read_some(room, caught(ec));
  if (ec == ssl::error::stream_truncated) ec = asio::error::eof;
  co_return got;
}

Task<error_code> TlsSession::write(std::array<asio::const_buffer, 2> parts) {
  error_code ec;
  co_await asio::async_write(impl_->stream, parts, caught(ec));
  co_return ec;
}

}  // namespace mcpfleet::proxy
