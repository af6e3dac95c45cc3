// Label selectors of requests.
#include <cstdint>
#include <optional>
#include <string_view>

#include "fuzz/check.h"
#include "metrics/label_selector.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto selector = mcpfleet::metrics::LabelSelector::parse(text);
  if (!selector) {
    FUZZ_CHECK(!selector.error().message.empty());
    return 0;
  }
  const auto nothing = [](std::string_view) -> std::optional<std::string_view> {
    return std::nullopt;
  };
  const auto number = [](std::string_view) -> std::optional<std::string_view> { return "7"; };
  const bool all = selector->matches(nothing) && selector->matches(number);
  FUZZ_CHECK(all || !selector->empty());
  FUZZ_CHECK(!selector->to_json().empty());
  const auto parts =
      selector->of({"a"}).requirements().size() + selector->without({"a"}).requirements().size();
  FUZZ_CHECK(parts == selector->requirements().size());
  return 0;
}
