#include "http/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace mcpfleet::http {
namespace {

// A peer that vanished without a word is noticed after half a minute, by the kernel: a stream that
// is silent for good reasons would else not know for as long as it is willing to wait.
constexpr int kProbeAfterSeconds = 15;
constexpr int kProbeEverySeconds = 5;
constexpr int kGiveUpMilliseconds = 30'000;
constexpr std::size_t kReadAhead = 16 * 1024;

void notice_a_lost_peer(tcp::socket& socket) {
  const auto set = [&socket](int level, int name, int value) {
    ::setsockopt(socket.native_handle(), level, name, &value, sizeof value);
  };
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, kProbeAfterSeconds);
  set(IPPROTO_TCP, TCP_KEEPINTVL, kProbeEverySeconds);
  set(IPPROTO_TCP, TCP_USER_TIMEOUT, kGiveUpMilliseconds);
}

// Whether the peer neither closed it nor sent anything.
bool is_silent(tcp::socket& socket) {
  char byte = 0;
  return ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
         (errno == EAGAIN || errno == EWOULDBLOCK);
}

}  // namespace

void Connection::close() {
  error_code ignored;
  lowest().socket().close(ignored);
}

RestingConnection::RestingConnection(std::unique_ptr<Connection> connection, Time since)
    : since_(since) {
  if (connection->tls) {
    connection->lowest().expires_never();
    secure_ = std::move(connection);
  } else {
    plain_ = connection->plain->release_socket();
  }
}

std::unique_ptr<Connection> RestingConnection::take() && {
  auto& socket = secure_ ? secure_->lowest().socket() : *plain_;
  if (!is_silent(socket)) return nullptr;
  if (secure_) return std::move(secure_);
  auto connection = std::make_unique<Connection>();
  connection->buffer.reserve(kReadAhead);
  connection->plain.emplace(std::move(*plain_));
  connection->used_before = true;
  return connection;
}

void Connector::close_all() {
  for (auto* connection : making_) connection->close();
}

asio::awaitable<Result<std::vector<tcp::endpoint>>> Connector::resolve(Connector* self,
                                                                       Endpoint endpoint) {
  error_code ec;
  std::vector<tcp::endpoint> addresses;
  const auto numeric = asio::ip::make_address(endpoint.host, ec);
  if (!ec) {
    addresses.emplace_back(numeric, endpoint.port);
    co_return addresses;
  }
  tcp::resolver resolver(self->io_);
  const auto found = co_await resolver.async_resolve(endpoint.host, std::to_string(endpoint.port),
                                                     redirect_error(use_awaitable, ec));
  if (ec) co_return fail(to_error(endpoint, "finding", ec));
  for (const auto& entry : found) addresses.push_back(entry.endpoint());
  co_return addresses;
}

asio::awaitable<Result<std::unique_ptr<Connection>>> Connector::connect(Connector* self,
                                                                        Endpoint endpoint,
                                                                        Time deadline) {
  const auto addresses = co_await resolve(self, endpoint);
  if (!addresses) co_return fail(addresses.error());
  auto connection = std::make_unique<Connection>();
  connection->buffer.reserve(kReadAhead);
  if (endpoint.tls) {
    connection->tls.emplace(beast::tcp_stream(self->io_), *self->context_);
  } else {
    connection->plain.emplace(self->io_);
  }
  self->making_.insert(connection.get());
  auto& lowest = connection->lowest();
  lowest.expires_at(
      std::min(deadline, std::chrono::steady_clock::now() + self->options_.connect_timeout));
  error_code ec;
  co_await lowest.async_connect(*addresses, redirect_error(use_awaitable, ec));
  if (!ec) {
    lowest.socket().set_option(tcp::no_delay(true), ec);
    notice_a_lost_peer(lowest.socket());
    if (!ec && connection->tls) ec = co_await handshake(self, endpoint, *connection->tls);
  }
  self->making_.erase(connection.get());
  if (ec) co_return fail(to_error(endpoint, "connecting to", ec));
  co_return connection;
}

asio::awaitable<error_code> Connector::handshake(Connector* self, const Endpoint& endpoint,
                                                 TlsStream& stream) {
  const auto& tls = self->options_.tls;
  const std::string name = tls.server_name.empty() ? endpoint.host : tls.server_name;
  error_code ec;
  const bool numeric = (asio::ip::make_address(name, ec), !ec);
  if (!numeric) {
    // What the macro SSL_set_tlsext_host_name does, without its C cast.
    SSL_ctrl(stream.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(name.c_str()));
  }
  if (!tls.insecure_skip_verify) {
    auto* expected = SSL_get0_param(stream.native_handle());
    if (numeric) {
      X509_VERIFY_PARAM_set1_ip_asc(expected, name.c_str());
    } else {
      X509_VERIFY_PARAM_set1_host(expected, name.c_str(), name.size());
    }
  }
  co_await stream.async_handshake(ssl::stream_base::client, redirect_error(use_awaitable, ec));
  co_return ec;
}

std::string name_of(const Endpoint& endpoint) {
  return endpoint.host + ":" + std::to_string(endpoint.port);
}

Error to_error(const Endpoint& endpoint, const char* step, const error_code& ec) {
  const std::string where = std::string(step) + " " + name_of(endpoint);
  if (ec == beast::error::timeout) return {ErrorKind::Timeout, where + ": no answer in time"};
  if (ec == bhttp::error::body_limit || ec == bhttp::error::header_limit)
    return {ErrorKind::TooLarge, where + ": the answer is too large"};
  if (ec == bhttp::error::end_of_stream || ec == asio::error::eof ||
      ec == bhttp::error::partial_message)
    return {ErrorKind::Unavailable, where + ": the connection was closed before the answer's end"};
  if (ec.category() == bhttp::make_error_code(bhttp::error::bad_method).category())
    return {ErrorKind::Malformed, where + ": the answer is not HTTP: " + ec.message()};
  return {ErrorKind::Unavailable, where + ": " + ec.message()};
}

BeastRequest to_beast(const Endpoint& endpoint, Request request) {
  BeastRequest message;
  message.version(11);
  message.method_string(request.method);
  message.target(request.target);
  message.set(bhttp::field::host, name_of(endpoint));
  for (const auto& [name, value] : request.headers.fields()) message.insert(name, value);
  message.body() = std::move(request.body);
  // Sets Content-Length where there is a body, or where the method means to have one.
  message.prepare_payload();
  return message;
}

Response to_response(const bhttp::response_header<>& header) {
  Response response;
  response.status = static_cast<int>(header.result_int());
  for (const auto& field : header)
    response.headers.add(std::string(field.name_string()), std::string(field.value()));
  return response;
}

}  // namespace mcpfleet::http
