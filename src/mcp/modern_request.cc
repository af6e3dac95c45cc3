#include "mcp/modern_request.h"

#include <algorithm>
#include <cstdint>

#include "mcp/headers.h"

namespace mcpfleet::mcp {
namespace {

constexpr std::string_view kPrefix = "=?base64?";
constexpr std::string_view kSuffix = "?=";

std::string base64(std::string_view bytes) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto three = bytes.substr(i, 3);
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k)
      bits = bits << 8 | (k < three.size() ? static_cast<unsigned char>(three[k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k)
      text += k <= three.size() ? kDigits[bits >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

bool is_plain(std::string_view value) {
  const auto visible = [](char c) { return (c >= ' ' && c <= '~') || c == '\t'; };
  if (!std::ranges::all_of(value, visible)) return false;
  if (!value.empty() && (value.front() <= ' ' || value.back() <= ' ')) return false;
  return !(value.starts_with(kPrefix) && value.ends_with(kSuffix));
}

// What Mcp-Name mirrors; null where the method has none.
const std::string* named(const Message& request) {
  if (request.method == "tools/call" || request.method == "prompts/get") return &request.name;
  return request.method == "resources/read" ? &request.uri : nullptr;
}

Refusal mismatch(std::string text) { return {ErrorCode::HeaderMismatch, std::move(text)}; }

std::optional<Refusal> refuse_field(std::string_view field,
                                    const std::optional<std::string_view>& value,
                                    std::string_view in_body) {
  if (!value) return mismatch("the header field " + std::string(field) + " is missing");
  // A client may encode what needs it not. A text that was cut while it was read tells nothing.
  if (in_body.size() >= MessageScanner::kMaxText || *value == header_value(in_body) ||
      *value == std::string(kPrefix).append(base64(in_body)).append(kSuffix))
    return std::nullopt;
  return mismatch("the header field " + std::string(field) + " does not say what the body says");
}

}  // namespace

std::string header_value(std::string_view value) {
  if (is_plain(value)) return std::string(value);
  return std::string(kPrefix).append(base64(value)).append(kSuffix);
}

bool is_modern(const Message& request, const MirrorFields& fields) {
  return !request.protocol_version.empty() || request.method == "server/discover" ||
         request.method == "subscriptions/listen" ||
         fields.protocol_version.value_or("") >= kStatelessVersion;
}

std::optional<Refusal> refuse_modern(const Message& request, const MirrorFields& fields) {
  if (!fields.protocol_version) return mismatch("the header field MCP-Protocol-Version is missing");
  if (request.protocol_version.empty())
    return Refusal{ErrorCode::InvalidParams,
                   "params._meta must have io.modelcontextprotocol/protocolVersion"};
  if (!request.has_client_capabilities)
    return Refusal{ErrorCode::InvalidParams,
                   "params._meta must have io.modelcontextprotocol/clientCapabilities"};
  if (auto version =
          refuse_field("MCP-Protocol-Version", fields.protocol_version, request.protocol_version))
    return version;
  if (auto method = refuse_field("Mcp-Method", fields.method, request.method)) return method;
  const auto* const name = named(request);
  return name == nullptr ? std::nullopt : refuse_field("Mcp-Name", fields.name, *name);
}

int status_of_modern(int error_code) {
  switch (error_code) {
    case static_cast<int>(ErrorCode::MethodNotFound):
      return 404;
    case static_cast<int>(ErrorCode::ParseError):
    case static_cast<int>(ErrorCode::InvalidRequest):
    case static_cast<int>(ErrorCode::InvalidParams):
    case static_cast<int>(ErrorCode::HeaderMismatch):
    case static_cast<int>(ErrorCode::MissingCapability):
    case static_cast<int>(ErrorCode::UnsupportedVersion):
      return 400;
    default:
      return 200;
  }
}

}  // namespace mcpfleet::mcp
