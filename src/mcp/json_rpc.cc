#include "mcp/json_rpc.h"

#include <nlohmann/json.hpp>

namespace mcpfleet::mcp {
namespace {

std::string wrap(std::string_view id, const nlohmann::ordered_json& error) {
  std::string text = R"({"jsonrpc":"2.0","id":)";
  text.append(id.empty() ? "null" : id).append(R"(,"error":)");
  text += error.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return text += "}";
}

}  // namespace

std::string error_text(std::string_view id, ErrorCode code, std::string_view message) {
  return wrap(id, {{"code", static_cast<int>(code)}, {"message", message}});
}

std::string unsupported_version_text(std::string_view id, std::string_view requested) {
  return wrap(
      id,
      {{"code", static_cast<int>(ErrorCode::UnsupportedVersion)},
       {"message",
        "Unsupported protocol version: this server needs the initialize "
        "handshake of the versions up to 2025-11-25"},
       {"data",
        {{"supported", {"2025-11-25", "2025-06-18", "2025-03-26"}}, {"requested", requested}}}});
}

std::string subscription_end_text(std::string_view id) {
  return R"({"jsonrpc":"2.0","id":)" + std::string(id) +
         R"(,"result":{"resultType":"complete","_meta":{"io.modelcontextprotocol/subscriptionId":)" +
         std::string(id) + "}}}";
}

}  // namespace mcpfleet::mcp
