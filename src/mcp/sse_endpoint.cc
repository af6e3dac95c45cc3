#include "mcp/sse_endpoint.h"

#include <algorithm>

namespace mcpfleet::mcp {
namespace {

constexpr std::string_view kScheme = "http://";
constexpr std::string_view kDefaultPort = ":80";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view without_default_port(std::string_view host) {
  if (host.ends_with(kDefaultPort)) host.remove_suffix(kDefaultPort.size());
  return host;
}

// Whether a scheme stands before anything else (RFC 3986, 3.1).
bool has_scheme(std::string_view uri) {
  const auto end = uri.find_first_of(":/?#");
  return end != std::string_view::npos && uri[end] == ':';
}

// What is behind the authority of "//host:port/path".
Result<std::string> behind_authority(std::string_view uri, std::string_view host) {
  const auto end = std::min(uri.find_first_of("/?"), uri.size());
  if (!same(without_default_port(uri.substr(0, end)), without_default_port(host)))
    return fail(ErrorKind::Invalid, "names another origin than http://" + std::string(host));
  const auto target = std::string(uri.substr(end));
  return target.starts_with('/') ? target : "/" + target;
}

}  // namespace

Result<std::string> endpoint_target(std::string_view uri, std::string_view host,
                                    std::string_view path) {
  uri = uri.substr(0, uri.find('#'));
  if (uri.empty()) return fail(ErrorKind::Invalid, "names no URI");
  if (uri.size() > kMaxEndpoint)
    return fail(ErrorKind::Invalid,
                "is longer than " + std::to_string(kMaxEndpoint) + " characters");
  // Nothing that could end the request line.
  if (std::ranges::any_of(uri, [](char c) { return c <= ' ' || c > '~'; }))
    return fail(ErrorKind::Invalid, "has a character that no URI has");
  if (same(uri.substr(0, kScheme.size()), kScheme))
    return behind_authority(uri.substr(kScheme.size()), host);
  if (has_scheme(uri))
    return fail(ErrorKind::Invalid, "names another origin than http://" + std::string(host));
  if (uri.starts_with("//")) return behind_authority(uri.substr(2), host);
  if (uri.starts_with('/')) return std::string(uri);
  path = path.substr(0, path.find('?'));
  if (!uri.starts_with('?')) path = path.substr(0, path.rfind('/') + 1);
  return std::string(path).append(uri);
}

}  // namespace mcpfleet::mcp
