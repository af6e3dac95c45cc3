#include "kube/paths.h"

#include <algorithm>

namespace mcpfleet::kube {
namespace {

// As a namespace's name has to be (RFC 1123).
bool is_label(std::string_view name) {
  constexpr std::size_t kMost = 63;
  const auto inside = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !name.empty() && name.size() <= kMost && inside(name.front()) && inside(name.back()) &&
         std::ranges::all_of(name, [&](char c) { return inside(c) || c == '-'; });
}

}  // namespace

std::string escape(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kHex[byte >> 4U], kHex[byte & 15U]};
    }
  }
  return out;
}

std::string collection_path(std::string_view api_version, std::string_view namespace_,
                            std::string_view plural) {
  const bool core = api_version.find('/') == std::string_view::npos;
  std::string path = core ? "/api/" : "/apis/";
  path += api_version;
  if (!namespace_.empty()) path.append("/namespaces/").append(namespace_);
  path.append("/").append(plural);
  return path;
}

std::string object_path(std::string_view api_version, std::string_view namespace_,
                        std::string_view plural, std::string_view name) {
  return collection_path(api_version, namespace_, plural).append("/").append(name);
}

Result<std::vector<std::string>> parse_namespaces(std::string_view text) {
  std::vector<std::string> names;
  for (std::size_t at = 0; !text.empty() && at <= text.size();) {
    const auto comma = std::min(text.find(',', at), text.size());
    const std::string name(text.substr(at, comma - at));
    if (!is_label(name)) {
      return fail(ErrorKind::Invalid, "must be names of namespaces, separated by commas, not \"" +
                                          std::string(text) + "\"");
    }
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
    at = comma + 1;
  }
  return names;
}

std::string make_key(std::string_view namespace_, std::string_view name) {
  return std::string(namespace_).append("/").append(name);
}

Key split_key(std::string_view key) {
  const auto slash = key.find('/');
  if (slash == std::string_view::npos) return {"", std::string(key)};
  return {std::string(key.substr(0, slash)), std::string(key.substr(slash + 1))};
}

}  // namespace mcpfleet::kube
