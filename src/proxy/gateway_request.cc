#include "proxy/gateway_request.h"

#include <algorithm>

#include "mcp/headers.h"
#include "routing/retry.h"

namespace mcpfleet::proxy {
namespace {

namespace http = boost::beast::http;
using Kind = mcp::Message::Kind;

constexpr std::string_view kListen = "subscriptions/listen";

bool is_request(const mcp::Message& message) { return message.kind() == Kind::Request; }

// Versions are dates, so that later ones compare as greater.
bool is_stateless(const ClientLink& client) {
  return client.field(mcp::kProtocolVersion).value_or("") >= mcp::kStatelessVersion;
}

void read_messages(GatewayRequest& request) {
  const auto& messages = request.messages;
  request.listens = std::ranges::any_of(
      messages, [](const auto& m) { return is_request(m) && m.method == kListen; });
  request.calls = std::ranges::any_of(
      messages, [](const auto& m) { return is_request(m) && m.method != kListen; });
  request.starts_session =
      request.session.empty() && std::ranges::any_of(messages, [](const auto& m) {
        return is_request(m) && m.method == "initialize";
      });
  request.safe = std::ranges::all_of(
      messages, [](const auto& m) { return is_request(m) && routing::safe_to_repeat(m.method); });
}

}  // namespace

Result<GatewayRequest> read_request(const ClientLink& client) {
  GatewayRequest request;
  if (!is_stateless(client)) request.session = client.field(mcp::kSessionId).value_or("");
  const auto verb = client.request().method();
  if (verb != http::verb::post) {
    request.listens = verb == http::verb::get;
    request.safe = verb != http::verb::delete_;
    return request;
  }
  mcp::MessageScanner scanner;
  if (!scanner.feed(client.request().body()) || !scanner.finish())
    return fail(ErrorKind::Malformed,
                "the request's body is not a JSON-RPC message: " + std::string(scanner.problem()));
  request.messages = scanner.messages();
  read_messages(request);
  return request;
}

}  // namespace mcpfleet::proxy
