#include "http/client.h"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <future>
#include <list>
#include <map>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "http/connection.h"
#include "http/stream.h"
#include "http/tls.h"

namespace mcpfleet::http {
namespace {

// Why one try of a call failed, and whether the server can have seen the request.
struct Failure {
  Error error;
  bool stale = false;  // a pooled connection that ended before one byte of the answer
};

// Errors are values here: what is thrown is a broken promise of ours or of a callback, and must be
// seen.
void rethrow(std::exception_ptr thrown) {
  if (thrown) std::rethrow_exception(thrown);
}

class ClientImpl final : public Client {
 public:
  ClientImpl(ClientOptions options, std::shared_ptr<ssl::context> context)
      : options_(std::move(options)),
        connector_(io_, options_, std::move(context)),
        work_(io_.get_executor()) {
    thread_ = std::thread([this] { io_.run(); });
  }

  ~ClientImpl() override {
    asio::post(io_, [this] {
      closing_ = true;
      pools_.clear();
      connector_.close_all();
      for (auto* connection : active_) connection->close();
      for (auto& stream : streams_)
        if (auto running = stream.lock()) running->abandon();
      for (auto* timer : waiting_) timer->cancel();
      work_.reset();
    });
    thread_.join();
  }

  void send(const Endpoint& endpoint, Request request, CallLimits limits,
            Callback callback) override {
    const Time deadline =
        std::min(Time{limits.deadline}, Time{std::chrono::steady_clock::now() + limits.timeout});
    asio::post(io_, [this, endpoint, request = std::move(request), limits, deadline,
                     callback = std::move(callback)]() mutable {
      asio::co_spawn(io_,
                     run(this, endpoint, to_beast(endpoint, std::move(request)), limits, deadline,
                         std::move(callback)),
                     rethrow);
    });
  }

  std::unique_ptr<Stream> open(const Endpoint& endpoint, Request request,
                               std::chrono::milliseconds idle, StreamHandler handler) override {
    auto stream = std::make_shared<StreamImpl>(io_, std::move(handler));
    asio::post(io_, [this, stream, endpoint, request = std::move(request), idle]() mutable {
      streams_.remove_if([](const auto& known) { return known.expired(); });
      streams_.push_back(stream);
      const auto deadline = std::chrono::steady_clock::now() + options_.connect_timeout;
      asio::co_spawn(io_,
                     run_stream(&connector_, stream, endpoint,
                                to_beast(endpoint, std::move(request)), deadline, idle),
                     rethrow);
    });
    return std::make_unique<StreamHandle>(std::move(stream));
  }

 private:
  struct Pool {
    std::vector<RestingConnection> idle;  // newest last
    std::size_t open = 0;                 // lent out
    std::list<asio::steady_timer*> line;  // calls that wait for a connection, oldest first
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
      auto connected = co_await Connector::connect(&self->connector_, endpoint, deadline);
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
    if (std::chrono::steady_clock::now() >= deadline) {
      ec = beast::error::timeout;
    } else if (secure) {
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
    // Bytes beyond the answer are none that anybody asked for.
    if (parser.get().keep_alive() && !self->closing_ && connection->buffer.size() == 0)
      self->pool(endpoint, std::move(connection));
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
    const auto young = std::ranges::find_if(
        idle, [oldest](const auto& resting) { return resting.since() >= oldest; });
    idle.erase(idle.begin(), young);
    while (!idle.empty()) {
      auto connection = std::move(idle.back()).take();
      idle.pop_back();
      if (connection) return connection;
    }
    return nullptr;
  }

  void pool(const Endpoint& endpoint, std::unique_ptr<Connection> connection) {
    connection->used_before = true;
    pools_[endpoint].idle.emplace_back(std::move(connection), std::chrono::steady_clock::now());
  }

  // Constant after construction.
  const ClientOptions options_;
  asio::io_context io_{1};
  Connector connector_;
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
