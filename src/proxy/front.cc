#include "proxy/front.h"

#include "mcp/headers.h"
#include "proxy/request_line.h"
#include "proxy/sidecar_relay.h"
#include "proxy/stdio_service.h"

namespace mcpfleet::proxy {
namespace {

namespace http = boost::beast::http;
using mcp::ErrorCode;

Task<> answer_here(Runtime& runtime, ClientLink& client, std::string session, std::string sealed) {
  if (runtime.stdio == nullptr) {
    co_await pass_to_server(runtime, client, std::move(session), std::move(sealed));
    co_return;
  }
  if (session.empty() && runtime.drain.refuses_sessions(runtime.now())) {
    auto reply = refusal_of_session(client, {});
    co_await client.answer(std::move(reply));
    co_return;
  }
  co_await answer_from_stdio(runtime, client, std::move(session), std::move(sealed));
}

}  // namespace

Task<> answer_client(Runtime& runtime, ClientLink& client) {
  const auto& request = client.request();
  if (runtime.drain.draining()) client.close_after_answer();
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
  const auto verb = request.method();
  const ExchangeCount count(runtime, verb == http::verb::post || verb == http::verb::delete_);
  std::string sealed(client.field(mcp::kSessionId).value_or(""));
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
