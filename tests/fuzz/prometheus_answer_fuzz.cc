// What a Prometheus server answers.
#include <cstdint>
#include <string_view>

#include "fuzz/check.h"
#include "metrics-adapter/prometheus/prometheus_answer.h"

using namespace mcpfleet::adapter::promql;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  if (const auto samples = parse_query_answer(body); !samples)
    FUZZ_CHECK(!samples.error().message.empty());
  if (const auto series = parse_series_answer(body); !series)
    FUZZ_CHECK(!series.error().message.empty());
  FUZZ_CHECK(refusal(body).size() <= size + 2);
  return 0;
}
