// A sidecar's HTTP face: which request goes where.
#pragma once

#include "proxy/client_link.h"
#include "proxy/error_answer.h"
#include "proxy/runtime.h"

namespace mcpfleet::proxy {

// Answers one request of a client.
Task<> answer_client(Runtime& runtime, ClientLink& client);

// Answers one request for a server that does not speak Streamable HTTP. `session` is what the
// server calls it; empty: the request has none.
Task<> answer_by_bridge(Runtime& runtime, ClientLink& client, std::string session,
                        std::string sealed);

}  // namespace mcpfleet::proxy
