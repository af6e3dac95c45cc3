// Kubernetes' Status object: how an API server says no. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "http/message.h"

namespace mcpfleet::adapter {

// A Status with this HTTP code and the reason that goes with it. `message` reaches people through
// `kubectl describe hpa`.
http::Response status_response(int code, std::string_view message);

// The same for an error: NotFound 404, Invalid 400, and so on. There is never a Retry-After:
// client-go would sleep in a controller's worker and ask again up to ten times.
http::Response error_response(const Error& error);

// Appends a JSON string with its quotation marks. What is not UTF-8 becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);

}  // namespace mcpfleet::adapter
