// How the data plane's programs read their command lines.
//
// Thread safety: free functions without state.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "log/log.h"
#include "proxy/options.h"

namespace mcpfleet::flags {

using SetFlag = std::function<Result<void>(const std::string& value)>;

struct Flags {
  std::map<std::string, SetFlag, std::less<>> with_value;
  // What follows "--stdio"; null where there is no such flag.
  std::vector<std::string>* command = nullptr;
  // Arguments that are no flags; null where there may be none.
  std::vector<std::string>* words = nullptr;
};

// Goes through the arguments from `at` on. Flags are "--flag value" or "--flag=value". Error:
// Invalid, that names the flag.
Result<void> read(const std::vector<std::string>& arguments, std::size_t at, const Flags& flags);

// This process's own environment variable of that name.
std::optional<std::string> environment(std::string_view name);

std::unexpected<Error> invalid(std::string message);

// Each sets `target`, which outlives it. Errors: Invalid, to follow the flag's name.
SetFlag into(std::string& target);  // not empty
SetFlag into(Duration& target);
SetFlag into(proxy::ListenAddress& target);      // ADDRESS:PORT
SetFlag into(std::vector<std::string>& target);  // by commas
SetFlag into(log::Format& target);
SetFlag into(log::Level& target);
SetFlag into(std::size_t& target, std::uint64_t most);
SetFlag into(std::size_t& target, std::uint64_t least, std::uint64_t most);
SetFlag into(int& target, std::uint64_t most);

}  // namespace mcpfleet::flags
