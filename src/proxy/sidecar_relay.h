// Where a sidecar passes requests on to: the HTTP server of its pod, or the pod that owns the
// session.
#pragma once

#include <string>

#include "proxy/client_link.h"
#include "proxy/runtime.h"

namespace mcpfleet::proxy {

// Both answer the client in every case. `session` is what the server calls it, `sealed` what the
// client does; empty: the request has none.
Task<> pass_to_server(Runtime& runtime, ClientLink& client, std::string session,
                      std::string sealed);
Task<> pass_to_owner(Runtime& runtime, ClientLink& client, SealedSession session,
                     std::string sealed);

// 503 while the pod drains: what would begin a session.
Answer refusal_of_session(ClientLink& client, std::string_view id);

}  // namespace mcpfleet::proxy
