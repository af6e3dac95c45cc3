#include "proxy/sse_link.h"

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <limits>

#include "base/time_text.h"
#include "log/log.h"
#include "mcp/answer_scanner.h"
#include "mcp/headers.h"
#include "mcp/json_rpc.h"
#include "mcp/sse_endpoint.h"
#include "proxy/client_link.h"

namespace mcpfleet::proxy {
namespace {

namespace http = boost::beast::http;

constexpr std::uint32_t kMaxHeader = 64 * 1024;
constexpr std::size_t kMaxReply = 64 * 1024;  // to a POST, which has nothing to say
constexpr std::size_t kRead = 16 * 1024;
// A server may answer a POST only when it has handled it, which may need the next message. Until
// then messages wait for each other, since two connections keep no order.
constexpr Duration kOrderPatience = std::chrono::milliseconds(250);

std::string status_text(unsigned status) { return "HTTP " + std::to_string(status); }

// Nothing in a reply says that the server has forgotten the stream, but these.
bool is_lost(unsigned status) { return status == 404 || status == 410; }

}  // namespace

SseLink::SseLink(Runtime& runtime, std::string name)
    : ServerLink(runtime, std::move(name)), socket_(runtime.io), turn_(runtime.io) {}

Result<void> SseLink::start() {
  reading_ = true;
  open_until_ = runtime().now() + std::min(kOpenTimeout, runtime().options.start_timeout);
  asio::co_spawn(runtime().io, read_stream(self()), asio::detached);
  return {};
}

std::string SseLink::subject() const {
  return "the MCP server at http://" + runtime().upstream_host + runtime().options.sse_path;
}

std::string SseLink::start_failure(Duration timeout) const {
  if (broke_) return end_reason();
  return subject() + " did not answer initialize within " + format_duration(timeout);
}

// --- from the server

Task<> SseLink::read_stream(Self self) {
  const auto problem = co_await self->read_events();
  self->reading_ = false;
  self->break_off(problem);
}

// Until the end; the problem then, to follow subject().
Task<std::string> SseLink::read_events() {
  error_code ec;
  co_await socket_.async_connect(runtime().upstream, caught(ec));
  if (ec) co_return "cannot be reached: " + ec.message();
  std::string request = "GET " + runtime().options.sse_path + " HTTP/1.1\r\n";
  append_field(request, "Host", runtime().upstream_host);
  append_field(request, "Accept", mcp::kEventStream);
  append_field(request, "Cache-Control", "no-store");
  request += "\r\n";
  co_await asio::async_write(socket_, asio::buffer(request), caught(ec));
  boost::beast::flat_buffer buffer;
  http::response_parser<http::buffer_body> parser;
  parser.header_limit(kMaxHeader);
  parser.body_limit(std::numeric_limits<std::uint64_t>::max());
  if (!ec) co_await http::async_read_header(socket_, buffer, parser, caught(ec));
  if (ec) co_return "did not answer GET: " + ec.message();
  const auto& head = parser.get();
  if (head.result_int() != 200) co_return "answered GET with " + status_text(head.result_int());
  using Scanner = mcp::AnswerScanner;
  if (Scanner::form_of(to_view(head[http::field::content_type])) != Scanner::Form::EventStream)
    co_return "answered GET with something else than text/event-stream";
  std::vector<char> piece(kRead);
  while (!parser.is_done() && !ended()) {
    auto& body = parser.get().body();
    body = {piece.data(), piece.size(), true};
    co_await http::async_read_some(socket_, buffer, parser, caught(ec));
    reader_.feed({piece.data(), piece.size() - body.size}, *this);
    if (ec && ec != http::error::need_buffer) co_return "broke off its stream: " + ec.message();
    co_await wait_room();
  }
  co_return "ended its stream";
}

void SseLink::on_data(std::string_view bytes) {
  too_large_ = too_large_ || event_.size() + bytes.size() > kMaxMessage;
  if (too_large_) {
    event_.clear();
    break_off("sent an event that is longer than " + std::to_string(kMaxMessage) + " bytes");
  } else {
    event_.append(bytes);
  }
}

void SseLink::on_event(std::string_view type) {
  if (ended()) return;
  if (type == "endpoint") {
    take_endpoint();
  } else if (type == "message" && !deliver(event_)) {
    log::warn("the server sent an event that is no JSON-RPC message",
              {{"session", name()}, {"bytes", event_.size()}});
  }
  event_.clear();
  if (event_.capacity() > kRead) event_.shrink_to_fit();
}

void SseLink::take_endpoint() {
  if (!endpoint_.empty()) return;
  auto target = mcp::endpoint_target(event_, runtime().upstream_host, runtime().options.sse_path);
  if (!target) {
    break_off("sent an endpoint event that " + target.error().message);
    return;
  }
  endpoint_ = std::move(*target);
  asio::co_spawn(runtime().io, send_messages(self()), asio::detached);
}

// --- to the server

Task<> SseLink::send_messages(Self self) {
  for (;;) {
    auto message = co_await self->next();
    if (!message) break;
    const auto post = std::make_shared<Post>(self->runtime().now() + kPostTimeout);
    self->posts_.push_back(post);
    asio::co_spawn(self->runtime().io, send_one(self, post, std::move(*message)), asio::detached);
    co_await self->wait_turn(*post);
  }
}

Task<> SseLink::wait_turn(const Post& post) {
  const auto until = runtime().now() + kOrderPatience;
  for (;;) {
    const bool waits = !post.done && runtime().now() < until;
    if (ended() || (!waits && posts_.size() < kMaxPosts)) co_return;
    error_code ignored;
    turn_.expires_at(waits ? until : Timer::time_point::max());
    co_await turn_.async_wait(caught(ignored));
  }
}

Task<> SseLink::send_one(Self self, std::shared_ptr<Post> post, std::string message) {
  const auto problem = co_await self->exchange(*post, message);
  self->sent(message);
  post->done = true;
  self->posts_.remove(post);
  self->turn_.cancel();
  if (!problem.empty() && !self->ended()) self->refuse(message, problem);
}

std::string SseLink::head_of_post(std::size_t body) const {
  std::string head = "POST " + endpoint_ + " HTTP/1.1\r\n";
  append_field(head, "Host", runtime().upstream_host);
  append_field(head, "Content-Type", mcp::kJson);
  append_field(head, "Content-Length", std::to_string(body));
  return head += "\r\n";
}

// Posts the message. The problem, to follow subject(); empty: the server took it.
Task<std::string> SseLink::exchange(Post& post, const std::string& message) {
  const auto pool = runtime().pools.of(runtime().upstream);
  error_code ec;
  post.connection = pool->take(runtime().now());
  if (!post.connection) {
    post.connection = pool->make();
    co_await post.connection->socket.async_connect(pool->endpoint(), caught(ec));
    if (ec) {
      pool->drop(std::move(post.connection), Closed::Unconnected);
      co_return "did not take a message: " + ec.message();
    }
    post.connection->tune();
  }
  auto& socket = post.connection->socket;
  auto& buffer = post.connection->buffer;
  const auto head = head_of_post(message.size());
  const std::array parts{asio::buffer(head), asio::buffer(message)};
  co_await asio::async_write(socket, parts, caught(ec));
  http::response_parser<http::string_body> parser;
  parser.header_limit(kMaxHeader);
  parser.body_limit(kMaxReply);
  if (!ec) co_await http::async_read_header(socket, buffer, parser, caught(ec));
  if (ec) {
    pool->drop(std::move(post.connection), Closed::Unfinished);
    co_return "did not take a message: " + ec.message();
  }
  const auto status = parser.get().result_int();
  co_await http::async_read(socket, buffer, parser, caught(ec));
  if (ec || !parser.keep_alive() || buffer.size() != 0) {
    pool->drop(std::move(post.connection), ec ? Closed::Unfinished : Closed::Final);
  } else {
    post.connection->carried_some = true;
    pool->give(std::move(post.connection), runtime().now());
  }
  if (is_lost(status)) break_off("does not know its stream any more: " + status_text(status));
  co_return status < 300 ? std::string() : "refused a message with " + status_text(status);
}

// Nobody else will answer a request that the server did not take.
void SseLink::refuse(std::string_view message, const std::string& problem) {
  const auto reason = subject() + " " + problem;
  mcp::MessageScanner scanner;
  const bool request = scanner.feed(message) && scanner.complete() &&
                       scanner.messages().front().kind() == mcp::Message::Kind::Request;
  if (request)
    deliver(mcp::error_text(scanner.messages().front().id, mcp::ErrorCode::ServerError, reason));
  else
    log::warn("a message did not reach the server", {{"session", name()}, {"reason", reason}});
}

// --- the end

void SseLink::break_off(std::string_view problem) {
  if (ended()) return;
  broke_ = true;
  end(subject() + " " + std::string(problem));
  // Else nobody has used it yet, and who began it tells.
  if (!endpoint_.empty())
    log::warn("the server's stream ended", {{"session", name()}, {"reason", end_reason()}});
}

void SseLink::close() {
  error_code ignored;
  socket_.close(ignored);
  turn_.cancel();
  for (const auto& post : posts_)
    if (post->connection) post->connection->socket.close(ignored);
}

void SseLink::tick(MonotonicTime now) {
  if (ended()) return;
  if (endpoint_.empty() && now >= open_until_) {
    const auto limit = std::min(kOpenTimeout, runtime().options.start_timeout);
    break_off("sent no endpoint event within " + format_duration(limit));
  }
  error_code ignored;
  for (const auto& post : posts_)
    if (now >= post->deadline && post->connection) post->connection->socket.close(ignored);
}

}  // namespace mcpfleet::proxy
