#include "proxy/gateway_checks.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include "fleet/json_text.h"
#include "log/log.h"

namespace mcpfleet::proxy {
namespace {

namespace http = boost::beast::http;

constexpr std::size_t kMaxAnswer = 64 * 1024;
constexpr std::string_view kPing = R"({"jsonrpc":"2.0","id":1,"method":"ping"})";

struct HttpAnswer {
  error_code problem;
  int status = 0;
  std::string body;
};

// One connection of a check, which ends when its time is over.
class CheckLink {
 public:
  CheckLink(asio::io_context& io, MonotonicTime deadline)
      : state_(std::make_shared<State>(io)), timer_(io) {
    timer_.expires_at(deadline);
    // The timer may have fired already when the link ends.
    timer_.async_wait([weak = std::weak_ptr(state_)](const error_code& cancelled) {
      const auto state = weak.lock();
      if (cancelled || state == nullptr) return;
      state->late = true;
      error_code ignored;
      state->socket.close(ignored);
    });
  }

  Task<error_code> connect(tcp::endpoint endpoint) {
    error_code ec;
    auto& socket = state_->socket;
    if (socket.is_open()) socket.close(ec);
    co_await socket.async_connect(endpoint, caught(ec));
    co_return state_->late ? error_code(asio::error::timed_out) : ec;
  }

  Task<HttpAnswer> ask(std::string request) {
    HttpAnswer answer;
    auto& ec = answer.problem;
    auto& socket = state_->socket;
    co_await asio::async_write(socket, asio::buffer(request), caught(ec));
    http::response_parser<http::string_body> parser;
    parser.body_limit(kMaxAnswer);
    boost::beast::flat_buffer buffer;
    // An answer of MCP may be a stream, whose head says enough.
    if (!ec) co_await http::async_read_header(socket, buffer, parser, caught(ec));
    if (!ec) answer.status = static_cast<int>(parser.get().result_int());
    if (!ec && parser.content_length()) {
      co_await http::async_read(socket, buffer, parser, caught(ec));
      answer.body = parser.get().body();
    }
    if (state_->late) ec = asio::error::timed_out;
    co_return answer;
  }

 private:
  struct State {
    explicit State(asio::io_context& io) : socket(io) {}
    Socket socket;
    bool late = false;
  };
  std::shared_ptr<State> state_;
  Timer timer_;
};

std::string request_text(std::string_view line, const tcp::endpoint& to, std::string_view body) {
  std::string text(line);
  text.append(" HTTP/1.1\r\nHost: ").append(to.address().to_string());
  text.append("\r\nConnection: close\r\nAccept: application/json, text/event-stream\r\n");
  if (!body.empty())
    text.append("Content-Type: application/json\r\nContent-Length: ")
        .append(std::to_string(body.size()))
        .append("\r\n");
  return text.append("\r\n").append(body);
}

routing::CheckResult failed(const std::string& what, const error_code& ec) {
  return {.error = what + ": " + ec.message()};
}

// What a sidecar says of itself.
routing::CheckResult read_health(const HttpAnswer& answer) {
  if (answer.status != 200)
    return {.error = "/health answered with status " + std::to_string(answer.status)};
  routing::CheckResult result{.ok = true};
  const auto health = fleet::parse_json(answer.body, kMaxAnswer);
  if (!health) return result;
  result.draining = fleet::truth_of(*health, "draining");
  if (fleet::member(*health, "sessions").is_number_unsigned())
    result.sessions = static_cast<std::uint32_t>(fleet::number_of(*health, "sessions"));
  if (fleet::text_of(*health, "status") == "not ready") {
    result.ok = false;
    result.error = "its sidecar says that the server is not ready";
  }
  return result;
}

Task<routing::CheckResult> check_connection(CheckLink& link, tcp::endpoint mcp) {
  const auto ec = co_await link.connect(mcp);
  if (ec) co_return failed("cannot be reached", ec);
  co_return routing::CheckResult{.ok = true};
}

// Where there is no sidecar, a connection must do.
Task<routing::CheckResult> check_sidecar(CheckLink& link, tcp::endpoint mcp, tcp::endpoint health) {
  auto ec = co_await link.connect(health);
  if (ec == asio::error::connection_refused) {
    auto result = co_await check_connection(link, mcp);
    co_return result;
  }
  if (ec) co_return failed("its sidecar cannot be reached", ec);
  auto request = request_text("GET /health", health, {});
  const auto answer = co_await link.ask(std::move(request));
  if (answer.problem) co_return failed("its sidecar did not answer", answer.problem);
  co_return read_health(answer);
}

// Whatever a server says to a ping outside of a session, it is there; but for what a proxy says of
// a server that is not.
Task<routing::CheckResult> check_mcp(CheckLink& link, tcp::endpoint mcp, std::string path) {
  const auto ec = co_await link.connect(mcp);
  if (ec) co_return failed("cannot be reached", ec);
  auto request = request_text("POST " + path, mcp, kPing);
  const auto answer = co_await link.ask(std::move(request));
  if (answer.problem) co_return failed("did not answer a ping", answer.problem);
  if (answer.status >= 500)
    co_return routing::CheckResult{.error = "answered a ping with status " +
                                            std::to_string(answer.status)};
  co_return routing::CheckResult{.ok = true};
}

Task<> check(GatewayPlane& plane, std::shared_ptr<GatewayServer> server, routing::PodId id,
             routing::Endpoint endpoint) {
  const auto settings = server->routing->settings().traffic.health;
  const auto start = plane.now();
  CheckLink link(plane.io, start + settings.timeout);
  error_code invalid;
  const auto address = asio::ip::make_address(endpoint.address, invalid);
  const tcp::endpoint mcp(address, endpoint.port);
  const tcp::endpoint sidecar(address, plane.options.sidecar_metrics_port);
  routing::CheckResult result;
  switch (settings.type) {
    case fleet::HealthCheckType::Tcp:
      result = co_await check_connection(link, mcp);
      break;
    case fleet::HealthCheckType::Http:
      result = co_await check_sidecar(link, mcp, sidecar);
      break;
    case fleet::HealthCheckType::Mcp:
      result = co_await check_mcp(link, mcp, server->path);
      break;
  }
  const auto now = plane.now();
  result.took = now - start;
  if (!server->routing->pods.checked(id, result, now)) co_return;
  log::info(result.ok ? "a pod is healthy again" : "a pod is not healthy",
            {{"server", server->text()}, {"pod", endpoint.pod}, {"reason", result.error}});
}

}  // namespace

void start_checks(GatewayPlane& plane) {
  const auto now = plane.now();
  for (const auto& [key, server] : plane.servers) {
    auto& pods = server->routing->pods;
    if (pods.next_check() > now) continue;
    while (const auto pod = pods.take_check(now))
      asio::co_spawn(plane.io, check(plane, server, *pod, pods.get(*pod)->endpoint),
                     asio::detached);
  }
}

}  // namespace mcpfleet::proxy
