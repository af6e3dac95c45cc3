// The access log: one line a call.
#pragma once

#include <string>

#include "base/clock.h"
#include "proxy/gateway_request.h"
#include "proxy/gateway_server.h"

namespace mcpfleet::proxy {

struct AccessLine {
  std::string client;  // numeric address
  std::string pod;     // that was asked last; empty: none
  int status = 0;      // 0: the client went away before there was one
  int tries = 0;
  bool failed = false;  // one of its requests did
  Duration took{0};
  Duration connect{0};     // of all tries
  Duration first_byte{0};  // of the last one
};

// No secret is in it: no header fields, no session id, no body.
void log_access(const AccessLine& line, const GatewayServer& server, const GatewayRequest& request);

}  // namespace mcpfleet::proxy
