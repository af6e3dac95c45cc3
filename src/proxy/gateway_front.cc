#include "proxy/gateway_front.h"

#include "proxy/error_answer.h"
#include "proxy/gateway_exchange.h"
#include "proxy/request_line.h"

namespace mcpfleet::proxy {
namespace {

namespace http = boost::beast::http;
using mcp::ErrorCode;

// The server that a target is about.
std::optional<std::string_view> server_of(std::string_view target) {
  if (const auto document = routing::well_known_in(target)) return document->server;
  return routing::server_in(target);
}

// RFC 9728 has them read alone.
bool may_ask(boost::beast::http::verb method, bool document) {
  const bool writes = method == http::verb::post || method == http::verb::delete_;
  return is_method_of_mcp(method) && !(document && writes);
}

// What is told where no server answers at this target.
Answer no_server(const GatewayPlane& plane, const ClientLink& client, std::string_view target) {
  const auto key = server_of(target);
  if (!key)
    return error_answer(404, id_of(client), ErrorCode::InvalidRequest,
                        "there is nothing here; MCP is at /{namespace}/{name}/mcp");
  if (!plane.source.complete)
    return error_answer(503, id_of(client), ErrorCode::ServerError,
                        "this gateway does not know its servers yet; try again",
                        "Retry-After: 1\r\n");
  return error_answer(404, id_of(client), ErrorCode::InvalidRequest,
                      "there is no MCPServer " + std::string(*key) + " here");
}

}  // namespace

Task<> answer_client(GatewayPlane& plane, ClientLink& client) {
  const auto& request = client.request();
  if (plane.drain.draining()) client.close_after_answer();
  const auto target = path_of(to_view(request.target()));
  const auto key = server_of(target);
  auto server = key ? plane.find(*key) : nullptr;
  if (server == nullptr) {
    auto reply = no_server(plane, client, target);
    co_await client.answer(std::move(reply));
    co_return;
  }
  const auto document = routing::well_known_in(target);
  if (!may_ask(request.method(), document.has_value())) {
    auto reply = document ? error_answer(405, {}, ErrorCode::InvalidRequest, "this is only for GET",
                                         "Allow: GET, HEAD, OPTIONS\r\n")
                          : method_not_allowed();
    co_await client.answer(std::move(reply));
    co_return;
  }
  const auto verb = request.method();
  const ExchangeCount count(plane, verb == http::verb::post || verb == http::verb::delete_);
  std::string name(document ? document->document : std::string_view());
  co_await exchange(plane, client, std::move(server), std::move(name));
}

}  // namespace mcpfleet::proxy
