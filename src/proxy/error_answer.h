// Answers that the proxy gives by itself, as JSON-RPC errors.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mcp/json_rpc.h"
#include "mcp/message_scanner.h"
#include "proxy/client_link.h"

namespace mcpfleet::proxy {

// A JSON-RPC error over HTTP. `id` is raw JSON; empty: null.
Answer error_answer(int status, std::string_view id, mcp::ErrorCode code, std::string_view text,
                    std::string fields = {});

// 404, on which the specification tells clients to begin a new session.
Answer session_not_found(const ClientLink& client, std::string_view why);

// The raw id of the first request in there, for error answers; empty: none.
std::string first_request_id(const std::vector<mcp::Message>& messages);
std::string id_of(const ClientLink& client);

}  // namespace mcpfleet::proxy
