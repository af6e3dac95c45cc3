#include "metrics-adapter/status_body.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace mcpfleet::adapter {
namespace {

// metav1.StatusReason of an HTTP code.
std::string_view reason_of(int code) {
  switch (code) {
    case 400:
      return "BadRequest";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "NotFound";
    case 405:
      return "MethodNotAllowed";
    case 429:
      return "TooManyRequests";
    case 503:
      return "ServiceUnavailable";
    default:
      return "InternalError";
  }
}

int code_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::NotFound:
    case ErrorKind::Gone:
      return 404;
    case ErrorKind::Invalid:
    case ErrorKind::TooLarge:
      return 400;
    case ErrorKind::Unauthorized:
      return 401;
    case ErrorKind::Forbidden:
      return 403;
    case ErrorKind::TooMany:
      return 429;
    case ErrorKind::Timeout:
    case ErrorKind::Unavailable:
      return 503;
    case ErrorKind::AlreadyExists:
    case ErrorKind::Conflict:
    case ErrorKind::Malformed:
    case ErrorKind::Internal:
      return 500;
  }
  return 500;
}

bool is_plain(char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  if (std::ranges::all_of(text, is_plain)) {
    out += '"';
    out += text;
    out += '"';
    return;
  }
  out += nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

http::Response status_response(int code, std::string_view message) {
  std::string body =
      R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":)";
  append_json_string(body, message);
  body += R"(,"reason":)";
  append_json_string(body, reason_of(code));
  body += R"(,"code":)" + std::to_string(code) + "}\n";
  return http::text_response(code, std::move(body), "application/json");
}

http::Response error_response(const Error& error) {
  return status_response(code_of(error.kind), error.message);
}

}  // namespace mcpfleet::adapter
