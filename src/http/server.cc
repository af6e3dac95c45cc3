#include "http/server.h"

#include <algorithm>
#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "http/beast.h"
#include "http/tls.h"

namespace mcpfleet::http {
namespace {

using Parser = bhttp::request_parser<bhttp::string_body>;

// Holds a request with a token; it grows for larger ones. There is one of each connection.
constexpr std::size_t kRequestBuffer = 4 * 1024;

// Where a handler's answer and the connection that waits for it meet. A handler may keep its side
// for longer than the server lives, so what belongs to the server is on the waiting side only.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  void put(Response response) {
    std::lock_guard lock(mutex_);
    if (response_) return;
    response_ = std::move(response);
    if (timer_) asio::post(timer_->get_executor(), [self = shared_from_this()] { self->wake(); });
  }

  // The handler's answer, or nothing when it did not come in time.
  static asio::awaitable<std::optional<Response>> wait(std::shared_ptr<Exchange> self,
                                                       asio::any_io_executor executor,
                                                       std::chrono::milliseconds limit) {
    {
      std::lock_guard lock(self->mutex_);
      if (self->response_) co_return std::move(self->response_);
    }
    asio::steady_timer timer(executor, limit);
    const Waiting waiting(*self, timer);
    if (waiting.necessary) {
      error_code ignored;
      co_await timer.async_wait(redirect_error(use_awaitable, ignored));
    }
    std::lock_guard lock(self->mutex_);
    co_return std::move(self->response_);
  }

 private:
  // Ends with the coroutine that waits, also where the server's end destroys it.
  struct Waiting {
    Waiting(Exchange& e, asio::steady_timer& timer) : exchange(e) {
      std::lock_guard lock(exchange.mutex_);
      necessary = !exchange.response_;
      if (necessary) exchange.timer_ = &timer;
    }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
    ~Waiting() {
      std::lock_guard lock(exchange.mutex_);
      exchange.timer_ = nullptr;
    }
    Exchange& exchange;
    bool necessary = false;
  };

  void wake() {
    std::lock_guard lock(mutex_);
    if (timer_) timer_->cancel();
  }

  // Protected by mutex_.
  std::mutex mutex_;
  std::optional<Response> response_;
  asio::steady_timer* timer_ = nullptr;
};

// A Respond that nobody ever calls must not leave the client waiting.
struct Answering {
  explicit Answering(std::shared_ptr<Exchange> e) : exchange(std::move(e)) {}
  Answering(const Answering&) = delete;
  Answering& operator=(const Answering&) = delete;
  ~Answering() { exchange->put(text_response(500, "the request was dropped\n")); }
  std::shared_ptr<Exchange> exchange;
};

std::shared_ptr<const PeerCertificate> peer_certificate(SSL* tls) {
  std::unique_ptr<X509, decltype(&X509_free)> leaf(SSL_get1_peer_certificate(tls), &X509_free);
  if (!leaf) return nullptr;
  const auto der = [](X509* certificate) {
    std::string text(static_cast<std::size_t>(std::max(0, i2d_X509(certificate, nullptr))), '\0');
    auto* out = reinterpret_cast<unsigned char*>(text.data());
    i2d_X509(certificate, &out);
    return text;
  };
  auto result = std::make_shared<PeerCertificate>();
  result->der = der(leaf.get());
  if (const STACK_OF(X509)* chain = SSL_get_peer_cert_chain(tls)) {
    for (int i = 0; i < sk_X509_num(chain); ++i)
      result->chain_der.push_back(der(sk_X509_value(chain, i)));
  }
  return result;
}

Request to_request(Parser& parser) {
  auto& message = parser.get();
  Request request;
  request.method = std::string(message.method_string());
  request.target = std::string(message.target());
  for (const auto& field : message)
    request.headers.add(std::string(field.name_string()), std::string(field.value()));
  request.body = std::move(message.body());
  return request;
}

bhttp::response<bhttp::string_body> to_beast(Response response, unsigned version, bool keep_alive,
                                             bool head) {
  bhttp::response<bhttp::string_body> message(static_cast<bhttp::status>(response.status), version);
  for (auto& [name, value] : response.headers.fields()) message.insert(name, value);
  message.keep_alive(keep_alive);
  const auto length = response.body.size();
  if (!head) message.body() = std::move(response.body);
  if (response.status >= 200 && response.status != 204 && response.status != 304)
    message.content_length(length);
  return message;
}

class ServerImpl final : public Server {
 public:
  ServerImpl(ServerOptions options, Handler handler)
      : options_(std::move(options)), handler_(std::move(handler)) {
    for (int i = 0; i < std::max(1, options_.threads); ++i)
      loops_.push_back(std::make_unique<Loop>());
  }

  ~ServerImpl() override { stop(); }

  Result<void> listen() {
    if (options_.tls) {
      auto loaded = reload(options_.tls);
      if (!loaded) return fail(loaded.error());
    }
    error_code ec;
    const auto address = asio::ip::make_address(options_.address, ec);
    if (ec)
      return fail(ErrorKind::Invalid,
                  "the listen address " + options_.address + " is not a numeric address");
    auto& io = loops_.front()->io;
    tcp::acceptor acceptor(io);
    const tcp::endpoint endpoint(address, options_.port);
    acceptor.open(endpoint.protocol(), ec);
    if (!ec) acceptor.set_option(asio::socket_base::reuse_address(true), ec);
    if (!ec) acceptor.bind(endpoint, ec);
    if (!ec) acceptor.listen(asio::socket_base::max_listen_connections, ec);
    if (ec)
      return fail(ErrorKind::Unavailable, "cannot listen on " + options_.address + ":" +
                                              std::to_string(options_.port) + ": " + ec.message());
    port_ = acceptor.local_endpoint().port();
    asio::co_spawn(io, accept(this, std::move(acceptor)), [](std::exception_ptr) {});
    for (auto& loop : loops_) threads_.emplace_back([&loop] { loop->io.run(); });
    return {};
  }

  std::uint16_t port() const override { return port_; }

  Result<void> reload(std::shared_ptr<const TlsIdentity> tls) override {
    auto context = make_server_context(*tls, options_.request_client_certificate);
    if (!context) return fail(context.error());
    std::lock_guard lock(mutex_);
    context_ = *context;
    return {};
  }

  void stop() override {
    for (auto& loop : loops_) loop->io.stop();
    for (auto& thread : threads_)
      if (thread.joinable()) thread.join();
  }

 private:
  // A thread's own: a connection stays on one thread, so that threads do not wait for each other.
  struct Loop {
    asio::io_context io{1};
    asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  };

  static asio::awaitable<void> accept(ServerImpl* self, tcp::acceptor acceptor) {
    for (std::size_t next = 0;; next = (next + 1) % self->loops_.size()) {
      error_code ec;
      tcp::socket socket(self->loops_[next]->io);
      co_await acceptor.async_accept(socket, redirect_error(use_awaitable, ec));
      if (ec == asio::error::operation_aborted) co_return;
      if (ec) {
        // Out of descriptors, most likely: a pause lets others close before the next try.
        asio::steady_timer pause(acceptor.get_executor(), std::chrono::milliseconds(50));
        co_await pause.async_wait(redirect_error(use_awaitable, ec));
        continue;
      }
      if (self->connections_.load() >= self->options_.max_connections) continue;
      const auto executor = socket.get_executor();
      ++self->connections_;
      asio::co_spawn(executor, serve(self, std::move(socket)),
                     [self](std::exception_ptr) { --self->connections_; });
    }
  }

  static asio::awaitable<void> serve(ServerImpl* self, tcp::socket socket) {
    error_code ec;
    socket.set_option(tcp::no_delay(true), ec);
    const auto remote = socket.remote_endpoint(ec);
    std::string peer = ec ? std::string() : remote.address().to_string();
    std::shared_ptr<ssl::context> context;
    {
      std::lock_guard lock(self->mutex_);
      context = self->context_;
    }
    if (!context) {
      beast::tcp_stream stream(std::move(socket));
      co_await requests(self, stream, std::move(peer), nullptr);
      stream.socket().shutdown(tcp::socket::shutdown_both, ec);
      co_return;
    }
    TlsStream stream(beast::tcp_stream(std::move(socket)), *context);
    beast::get_lowest_layer(stream).expires_after(self->options_.request_timeout);
    co_await stream.async_handshake(ssl::stream_base::server, redirect_error(use_awaitable, ec));
    if (ec) co_return;
    auto certificate = self->options_.request_client_certificate
                           ? peer_certificate(stream.native_handle())
                           : nullptr;
    co_await requests(self, stream, std::move(peer), std::move(certificate));
    beast::get_lowest_layer(stream).expires_after(std::chrono::seconds(1));
    co_await stream.async_shutdown(redirect_error(use_awaitable, ec));
  }

  template <typename Stream>
  static asio::awaitable<void> requests(ServerImpl* self, Stream& stream, std::string peer,
                                        std::shared_ptr<const PeerCertificate> certificate) {
    beast::flat_buffer buffer;
    buffer.reserve(kRequestBuffer);
    for (bool keep_alive = true; keep_alive;) {
      auto incoming = co_await receive(self, stream, buffer);
      if (!incoming) co_return;
      keep_alive = incoming->keep_alive;
      Response response;
      if (incoming->refusal) {
        response = std::move(*incoming->refusal);
      } else {
        incoming->request.peer = peer;
        incoming->request.certificate = certificate;
        response = co_await answer(self, stream.get_executor(), std::move(incoming->request));
      }
      auto message = to_beast(std::move(response), incoming->version, keep_alive, incoming->head);
      beast::get_lowest_layer(stream).expires_after(self->options_.request_timeout);
      bhttp::response_serializer<bhttp::string_body> serializer(message);
      error_code ec;
      if (incoming->head) {
        co_await bhttp::async_write_header(stream, serializer, redirect_error(use_awaitable, ec));
      } else {
        co_await bhttp::async_write(stream, serializer, redirect_error(use_awaitable, ec));
      }
      if (ec) co_return;
    }
  }

  // One request, or an answer to one that cannot be understood. Nothing when the connection is
  // over.
  struct Incoming {
    Request request;
    std::optional<Response> refusal;
    unsigned version = 11;
    bool head = false;
    bool keep_alive = false;
  };

  template <typename Stream>
  static asio::awaitable<std::optional<Incoming>> receive(ServerImpl* self, Stream& stream,
                                                          beast::flat_buffer& buffer) {
    const auto& options = self->options_;
    error_code ec;
    Parser parser;
    parser.header_limit(static_cast<std::uint32_t>(options.max_header_bytes));
    parser.body_limit(options.max_body_bytes);
    if (buffer.size() == 0) {
      // Waiting for the next request may take the idle time; receiving it may not.
      beast::get_lowest_layer(stream).expires_after(options.idle_timeout);
      const auto space = buffer.prepare(kRequestBuffer);
      const auto got = co_await stream.async_read_some(space, redirect_error(use_awaitable, ec));
      if (ec) co_return std::nullopt;
      buffer.commit(got);
    }
    beast::get_lowest_layer(stream).expires_after(options.request_timeout);
    co_await bhttp::async_read(stream, buffer, parser, redirect_error(use_awaitable, ec));
    beast::get_lowest_layer(stream).expires_never();
    Incoming incoming;
    if (!ec) {
      incoming.version = parser.get().version();
      incoming.head = parser.get().method() == bhttp::verb::head;
      incoming.keep_alive = parser.keep_alive();
      incoming.request = to_request(parser);
      co_return incoming;
    }
    if (ec == bhttp::error::end_of_stream || ec == bhttp::error::partial_message)
      co_return std::nullopt;
    if (ec == bhttp::error::body_limit) {
      incoming.refusal = text_response(413, "the request's body is too large\n");
    } else if (ec == bhttp::error::header_limit) {
      incoming.refusal = text_response(431, "the request's header is too large\n");
    } else if (ec.category() == bhttp::make_error_code(bhttp::error::bad_method).category()) {
      incoming.refusal = text_response(400, "this is not HTTP: " + ec.message() + "\n");
    } else {
      co_return std::nullopt;
    }
    co_return incoming;
  }

  static asio::awaitable<Response> answer(ServerImpl* self, asio::any_io_executor executor,
                                          Request request) {
    auto exchange = std::make_shared<Exchange>();
    {
      const auto answering = std::make_shared<Answering>(exchange);
      try {
        self->handler_(std::move(request), [answering](Response response) {
          answering->exchange->put(std::move(response));
        });
      } catch (const std::exception& broken) {
        // A fault of the handler's; one request must not bring down the others.
        exchange->put(text_response(500, std::string("internal error: ") + broken.what() + "\n"));
      }
    }
    auto response = co_await Exchange::wait(exchange, executor, self->options_.request_timeout);
    if (!response) co_return text_response(504, "no answer within the request timeout\n");
    co_return std::move(*response);
  }

  // Constant after construction.
  const ServerOptions options_;
  const Handler handler_;
  std::uint16_t port_ = 0;
  std::atomic<std::size_t> connections_{0};
  // Protected by mutex_.
  std::mutex mutex_;
  std::shared_ptr<ssl::context> context_;

  std::vector<std::thread> threads_;
  // Last, so that the connections' frames, which refer to the members above, go first.
  std::vector<std::unique_ptr<Loop>> loops_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::start(ServerOptions options, Handler handler) {
  auto server = std::make_unique<ServerImpl>(std::move(options), std::move(handler));
  auto listening = server->listen();
  if (!listening) return fail(listening.error());
  return server;
}

}  // namespace mcpfleet::http
