// What the API server means by a failed answer. Pure functions.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "http/message.h"

namespace mcpfleet::kube {

// The error of an answer with this HTTP status. Its message is the Status object's own sentence, or
// the HTTP status where the body is none; the kind is by Status.reason where that says more than
// the code (409 AlreadyExists), else by the code.
Error decode_status(int http_status, std::string_view body);

// Retry-After in whole seconds, bounded by `most`; nothing where there is none or it is a date.
std::optional<std::chrono::seconds> retry_after(const http::Headers& headers,
                                                std::chrono::seconds most);

}  // namespace mcpfleet::kube
