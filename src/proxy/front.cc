#include "proxy/front.h"

#include "mcp/headers.h"
#include "mcp/methods.h"
#include "mcp/origin.h"
#include "proxy/bridge_service.h"
#include "proxy/relay.h"
#include "proxy/request_line.h"
#include "proxy/sidecar_relay.h"

namespace mcpfleet::proxy {
namespace {

namespace http = boost::beast::http;
using mcp::ErrorCode;

// A gateway keeps a connection for as long as an MCPGateway may say (timeouts.idle), and closes it
// first. Who only claims to be one gains what a stream to listen on gives to all.
constexpr Duration kGatewayIdle = std::chrono::hours(24) + std::chrono::minutes(1);

Task<> answer_here(Runtime& runtime, ClientLink& client, std::string session, std::string sealed) {
  if (runtime.bridge == nullptr) {
    co_await pass_to_server(runtime, client, std::move(session), std::move(sealed));
    co_return;
  }
  co_await answer_by_bridge(runtime, client, std::move(session), std::move(sealed));
}

// Where a server tells clients whom to ask for a token (RFC 9728): beside its path, and its own.
bool is_metadata(const Runtime& runtime, const HttpRequest& request) {
  return runtime.bridge == nullptr && to_view(request.target()).starts_with("/.well-known/") &&
         request.method() != http::verb::post && request.method() != http::verb::delete_ &&
         is_method_of_mcp(request.method());
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

}  // namespace

Task<> answer_client(Runtime& runtime, ClientLink& client) {
  const auto& request = client.request();
  if (runtime.drain.draining()) client.close_after_answer();
  if (client.field(kForwardedField)) client.wait_for_requests(kGatewayIdle);
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
  if (!is_method_of_mcp(request.method())) {
    auto reply = method_not_allowed();
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

}  // namespace mcpfleet::proxy
