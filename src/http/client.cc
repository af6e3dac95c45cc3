#include "http/client.h"

#include <sys/socket.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <deque>
#include <future>
#include <list>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "http/tls.h"

namespace mcpfleet::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = beast::http;
namespace ssl = asio::ssl;
using asio::redirect_error;
using asio::use_awaitable;
using asio::ip::tcp;
using boost::system::error_code;
using Time = std::chrono::steady_clock::time_point;
using TlsStream = beast::ssl_stream<beast::tcp_stream>;
using BeastRequest = bhttp::request<bhttp::string_body>;

// A connection to one endpoint; exactly one of the two streams exists.
struct Connection {
  std::optional<beast::tcp_stream> plain;
  std::optional<TlsStream> tls;
  beast::flat_buffer buffer;
  bool used_before = false;
  Time idle_since;

  beast::tcp_stream& lowest() { return tls ? tls->next_layer() : *plain; }
  void close() {
    error_code ignored;
    lowest().socket().close(ignored);
  }
  // False when the server closed it, or sent what nobody asked for, while it was in the pool.
  bool reusable() {
    char byte = 0;
    return ::recv(lowest().socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
           (errno == EAGAIN || errno == EWOULDBLOCK);
  }
};

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

template <typename Message>
Response to_response(Message& message) {
  Response response;
  response.status = static_cast<int>(message.result_int());
  for (const auto& field : message)
    response.headers.add(std::string(field.name_string()), std::string(field.value()));
  return response;
}

// Why one try of a call failed, and whether the server can have seen the request.
struct Failure {
  Error error;
  bool stale = false;  // a pooled connection that ended before one byte of the answer
};

class ClientImpl;

class StreamImpl final : public Stream, public std::enable_shared_from_this<StreamImpl> {
 public:
  StreamImpl(asio::io_context& io, StreamHandler handler) : io_(io), handler_(std::move(handler)) {}

  void cancel() override {
    {
      std::lock_guard lock(mutex_);
      cancelled_ = true;
    }
    asio::post(io_, [self = shared_from_this()] {
      if (self->connection) self->connection->close();
    });
  }

  // Each of these tells whether the stream goes on.
  bool head(int status, const Headers& headers) {
    std::lock_guard lock(mutex_);
    if (!cancelled_ && handler_.on_head) handler_.on_head(status, headers);
    return !cancelled_;
  }
  bool data(std::string_view bytes) {
    std::lock_guard lock(mutex_);
    if (!cancelled_ && handler_.on_data) handler_.on_data(bytes);
    return !cancelled_;
  }
  void end(std::optional<Error> error) {
    std::lock_guard lock(mutex_);
    if (!cancelled_ && handler_.on_end) handler_.on_end(std::move(error));
    cancelled_ = true;
  }
  bool cancelled() {
    std::lock_guard lock(mutex_);
    return cancelled_;
  }

  std::unique_ptr<Connection> connection;  // the client's thread only

 private:
  asio::io_context& io_;
  // Recursive: a callback may cancel its own stream. Held during callbacks, so that none runs once
  // cancel() returned.
  std::recursive_mutex mutex_;
  StreamHandler handler_;
  bool cancelled_ = false;
};

// What the caller holds; letting go of it cancels.
class StreamHandle final : public Stream {
 public:
  explicit StreamHandle(std::shared_ptr<StreamImpl> stream) : stream_(std::move(stream)) {}
  ~StreamHandle() override { stream_->cancel(); }
  void cancel() override { stream_->cancel(); }

 private:
  std::shared_ptr<StreamImpl> stream_;
};

class ClientImpl final : public Client {
 public:
  ClientImpl(ClientOptions options, std::shared_ptr<ssl::context> context)
      : options_(std::move(options)), context_(std::move(context)), work_(io_.get_executor()) {
    thread_ = std::thread([this] { io_.run(); });
  }

  ~ClientImpl() override {
    asio::post(io_, [this] {
      closing_ = true;
      pools_.clear();
      for (auto* connection : active_) connection->close();
      for (auto& stream : streams_)
        if (auto running = stream.lock(); running && running->connection)
          running->connection->close();
      for (auto* timer : waiting_) timer->cancel();
      work_.reset();
    });
    thread_.join();
  }

  void send(const Endpoint& endpoint, Request request, CallLimits limits,
            Callback callback) override {
    const Time deadline = std::chrono::steady_clock::now() + limits.timeout;
    asio::post(io_, [this, endpoint, request = std::move(request), limits, deadline,
                     callback = std::move(callback)]() mutable {
      asio::co_spawn(io_,
                     run(this, endpoint, to_beast(endpoint, std::move(request)), limits, deadline,
                         std::move(callback)),
                     [](std::exception_ptr) {});
    });
  }

  std::unique_ptr<Stream> open(const Endpoint& endpoint, Request request,
                               std::chrono::milliseconds idle, StreamHandler handler) override {
    auto stream = std::make_shared<StreamImpl>(io_, std::move(handler));
    asio::post(io_, [this, stream, endpoint, request = std::move(request), idle]() mutable {
      streams_.remove_if([](const auto& known) { return known.expired(); });
      streams_.push_back(stream);
      asio::co_spawn(
          io_, run_stream(this, stream, endpoint, to_beast(endpoint, std::move(request)), idle),
          [](std::exception_ptr) {});
    });
    return std::make_unique<StreamHandle>(std::move(stream));
  }

 private:
  struct Pool {
    std::deque<std::unique_ptr<Connection>> idle;  // newest last
    std::size_t open = 0;                          // lent out
    std::deque<asio::steady_timer*> line;          // calls that wait for a connection, oldest first
  };

  static asio::awaitable<void> run(ClientImpl* self, Endpoint endpoint, BeastRequest request,
                                   CallLimits limits, Time deadline, Callback callback) {
    Result<Response> result = fail(ErrorKind::Unavailable, "the client is closing");
    if (!self->closing_ && co_await self->take_place(endpoint, deadline)) {
      const bool safe = request.method() == bhttp::verb::get;
      for (int attempt = 0; attempt < 2; ++attempt) {
        auto tried = co_await attempt_call(self, endpoint, request, limits, deadline, attempt > 0);
        if (tried) {
          result = std::move(*tried);
          break;
        }
        result = fail(tried.error().error);
        if (!tried.error().stale || !safe || self->closing_) break;
      }
      self->give_place(endpoint);
    } else if (!self->closing_) {
      result = fail(ErrorKind::Timeout, "no free connection to " + name_of(endpoint) + " in time");
    }
    callback(std::move(result));
  }

  // Waits for one of the endpoint's places. False when the time is over.
  asio::awaitable<bool> take_place(const Endpoint& endpoint, Time deadline) {
    auto& pool = pools_[endpoint];
    if (pool.open < options_.max_connections_per_endpoint) {
      ++pool.open;
      co_return true;
    }
    asio::steady_timer turn(io_, deadline);
    pool.line.push_back(&turn);
    waiting_.insert(&turn);
    error_code ec;
    co_await turn.async_wait(redirect_error(use_awaitable, ec));
    waiting_.erase(&turn);
    if (closing_) co_return false;
    const bool mine = ec == asio::error::operation_aborted;  // give_place() handed its place over
    if (!mine) std::erase(pools_[endpoint].line, &turn);
    co_return mine;
  }

  void give_place(const Endpoint& endpoint) {
    if (closing_) return;
    auto& pool = pools_[endpoint];
    if (!pool.line.empty()) {
      auto* next = pool.line.front();
      pool.line.pop_front();
      // A timer that ran out at this very moment cannot be cancelled any more: its owner gives up,
      // the next is served.
      if (next->cancel() > 0) return;
      give_place(endpoint);
      return;
    }
    --pool.open;
    if (pool.open == 0 && pool.idle.empty()) pools_.erase(endpoint);
  }

  static asio::awaitable<std::expected<Response, Failure>> attempt_call(ClientImpl* self,
                                                                        Endpoint endpoint,
                                                                        BeastRequest& request,
                                                                        CallLimits limits,
                                                                        Time deadline, bool fresh) {
    auto connection = fresh ? nullptr : self->pooled(endpoint);
    if (!connection) {
      auto connected = co_await connect(self, endpoint, deadline);
      if (!connected) co_return std::unexpected(Failure{connected.error(), false});
      connection = std::move(*connected);
    }
    self->active_.insert(connection.get());
    connection->lowest().expires_at(deadline);
    bhttp::response_parser<bhttp::string_body> parser;
    parser.body_limit(limits.max_body_bytes);
    parser.header_limit(64 * 1024);
    if (request.method() == bhttp::verb::head) parser.skip(true);
    const bool secure = connection->tls.has_value();
    error_code ec;
    if (secure) {
      ec = co_await exchange(*connection->tls, connection->buffer, request, parser,
                             limits.max_body_bytes);
    } else {
      ec = co_await exchange(*connection->plain, connection->buffer, request, parser,
                             limits.max_body_bytes);
    }
    self->active_.erase(connection.get());
    if (ec) {
      const bool stale =
          connection->used_before && !parser.got_some() && ec != beast::error::timeout;
      co_return std::unexpected(Failure{to_error(endpoint, "calling", ec), stale});
    }
    auto response = to_response(parser.get());
    response.body = std::move(parser.get().body());
    if (parser.get().keep_alive() && !self->closing_) self->pool(endpoint, std::move(connection));
    co_return response;
  }

  template <typename S>
  static asio::awaitable<error_code> exchange(S& stream, beast::flat_buffer& buffer,
                                              BeastRequest& request,
                                              bhttp::response_parser<bhttp::string_body>& parser,
                                              std::uint64_t body_limit) {
    error_code ec;
    co_await bhttp::async_write(stream, request, redirect_error(use_awaitable, ec));
    if (!ec)
      co_await bhttp::async_read_header(stream, buffer, parser, redirect_error(use_awaitable, ec));
    if (ec) co_return ec;
    // Beast 1.74 forgets its body limit where an answer's header and the start of its body arrive
    // together.
    if (parser.content_length().value_or(0) > body_limit) co_return bhttp::error::body_limit;
    co_await bhttp::async_read(stream, buffer, parser, redirect_error(use_awaitable, ec));
    co_return ec;
  }

  std::unique_ptr<Connection> pooled(const Endpoint& endpoint) {
    auto& idle = pools_[endpoint].idle;
    const Time oldest = std::chrono::steady_clock::now() - options_.idle_timeout;
    while (!idle.empty() && idle.front()->idle_since < oldest) idle.pop_front();
    while (!idle.empty()) {
      auto connection = std::move(idle.back());
      idle.pop_back();
      if (connection->reusable()) return connection;
    }
    return nullptr;
  }

  void pool(const Endpoint& endpoint, std::unique_ptr<Connection> connection) {
    connection->used_before = true;
    connection->idle_since = std::chrono::steady_clock::now();
    connection->lowest().expires_never();
    pools_[endpoint].idle.push_back(std::move(connection));
  }

  static asio::awaitable<Result<std::unique_ptr<Connection>>> connect(ClientImpl* self,
                                                                      Endpoint endpoint,
                                                                      Time deadline) {
    error_code ec;
    std::vector<tcp::endpoint> addresses;
    const auto numeric = asio::ip::make_address(endpoint.host, ec);
    if (!ec) {
      addresses.emplace_back(numeric, endpoint.port);
    } else {
      tcp::resolver resolver(self->io_);
      const auto found = co_await resolver.async_resolve(
          endpoint.host, std::to_string(endpoint.port), redirect_error(use_awaitable, ec));
      if (ec) co_return fail(to_error(endpoint, "finding", ec));
      for (const auto& entry : found) addresses.push_back(entry.endpoint());
    }
    auto connection = std::make_unique<Connection>();
    connection->buffer.reserve(16 * 1024);
    if (endpoint.tls) {
      connection->tls.emplace(beast::tcp_stream(self->io_), *self->context_);
    } else {
      connection->plain.emplace(self->io_);
    }
    self->active_.insert(connection.get());
    auto& lowest = connection->lowest();
    lowest.expires_at(
        std::min(deadline, std::chrono::steady_clock::now() + self->options_.connect_timeout));
    co_await lowest.async_connect(addresses, redirect_error(use_awaitable, ec));
    if (!ec) {
      lowest.socket().set_option(tcp::no_delay(true));
      if (connection->tls) ec = co_await handshake(self, endpoint, *connection->tls);
    }
    self->active_.erase(connection.get());
    if (ec) co_return fail(to_error(endpoint, "connecting to", ec));
    if (self->closing_) co_return fail(ErrorKind::Unavailable, "the client is closing");
    co_return connection;
  }

  static asio::awaitable<error_code> handshake(ClientImpl* self, const Endpoint& endpoint,
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

  static asio::awaitable<void> run_stream(ClientImpl* self, std::shared_ptr<StreamImpl> stream,
                                          Endpoint endpoint, BeastRequest request,
                                          std::chrono::milliseconds idle) {
    const Time deadline = std::chrono::steady_clock::now() + self->options_.connect_timeout;
    auto connected = co_await connect(self, endpoint, deadline);
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

  template <typename S>
  static asio::awaitable<std::optional<Error>> read_stream(Endpoint endpoint,
                                                           std::shared_ptr<StreamImpl> stream,
                                                           S& socket, BeastRequest& request,
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
    std::vector<char> chunk(64 * 1024);
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
    }
    co_return std::nullopt;
  }

  // Constant after construction.
  const ClientOptions options_;
  const std::shared_ptr<ssl::context> context_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::thread thread_;
  // The client's thread only.
  bool closing_ = false;
  std::map<Endpoint, Pool> pools_;
  std::set<Connection*> active_;
  std::set<asio::steady_timer*> waiting_;
  std::list<std::weak_ptr<StreamImpl>> streams_;
};

}  // namespace

Result<std::unique_ptr<Client>> Client::create(ClientOptions options) {
  auto context = make_client_context(options.tls);
  if (!context) return fail(context.error());
  return std::make_unique<ClientImpl>(std::move(options), *context);
}

Result<Response> Client::call(const Endpoint& endpoint, Request request, CallLimits limits) {
  auto promise = std::make_shared<std::promise<Result<Response>>>();
  auto future = promise->get_future();
  send(endpoint, std::move(request), limits,
       [promise](Result<Response> result) { promise->set_value(std::move(result)); });
  return future.get();
}

}  // namespace mcpfleet::http
