#include "proxy/client_link.h"

#include <netinet/tcp.h>

#include <algorithm>
#include <array>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/status.hpp>

#include "mcp/json_rpc.h"

namespace mcpfleet::proxy {
namespace {

namespace http = boost::beast::http;

constexpr Duration kHead = std::chrono::seconds(75);     // for a head
constexpr Duration kUpload = std::chrono::seconds(120);  // for a body
constexpr std::uint32_t kMaxHeader = 64 * 1024;
constexpr std::size_t kReserve = 16 * 1024;
constexpr std::size_t kBodyPiece = 64 * 1024;

void set_option(Socket& socket, int level, int name, int value) {
  ::setsockopt(socket.native_handle(), level, name, &value, sizeof value);
}

// A client that vanished without a word must not hold a stream for ever: it is found out after 90 s
// of silence, and 60 s after bytes that it does not take.
void tune(Socket& socket) {
  error_code ignored;
  socket.non_blocking(true, ignored);
  set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, 60);
  set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, 10);
  set_option(socket, IPPROTO_TCP, TCP_KEEPCNT, 3);
  set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, 60'000);
}

}  // namespace

std::string status_line(int status) {
  const auto reason = http::obsolete_reason(static_cast<http::status>(status));
  std::string line = "HTTP/1.1 " + std::to_string(status) + " ";
  line.reserve(512);
  return line.append(reason.data(), reason.size()).append("\r\n");
}

void append_field(std::string& head, std::string_view name, std::string_view value) {
  head.append(name).append(": ").append(value).append("\r\n");
}

ClientLink::ClientLink(DataPlane& plane, Socket socket)
    : plane_(plane), socket_(std::move(socket)) {
  error_code ignored;
  peer_ = socket_.remote_endpoint(ignored).address().to_string();
  tune(socket_);
  if (plane_.tls != nullptr) tls_ = std::make_unique<TlsSession>(socket_, plane_.tls);
  buffer_.reserve(kReserve);
  plane_.sweeper.add(*this);
}

ClientLink::~ClientLink() { plane_.sweeper.remove(*this); }

Task<bool> ClientLink::read_request() {
  parser_.emplace();
  parser_->header_limit(kMaxHeader);
  parser_->body_limit(plane_.max_body_bytes);
  deadline = plane_.now() + idle_;
  const bool greeted = co_await greet();
  if (!greeted) co_return false;
  auto ec = co_await fill(false);
  if (!ec && !parser_->is_done()) {
    deadline = plane_.now() + kUpload;
    if (const auto expect = field("Expect"); expect && !http_1_0())
      co_await send("HTTP/1.1 100 Continue\r\n\r\n");
    ec = co_await fill(true);
  }
  deadline = MonotonicTime::max();
  if (ec) {
    co_await refuse(ec);
    co_return false;
  }
  keep_open_ = request().keep_alive();
  co_return true;
}

Task<bool> ClientLink::greet() {
  if (tls_ == nullptr || std::exchange(greeted_, true)) co_return true;
  const auto ec = co_await tls_->handshake();
  co_return !ec;
}

// Reads the head of a request, or the `whole` of it.
Task<error_code> ClientLink::fill(bool whole) {
  parser_->eager(whole);
  for (;;) {
    error_code ec;
    if (buffer_.size() > 0) {
      buffer_.consume(parser_->put(buffer_.data(), ec));
      if (ec == http::error::need_more) ec.clear();
      if (ec || parser_->is_done() || (!whole && parser_->is_header_done())) co_return ec;
    }
    const auto room = buffer_.prepare(whole ? kBodyPiece : kReserve);
    std::size_t got = 0;
    if (tls_ == nullptr) {
      got = co_await socket_.async_read_some(room, caught(ec));
    } else {
      got = co_await tls_->read_some(room, ec);
    }
    buffer_.commit(got);
    if (!whole) deadline = std::min(deadline, plane_.now() + kHead);
    if (ec == asio::error::eof)
      co_return parser_->got_some() ? http::error::partial_message : http::error::end_of_stream;
    if (ec) co_return ec;
  }
}

Task<> ClientLink::refuse(const error_code& problem) {
  keep_open_ = false;
  if (problem.category() != http::make_error_code(http::error::end_of_stream).category() ||
      problem == http::error::end_of_stream || problem == http::error::partial_message)
    co_return;  // the connection ended or broke
  int status = 400;
  std::string text = "this is not an HTTP/1.1 request: " + problem.message();
  if (problem == http::error::body_limit) {
    status = 413;
    text = "the request's body is larger than " + std::to_string(plane_.max_body_bytes) + " bytes";
  } else if (problem == http::error::header_limit) {
    status = 431;
    text = "the request's header fields are larger than " + std::to_string(kMaxHeader) + " bytes";
  }
  Answer reply{status, mcp::error_text({}, mcp::ErrorCode::InvalidRequest, text), {}};
  co_await answer(std::move(reply));
  // What the client still sends is read for a moment, so that a reset does not eat the answer.
  error_code ec;
  socket_.shutdown(Socket::shutdown_send, ec);
  deadline = plane_.now() + std::chrono::seconds(2);
  std::array<char, 4096> sink{};
  while (!ec) co_await socket_.async_read_some(asio::buffer(sink), caught(ec));
}

std::optional<std::string_view> ClientLink::field(std::string_view name) const {
  const auto found = request().find(boost::beast::string_view(name.data(), name.size()));
  if (found == request().end()) return std::nullopt;
  return to_view(found->value());
}

Task<bool> ClientLink::send(std::string_view first, std::string_view second) {
  if (gone_) co_return false;
  std::array<asio::const_buffer, 2> parts{asio::buffer(first), asio::buffer(second)};
  if (tls_ != nullptr) {
    const auto failed = co_await tls_->write(parts);
    gone_ = gone_ || failed;
    co_return !failed;
  }
  error_code ec;
  // Nearly always the kernel takes all of it at once, and the loop needs no further turn.
  const auto sent = socket_.write_some(parts, ec);
  if (ec == asio::error::would_block) ec.clear();
  if (!ec && sent < first.size() + second.size()) {
    parts[0] += sent;
    parts[1] += sent - std::min(sent, first.size());
    co_await asio::async_write(socket_, parts, caught(ec));
  }
  if (ec) gone_ = true;
  co_return !ec;
}

void ClientLink::finish_head(std::string& head) const {
  if (!keep_open_) {
    head.append("Connection: close\r\n");
  } else if (http_1_0()) {
    head.append("Connection: keep-alive\r\n");
  }
  head.append("\r\n");
}

Task<> ClientLink::answer(Answer reply) {
  const std::string& body = reply.body;
  auto head = status_line(reply.status);
  head.append(reply.fields);
  if (!body.empty()) append_field(head, "Content-Type", "application/json");
  if (reply.status != 204) append_field(head, "Content-Length", std::to_string(body.size()));
  finish_head(head);
  const bool head_only = parser_->is_header_done() && request().method() == http::verb::head;
  co_await send(head, head_only ? std::string_view() : std::string_view(body));
}

void ClientLink::start_watching(std::function<void()> interrupt) {
  interrupt_ = std::move(interrupt);
  watched_socket = socket_.native_handle();
}

void ClientLink::stop_watching() {
  interrupt_ = nullptr;
  watched_socket = -1;
  deadline = MonotonicTime::max();
}

void ClientLink::on_deadline() {
  if (interrupt_) {
    interrupt_();
    return;
  }
  error_code ignored;
  socket_.close(ignored);
}

void ClientLink::on_hangup() {
  gone_ = true;
  if (interrupt_) interrupt_();
}

}  // namespace mcpfleet::proxy
