#include "proxy/front.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "log/log.h"
#include "mcp/headers.h"
#include "mcp/methods.h"
#include "mcp/origin.h"
#include "proxy/relay.h"
#include "proxy/stdio_service.h"

namespace mcpfleet::proxy {
namespace {

namespace http = boost::beast::http;
using mcp::ErrorCode;

constexpr std::size_t kMaxClients = 20'000;
constexpr std::string_view kAllow = "Allow: GET, POST, DELETE, HEAD, OPTIONS\r\n";

// The path of a request's target, without query and without a slash at the end.
std::string_view path_of(std::string_view target) {
  target = target.substr(0, target.find('?'));
  if (target.size() > 1 && target.ends_with('/')) target.remove_suffix(1);
  return target;
}

// Counts a POST or DELETE for the drain while it is being answered.
class ExchangeCount {
 public:
  ExchangeCount(Runtime& runtime, bool counts) : runtime_(runtime), counts_(counts) {
    if (counts_) ++runtime_.exchanges;
  }
  ~ExchangeCount() {
    if (counts_) --runtime_.exchanges;
  }
  ExchangeCount(const ExchangeCount&) = delete;
  ExchangeCount& operator=(const ExchangeCount&) = delete;

 private:
  Runtime& runtime_;
  bool counts_;
};

Answer session_not_found(const ClientLink& client, const std::string& why) {
  return error_answer(404, id_of(client), ErrorCode::SessionNotFound,
                      "session not found: " + why + "; start a new session");
}

// Passes a request on to the pod that owns its session.
Task<> pass_to_owner(Runtime& runtime, ClientLink& client, SealedSession session,
                     std::string sealed) {
  error_code ec;
  const auto address = asio::ip::make_address(session.owner.ip, ec);
  const bool forwarded = client.field(kForwardedField).has_value();
  // A pod of the same name with another address is an earlier life of this one.
  if (ec || forwarded || session.owner.pod == runtime.self.pod) {
    auto reply = session_not_found(client, "its pod " + session.owner.pod + " is gone");
    co_await client.answer(std::move(reply));
    co_return;
  }
  ++runtime.forwarded;
  RelayTarget target{{address, session.owner.port}, true, session.owner.pod, sealed, sealed};
  co_await relay(runtime, client, std::move(target), nullptr);
}

bool starts_session(const std::vector<mcp::Message>& messages) {
  return std::ranges::any_of(messages, [](const auto& m) { return m.method == "initialize"; });
}

Task<> refuse_new_session(ClientLink& client, const std::vector<mcp::Message>& messages) {
  auto id = first_request_id(messages);
  client.close_after_answer();
  auto reply = error_answer(503, std::move(id), ErrorCode::ServerError,
                            "this pod is about to end and takes no new session; try again",
                            "Retry-After: 1\r\n");
  co_await client.answer(std::move(reply));
}

// To the HTTP server of this pod.
Task<> pass_to_server(Runtime& runtime, ClientLink& client, std::string session,
                      std::string sealed) {
  RelayTarget target{runtime.upstream, false, {}, std::move(session), std::move(sealed)};
  if (client.request().method() != http::verb::post) {
    co_await relay(runtime, client, std::move(target), nullptr);
    co_return;
  }
  mcp::MessageScanner scanner;
  if (!scanner.feed(client.request().body()) || !scanner.finish()) {
    auto text = "the request's body is not a JSON-RPC message: " + std::string(scanner.problem());
    auto reply = error_answer(400, {}, ErrorCode::ParseError, std::move(text));
    co_await client.answer(std::move(reply));
    co_return;
  }
  const bool starts = target.session.empty() && starts_session(scanner.messages());
  if (starts && runtime.drain.refuses_sessions(runtime.now())) {
    co_await refuse_new_session(client, scanner.messages());
    co_return;
  }
  OpenCalls calls(runtime.stats, scanner.messages(), runtime.now());
  co_await relay(runtime, client, std::move(target), &calls);
}

Task<> answer_here(Runtime& runtime, ClientLink& client, std::string session, std::string sealed) {
  if (runtime.stdio == nullptr) {
    co_await pass_to_server(runtime, client, std::move(session), std::move(sealed));
    co_return;
  }
  co_await answer_from_stdio(runtime, client, std::move(session), std::move(sealed));
}

bool allowed(http::verb verb) {
  return verb == http::verb::get || verb == http::verb::post || verb == http::verb::delete_ ||
         verb == http::verb::head || verb == http::verb::options;
}

// Where a server tells clients whom to ask for a token (RFC 9728): beside its path, and its own.
bool is_metadata(const Runtime& runtime, const HttpRequest& request) {
  return runtime.stdio == nullptr && to_view(request.target()).starts_with("/.well-known/") &&
         request.method() != http::verb::post && request.method() != http::verb::delete_ &&
         allowed(request.method());
}

// The session that a request names. Those of 2026-07-28 have none, whatever the field says.
std::string named_session(const ClientLink& client) {
  if (client.field(mcp::kProtocolVersion).value_or("") >= mcp::kStatelessVersion) return {};
  return std::string(client.field(mcp::kSessionId).value_or(""));
}

// Whether the drain waits for the end of its answer: a subscription has none of its own.
bool ends_by_itself(const ClientLink& client) {
  const auto verb = client.request().method();
  return verb == http::verb::delete_ ||
         (verb == http::verb::post &&
          !mcp::is_subscription(client.field(mcp::kMethod).value_or("")));
}

Task<> handle(Runtime& runtime, ClientLink& client) {
  const auto& request = client.request();
  if (runtime.drain.draining()) client.close_after_answer();
  const auto origin = client.field("Origin");
  if (origin && !mcp::origin_allowed(*origin, runtime.options.allowed_origins)) {
    auto reply = error_answer(403, {}, ErrorCode::InvalidRequest,
                              "the header field Origin names a page that may not use this server");
    co_await client.answer(std::move(reply));
    co_return;
  }
  if (is_metadata(runtime, request)) {
    co_await pass_to_server(runtime, client, {}, {});
    co_return;
  }
  if (path_of(to_view(request.target())) != path_of(runtime.options.path)) {
    auto reply = error_answer(404, {}, ErrorCode::InvalidRequest,
                              "there is nothing here; MCP is at " + runtime.options.path);
    co_await client.answer(std::move(reply));
    co_return;
  }
  if (!allowed(request.method())) {
    auto reply = error_answer(405, {}, ErrorCode::InvalidRequest, "MCP knows GET, POST and DELETE",
                              std::string(kAllow));
    co_await client.answer(std::move(reply));
    co_return;
  }
  const ExchangeCount count(runtime, ends_by_itself(client));
  std::string sealed = named_session(client);
  if (sealed.empty()) {
    co_await answer_here(runtime, client, {}, {});
    co_return;
  }
  auto session = runtime.seal.open(sealed);
  if (!session) {
    auto reply = session_not_found(client, "this id is not one of ours");
    co_await client.answer(std::move(reply));
  } else if (session->owner == runtime.self) {
    co_await answer_here(runtime, client, std::move(session->backend_id), std::move(sealed));
  } else {
    co_await pass_to_owner(runtime, client, std::move(*session), std::move(sealed));
  }
}

Task<> serve_client(Runtime& runtime, std::unique_ptr<ClientLink> client) {
  for (;;) {
    const bool got = co_await client->read_request();
    if (!got) break;
    co_await handle(runtime, *client);
    client->stop_watching();
    if (!client->keep_open()) break;
  }
}

// What a client does must not end the others: a fault of one connection ends that connection.
void on_client_end(const std::exception_ptr& problem) {
  if (!problem) return;
  try {
    std::rethrow_exception(problem);
  } catch (const std::exception& fault) {
    log::error("a connection ended by a fault", {{"reason", fault.what()}});
  }
}

}  // namespace

std::string first_request_id(const std::vector<mcp::Message>& messages) {
  const auto found = std::ranges::find_if(
      messages, [](const auto& m) { return m.kind() == mcp::Message::Kind::Request; });
  return found == messages.end() ? std::string() : found->id;
}

std::string id_of(const ClientLink& client) {
  mcp::MessageScanner scanner;
  const bool understood = scanner.feed(client.request().body()) && scanner.finish();
  return understood ? first_request_id(scanner.messages()) : std::string();
}

Answer error_answer(int status, std::string_view id, ErrorCode code, std::string_view text,
                    std::string fields) {
  return {status, mcp::error_text(id, code, text), std::move(fields)};
}

Task<> accept_clients(Runtime& runtime, Acceptor& acceptor) {
  while (acceptor.is_open()) {
    error_code ec;
    Socket socket(runtime.io);
    co_await acceptor.async_accept(socket, caught(ec));
    if (ec == asio::error::operation_aborted) break;
    if (ec) {
      log::warn("a connection could not be accepted", {{"reason", ec.message()}});
      Timer pause(runtime.io, std::chrono::milliseconds(100));  // for example no descriptors left
      co_await pause.async_wait(caught(ec));
      continue;
    }
    if (runtime.sweeper.size() >= kMaxClients) continue;
    asio::co_spawn(runtime.io,
                   serve_client(runtime, std::make_unique<ClientLink>(runtime, std::move(socket))),
                   on_client_end);
  }
}

}  // namespace mcpfleet::proxy
