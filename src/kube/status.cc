#include "kube/status.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <string>

namespace mcpfleet::kube {
namespace {

ErrorKind kind_of(int code, std::string_view reason) {
  if (reason == "AlreadyExists") return ErrorKind::AlreadyExists;
  // An expired continue token or resource version.
  if (reason == "Expired" || reason == "Gone") return ErrorKind::Gone;
  switch (code) {
    case 400:
    case 415:
    case 422:
      return ErrorKind::Invalid;
    case 401:
      return ErrorKind::Unauthorized;
    case 403:
      return ErrorKind::Forbidden;
    case 404:
      return ErrorKind::NotFound;
    case 408:
    case 504:
      return ErrorKind::Timeout;
    case 409:
      return ErrorKind::Conflict;
    case 410:
      return ErrorKind::Gone;
    case 413:
      return ErrorKind::TooLarge;
    case 429:
      return ErrorKind::TooMany;
    default:
      return code >= 500 ? ErrorKind::Unavailable : ErrorKind::Malformed;
  }
}

std::string text_of(const nlohmann::json& object, const char* field) {
  const auto found = object.find(field);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

Error decode_status(int http_status, std::string_view body) {
  const auto json = nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
  std::string reason;
  std::string message;
  if (json.is_object() && text_of(json, "kind") == "Status") {
    reason = text_of(json, "reason");
    message = text_of(json, "message");
  }
  if (message.empty()) message = "HTTP status " + std::to_string(http_status);
  return {kind_of(http_status, reason), message};
}

std::optional<std::chrono::seconds> retry_after(const http::Headers& headers,
                                                std::chrono::seconds most) {
  const auto text = headers.get("Retry-After");
  if (!text) return std::nullopt;
  unsigned seconds = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), seconds);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return std::min(std::chrono::seconds(seconds), most);
}

}  // namespace mcpfleet::kube
