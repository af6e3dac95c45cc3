// The JSON of an MCPO-like server.
#include <cstdint>
#include <string_view>

#include "fuzz/check.h"
#include "metrics/json_sample.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto sample = mcpfleet::metrics::read_json_sample(text, {});
  if (!sample) {
    FUZZ_CHECK(!sample.error().message.empty());
    return 0;
  }
  for (const auto& kind : sample->calls) {
    FUZZ_CHECK(kind.requests >= 0);
    FUZZ_CHECK(!kind.told_error_ratio ||
               (*kind.told_error_ratio >= 0 && *kind.told_error_ratio <= 1));
  }
  return 0;
}
