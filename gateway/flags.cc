#include "gateway/flags.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "base/time_text.h"

namespace mcpfleet::flags {
namespace {

Result<std::uint64_t> parse_number(const std::string& text, std::uint64_t max) {
  std::uint64_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || end != text.data() + text.size() || number > max)
    return invalid("\"" + text + "\" is not a number up to " + std::to_string(max));
  return number;
}

Result<proxy::ListenAddress> parse_listen(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return invalid("\"" + text + "\" is not ADDRESS:PORT");
  const auto port = parse_number(text.substr(colon + 1), 65535);
  if (!port) return fail(port.error());
  auto ip = text.substr(0, colon);
  if (ip.size() > 2 && ip.front() == '[' && ip.back() == ']') ip = ip.substr(1, ip.size() - 2);
  if (ip.empty()) ip = "0.0.0.0";
  return proxy::ListenAddress{ip, static_cast<std::uint16_t>(*port)};
}

// Sets `target` to what `parse` makes of a value.
template <typename Target, typename Parse>
SetFlag parsed_into(Target& target, Parse parse) {
  return [&target, parse = std::move(parse)](const std::string& value) -> Result<void> {
    auto parsed = parse(value);
    if (!parsed) return fail(parsed.error());
    target = static_cast<Target>(*parsed);
    return {};
  };
}

}  // namespace

std::optional<std::string> environment(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

std::unexpected<Error> invalid(std::string message) {
  return fail(ErrorKind::Invalid, std::move(message));
}

SetFlag into(std::string& target) {
  return [&target](const std::string& value) -> Result<void> {
    if (value.empty()) return invalid("it is empty");
    target = value;
    return {};
  };
}

SetFlag into(std::vector<std::string>& target) {
  return [&target](const std::string& value) -> Result<void> {
    target.clear();
    for (std::size_t at = 0; at <= value.size();) {
      const auto comma = std::min(value.find(',', at), value.size());
      if (comma > at) target.push_back(value.substr(at, comma - at));
      at = comma + 1;
    }
    return {};
  };
}

SetFlag into(Duration& target) { return parsed_into(target, parse_duration); }
SetFlag into(proxy::ListenAddress& target) { return parsed_into(target, parse_listen); }
SetFlag into(log::Format& target) { return parsed_into(target, log::parse_format); }
SetFlag into(log::Level& target) { return parsed_into(target, log::parse_level); }
SetFlag into(std::size_t& target, std::uint64_t most) {
  return parsed_into(target, [most](const std::string& text) { return parse_number(text, most); });
}
SetFlag into(std::size_t& target, std::uint64_t least, std::uint64_t most) {
  return parsed_into(target, [=](const std::string& text) -> Result<std::uint64_t> {
    auto number = parse_number(text, most);
    if (number && *number < least) return invalid("it must be at least " + std::to_string(least));
    return number;
  });
}
SetFlag into(int& target, std::uint64_t most) {
  return parsed_into(target, [most](const std::string& text) { return parse_number(text, most); });
}

Result<void> read(const std::vector<std::string>& arguments, std::size_t at, const Flags& flags) {
  for (; at < arguments.size(); ++at) {
    const auto& argument = arguments[at];
    if (argument == "--stdio" && flags.command != nullptr) {
      if (at + 1 >= arguments.size() || arguments[at + 1] != "--" || at + 2 >= arguments.size())
        return invalid("--stdio must be followed by -- and the command to run");
      flags.command->assign(arguments.begin() + static_cast<std::ptrdiff_t>(at) + 2,
                            arguments.end());
      return {};
    }
    if (!argument.starts_with("--")) {
      if (flags.words == nullptr) return invalid("unexpected argument \"" + argument + "\"");
      flags.words->push_back(argument);
      continue;
    }
    const auto equals = argument.find('=');
    const auto name = argument.substr(0, equals);
    const auto flag = flags.with_value.find(name);
    if (flag == flags.with_value.end()) return invalid("unknown flag " + name);
    std::string value;
    if (equals != std::string::npos) {
      value = argument.substr(equals + 1);
    } else if (++at < arguments.size()) {
      value = arguments[at];
    } else {
      return invalid(name + " needs a value");
    }
    if (auto set = flag->second(value); !set) return fail(set.error().context(name));
  }
  return {};
}

}  // namespace mcpfleet::flags
