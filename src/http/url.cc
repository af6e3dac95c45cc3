#include <charconv>

#include "http/client.h"

namespace mcpfleet::http {
namespace {

Result<std::uint16_t> parse_port(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value == 0 || value > 65535)
    return fail(ErrorKind::Invalid, "the URL's port must be 1 to 65535");
  return static_cast<std::uint16_t>(value);
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  Url url;
  if (text.starts_with("https://")) {
    url.endpoint = {"", 443, true};
    text.remove_prefix(8);
  } else if (text.starts_with("http://")) {
    text.remove_prefix(7);
  } else {
    return fail(ErrorKind::Invalid, "a URL must start with http:// or https://");
  }
  const auto slash = text.find('/');
  auto authority = text.substr(0, slash);
  if (slash != std::string_view::npos) url.path = text.substr(slash);
  if (authority.find('@') != std::string_view::npos)
    return fail(ErrorKind::Invalid, "a URL must not carry a user name or password");
  std::string_view port;
  if (authority.starts_with('[')) {
    const auto end = authority.find(']');
    if (end == std::string_view::npos)
      return fail(ErrorKind::Invalid, "the URL's address lacks a ]");
    url.endpoint.host = authority.substr(1, end - 1);
    if (end + 1 < authority.size()) {
      if (authority[end + 1] != ':') return fail(ErrorKind::Invalid, "the URL's address is broken");
      port = authority.substr(end + 2);
    }
  } else {
    const auto colon = authority.find(':');
    url.endpoint.host = authority.substr(0, colon);
    if (colon != std::string_view::npos) port = authority.substr(colon + 1);
  }
  if (url.endpoint.host.empty()) return fail(ErrorKind::Invalid, "the URL names no host");
  if (!port.empty()) {
    auto parsed = parse_port(port);
    if (!parsed) return fail(parsed.error());
    url.endpoint.port = *parsed;
  }
  return url;
}

}  // namespace mcpfleet::http
