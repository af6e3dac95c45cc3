#include "proxy/error_answer.h"

#include <algorithm>

namespace mcpfleet::proxy {

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

Answer error_answer(int status, std::string_view id, mcp::ErrorCode code, std::string_view text,
                    std::string fields) {
  return {status, mcp::error_text(id, code, text), std::move(fields)};
}

Answer session_not_found(const ClientLink& client, std::string_view why) {
  return error_answer(404, id_of(client), mcp::ErrorCode::SessionNotFound,
                      "session not found: " + std::string(why) + "; start a new session");
}

}  // namespace mcpfleet::proxy
