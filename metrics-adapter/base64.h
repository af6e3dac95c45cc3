// Base64 with padding, as the data of a Secret has it.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace mcpfleet::adapter {

std::string to_base64(std::string_view bytes);
// Error: Malformed.
Result<std::string> from_base64(std::string_view text);

}  // namespace mcpfleet::adapter
