// Base64 (RFC 4648): with padding as Kubernetes writes binary data, and the form for URLs without.
//
// Reading is strict: every text has one spelling, so that nobody can vary a sealed id.
// Thread safety: free functions.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace mcpfleet {

// "+/" alphabet, padded with "=".
std::string to_base64(std::string_view bytes);
// Error: Malformed, for other characters (white space too), missing padding, or bits behind the
// last byte.
Result<std::string> from_base64(std::string_view text);

// "-_" alphabet, no padding.
std::string to_base64url(std::string_view bytes);
// Error: Malformed.
Result<std::string> from_base64url(std::string_view text);

}  // namespace mcpfleet
