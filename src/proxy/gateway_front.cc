#include "proxy/gateway_front.h"

#include "proxy/error_answer.h"
#include "proxy/gateway_exchange.h"
#include "proxy/request_line.h"

namespace mcpfleet::proxy {
namespace {

namespace http = boost::beast::http;
using mcp::ErrorCode;

// What is told where no server answers at this target.
Answer no_server(const GatewayPlane& plane, const ClientLink& client, std::string_view target) {
  const auto key = routing::server_in(target);
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
  const auto key = routing::server_in(target);
  auto server = key ? plane.find(*key) : nullptr;
  if (server == nullptr) {
    auto reply = no_server(plane, client, target);
    co_await client.answer(std::move(reply));
    co_return;
  }
  if (!is_method_of_mcp(request.method())) {
    auto reply = method_not_allowed();
    co_await client.answer(std::move(reply));
    co_return;
  }
  const auto verb = request.method();
  const ExchangeCount count(plane, verb == http::verb::post || verb == http::verb::delete_);
  co_await exchange(plane, client, std::move(server));
}

}  // namespace mcpfleet::proxy
