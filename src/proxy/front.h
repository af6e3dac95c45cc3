// The data plane's HTTP face: which request goes where.
#pragma once

#include "mcp/json_rpc.h"
#include "proxy/client_link.h"
#include "proxy/runtime.h"

namespace mcpfleet::proxy {

// Accepts clients until the acceptor is closed.
Task<> accept_clients(Runtime& runtime, Acceptor& acceptor);

// Answers one request that the stdio server of this pod is to answer. `session` is what the server
// calls it; empty: the request has none.
Task<> answer_from_stdio(Runtime& runtime, ClientLink& client, std::string session,
                         std::string sealed);

// A JSON-RPC error over HTTP. `id` is raw JSON; empty: null.
Answer error_answer(int status, std::string_view id, mcp::ErrorCode code, std::string_view text,
                    std::string fields = {});

// The raw id of the first request in there, for error answers; empty: none.
std::string first_request_id(const std::vector<mcp::Message>& messages);
std::string id_of(const ClientLink& client);

}  // namespace mcpfleet::proxy
