#include "mcp/methods.h"

#include <algorithm>
#include <array>

namespace mcpfleet::mcp {
namespace {

constexpr std::array<std::string_view, 19> kMethods{"completion/complete",
                                                    "initialize",
                                                    "logging/setLevel",
                                                    "ping",
                                                    "prompts/get",
                                                    "prompts/list",
                                                    "resources/list",
                                                    "resources/read",
                                                    "resources/subscribe",
                                                    "resources/templates/list",
                                                    "resources/unsubscribe",
                                                    "server/discover",
                                                    "subscriptions/listen",
                                                    "tasks/cancel",
                                                    "tasks/get",
                                                    "tasks/list",
                                                    "tasks/result",
                                                    "tools/call",
                                                    "tools/list"};
static_assert(std::ranges::is_sorted(kMethods));

}  // namespace

std::string_view method_label(std::string_view method) {
  const auto found = std::ranges::lower_bound(kMethods, method);
  return found != kMethods.end() && *found == method ? *found : kOtherMethod;
}

bool is_subscription(std::string_view method) { return method == "subscriptions/listen"; }

bool may_be_refused(std::string_view method) { return method == "server/discover"; }

}  // namespace mcpfleet::mcp
