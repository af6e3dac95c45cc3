// One client connection, plain or TLS, and how it comes about. Internal to src/http.
//
// Thread safety: all of it belongs to the thread that runs the io_context.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "http/beast.h"
#include "http/client.h"

namespace mcpfleet::http {

using Time = std::chrono::steady_clock::time_point;
using BeastRequest = bhttp::request<bhttp::string_body>;

// A connection to one endpoint; exactly one of the two streams exists.
struct Connection {
  std::optional<beast::tcp_stream> plain;
  std::optional<TlsStream> tls;
  beast::flat_buffer buffer;
  bool used_before = false;

  beast::tcp_stream& lowest() { return tls ? tls->next_layer() : *plain; }
  void close();
};

// A connection that nobody uses. Of a plain one only the socket is kept, since there may be one to
// each of thousands of pods.
class RestingConnection {
 public:
  RestingConnection(std::unique_ptr<Connection> connection, Time since);

  Time since() const { return since_; }
  // As it was before; null when the server closed it, or sent what nobody asked for, in between.
  std::unique_ptr<Connection> take() &&;

 private:
  std::optional<tcp::socket> plain_;
  std::unique_ptr<Connection> secure_;
  Time since_;
};

// Makes connections.
class Connector {
 public:
  Connector(asio::io_context& io, const ClientOptions& options,
            std::shared_ptr<ssl::context> context)
      : io_(io), options_(options), context_(std::move(context)) {}

  // Errors: Timeout, Unavailable; the endpoint is named. `self` must outlive the call.
  static asio::awaitable<Result<std::unique_ptr<Connection>>> connect(Connector* self,
                                                                      Endpoint endpoint,
                                                                      Time deadline);
  // Breaks off what is being made.
  void close_all();

 private:
  static asio::awaitable<Result<std::vector<tcp::endpoint>>> resolve(Connector* self,
                                                                     Endpoint endpoint);
  static asio::awaitable<error_code> handshake(Connector* self, const Endpoint& endpoint,
                                               TlsStream& stream);

  asio::io_context& io_;
  const ClientOptions& options_;
  const std::shared_ptr<ssl::context> context_;
  std::set<Connection*> making_;
};

// "host:port"
std::string name_of(const Endpoint& endpoint);

// What a failed step means to the caller; `step` is a word such as "calling".
Error to_error(const Endpoint& endpoint, const char* step, const error_code& ec);

BeastRequest to_beast(const Endpoint& endpoint, Request request);

// Status and fields; the body is the caller's.
Response to_response(const bhttp::response_header<>& header);

}  // namespace mcpfleet::http
