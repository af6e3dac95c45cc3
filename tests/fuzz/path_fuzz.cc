// Request targets of the metrics API.
#include <cstdint>
#include <string_view>

#include "fuzz/check.h"
#include "metrics-adapter/request_path.h"

using namespace mcpfleet::adapter;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto target = parse_target({reinterpret_cast<const char*>(data), size});
  if (!target) {
    FUZZ_CHECK(!target.error().message.empty());
    return 0;
  }
  if (!is_resource(*target)) return 0;
  const auto inner = explained(*target);
  for (const auto* each : {&*target, inner ? &*inner : &*target}) {
    if (const auto path = parse_metric_path(*each)) {
      FUZZ_CHECK(path->group == each->segments[1]);
      FUZZ_CHECK(path->metric == each->segments.back());
    }
    if (const auto path = parse_external_path(*each))
      FUZZ_CHECK(path->metric == each->segments.back());
  }
  return 0;
}
