// The rules file for a Prometheus server: whatever is in it, it is read or refused with a sentence.
#include <cstdint>
#include <string_view>

#include "fuzz/check.h"
#include "metrics-adapter/prometheus/query_template.h"
#include "metrics-adapter/prometheus/rules.h"

using namespace mcpfleet::adapter::promql;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto rules = parse_rules({reinterpret_cast<const char*>(data), size});
  if (!rules) {
    FUZZ_CHECK(!rules.error().message.empty());
    return 0;
  }
  for (const auto* of_a_sort : {&rules->custom, &rules->external}) {
    for (const auto& rule : *of_a_sort) {
      FUZZ_CHECK(!rule.path.empty());
      if (const auto query = QueryTemplate::parse(rule.metrics_query); !query)
        FUZZ_CHECK(!query.error().message.empty());
    }
  }
  return 0;
}
