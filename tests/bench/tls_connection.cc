#include "tls_connection.h"

#include <sys/socket.h>
#include <sys/time.h>

namespace mcpfleet::bench {

TlsContext::TlsContext() : context_(::SSL_CTX_new(::TLS_client_method()), &::SSL_CTX_free) {
  if (!context_) die("OpenSSL does not start");
  ::SSL_CTX_set_verify(context_.get(), SSL_VERIFY_NONE, nullptr);
}

TlsConnection::TlsConnection(const TlsContext& context, const std::string& address,
                             unsigned seconds)
    : socket_(connect_to(parse_address(address))), tls_(::SSL_new(context.get()), &::SSL_free) {
  if (socket_.get() < 0) die("nobody listens on " + address);
  const timeval patience{static_cast<time_t>(seconds), 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (!tls_ || ::SSL_set_fd(tls_.get(), socket_.get()) != 1 || ::SSL_connect(tls_.get()) != 1) {
    die("no TLS handshake with " + address);
  }
}

std::optional<HttpAnswer> TlsConnection::exchange(std::string_view request) {
  std::size_t size = 0;
  if (::SSL_write_ex(tls_.get(), request.data(), request.size(), &size) != 1) return std::nullopt;
  received_.clear();
  char buffer[16384];
  while (::SSL_read_ex(tls_.get(), buffer, sizeof buffer, &size) == 1) {
    received_.append(buffer, size);
    if (auto answer = parse_answer(received_)) return answer;
  }
  return std::nullopt;
}

}  // namespace mcpfleet::bench
