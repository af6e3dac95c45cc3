#include "mcp/origin.h"

#include <algorithm>
#include <array>

namespace mcpfleet::mcp {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

// The host of "https://host:port"; empty where it is no such thing, as "null".
std::string_view host_of(std::string_view origin) {
  const auto scheme = origin.find("://");
  if (scheme == std::string_view::npos) return {};
  const auto rest = origin.substr(scheme + 3);
  if (rest.starts_with('[')) {
    const auto end = rest.find(']');
    return end == std::string_view::npos ? std::string_view() : rest.substr(0, end + 1);
  }
  return rest.substr(0, rest.find(':'));
}

}  // namespace

bool origin_allowed(std::string_view origin, std::span<const std::string> allowed) {
  static constexpr std::array<std::string_view, 3> kLoopback{"localhost", "127.0.0.1", "[::1]"};
  const auto host = host_of(origin);
  const auto is = [](std::string_view text) {
    return [text](std::string_view other) { return same(text, other); };
  };
  if (!host.empty() && std::ranges::any_of(kLoopback, is(host))) return true;
  return std::ranges::any_of(allowed, is(origin)) || std::ranges::any_of(allowed, is("*"));
}

}  // namespace mcpfleet::mcp
