#include "proxy/access_log.h"

#include <algorithm>

#include "log/log.h"
#include "mcp/methods.h"

namespace mcpfleet::proxy {
namespace {

double seconds(Duration time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

void log_access(const AccessLine& line, const GatewayServer& server,
                const GatewayRequest& request) {
  const auto call = std::ranges::find_if(request.messages, [](const auto& message) {
    return message.kind() == mcp::Message::Kind::Request;
  });
  const auto method =
      call == request.messages.end() ? std::string_view() : mcp::method_label(call->method);
  log::info("call", {{"server", server.text()},
                     {"method", method},
                     {"tool", method == "tools/call" ? call->name : std::string()},
                     {"status", line.status},
                     {"failed", line.failed},
                     {"pod", line.pod},
                     {"tries", line.tries},
                     {"seconds", seconds(line.took)},
                     {"connectSeconds", seconds(line.connect)},
                     {"firstByteSeconds", seconds(line.first_byte)},
                     {"client", line.client}});
}

}  // namespace mcpfleet::proxy
