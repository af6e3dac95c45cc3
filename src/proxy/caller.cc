#include "proxy/caller.h"

#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "http/message.h"
#include "proxy/digest.h"

namespace mcpfleet::proxy {
namespace {

constexpr std::string_view kBearer = "Bearer ";
constexpr std::size_t kMaxClaims = 16 * 1024;  // in base64

std::string claim(const nlohmann::json& claims, const char* name) {
  const auto found = claims.find(name);
  return found != claims.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// The claims of a JWT (RFC 7519), unverified; not an object where it is none.
nlohmann::json claims_of(std::string_view token) {
  const auto first = token.find('.');
  const auto second = first == token.npos ? token.npos : token.find('.', first + 1);
  if (second == token.npos || second - first > kMaxClaims) return {};
  const auto text = from_base64url(token.substr(first + 1, second - first - 1));
  return text ? nlohmann::json::parse(*text, nullptr, false) : nlohmann::json();
}

std::string identity_of(std::string_view authorization) {
  if (http::same_name(authorization.substr(0, kBearer.size()), kBearer)) {
    const auto claims = claims_of(authorization.substr(kBearer.size()));
    const auto subject = claims.is_object() ? claim(claims, "sub") : std::string();
    if (!subject.empty()) return sha256({"subject", claim(claims, "iss"), subject});
  }
  return sha256({"authorization", authorization});
}

}  // namespace

Caller identify(std::optional<std::string_view> authorization, std::string_view address) {
  if (!authorization || authorization->empty())
    return {{}, short_digest(sha256({"address", address}))};
  auto identity = identity_of(*authorization);
  const auto id = short_digest(identity);
  return {std::move(identity), id};
}

}  // namespace mcpfleet::proxy
