#include "http/stream.h"

#include <limits>

namespace mcpfleet::http {
namespace {

template <typename S>
asio::awaitable<std::optional<Error>> read_stream(Endpoint endpoint,
                                                  std::shared_ptr<StreamImpl> stream, S& socket,
                                                  BeastRequest& request,
                                                  std::chrono::milliseconds idle) {
  auto& lowest = beast::get_lowest_layer(socket);
  auto& buffer = stream->connection->buffer;
  error_code ec;
  bhttp::response_parser<bhttp::buffer_body> parser;
  parser.body_limit(std::numeric_limits<std::uint64_t>::max());
  lowest.expires_after(std::chrono::seconds(30));
  co_await bhttp::async_write(socket, request, redirect_error(use_awaitable, ec));
  if (!ec)
    co_await bhttp::async_read_header(socket, buffer, parser, redirect_error(use_awaitable, ec));
  if (ec) co_return to_error(endpoint, "calling", ec);
  const auto head = to_response(parser.get());
  if (!stream->head(head.status, head.headers)) co_return std::nullopt;
  std::vector<char> chunk(16 * 1024);  // a TLS record holds no more
  while (!parser.is_done()) {
    parser.get().body().data = chunk.data();
    parser.get().body().size = chunk.size();
    if (idle.count() > 0) {
      lowest.expires_after(idle);
    } else {
      lowest.expires_never();
    }
    co_await bhttp::async_read_some(socket, buffer, parser, redirect_error(use_awaitable, ec));
    if (ec == bhttp::error::need_buffer) ec = {};
    const std::size_t got = chunk.size() - parser.get().body().size;
    if (got > 0 && !stream->data({chunk.data(), got})) co_return std::nullopt;
    if (ec) co_return to_error(endpoint, "reading from", ec);
    // Nothing runs on this thread between the question and the wait, so that no resume() is missed.
    if (got > 0 && stream->full()) {
      lowest.expires_never();
      co_await stream->paused();
    }
  }
  co_return std::nullopt;
}

}  // namespace

asio::awaitable<void> run_stream(Connector* connector, std::shared_ptr<StreamImpl> stream,
                                 Endpoint endpoint, BeastRequest request, Time connect_deadline,
                                 std::chrono::milliseconds idle) {
  auto connected = co_await Connector::connect(connector, endpoint, connect_deadline);
  if (!connected || stream->cancelled()) {
    stream->end(connected ? std::nullopt : std::optional<Error>(connected.error()));
    co_return;
  }
  stream->connection = std::move(*connected);
  auto& connection = *stream->connection;
  std::optional<Error> error;
  const bool secure = connection.tls.has_value();
  if (secure) {
    error = co_await read_stream(endpoint, stream, *connection.tls, request, idle);
  } else {
    error = co_await read_stream(endpoint, stream, *connection.plain, request, idle);
  }
  stream->end(std::move(error));
  stream->connection.reset();
}

}  // namespace mcpfleet::http
