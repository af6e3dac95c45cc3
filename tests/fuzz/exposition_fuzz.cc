// A pod's answer to a scrape: whatever it is, we read it or say why not, and keep no more than
// allowed.
#include <cmath>
#include <cstdint>
#include <memory>
#include <string_view>

#include "fuzz/check.h"
#include "metrics/sample.h"
#include "metrics/series_window.h"
#include "metrics/window.h"

using namespace mcpfleet;
using namespace mcpfleet::metrics;

namespace {

constexpr std::size_t kMost = 8;

bool is_fine(const Increase& increase) {
  return std::isfinite(increase.requests) && increase.requests >= 0 &&
         std::isfinite(increase.durations.sum());
}

Instant at(int second) {
  return {WallTime{std::chrono::seconds(1'800'000'000 + second)},
          MonotonicTime{std::chrono::seconds(1000 + second)}};
}

}  // namespace

// The first half is one scrape, the second half the next one.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static const auto wanted =
      std::make_shared<const WantedSeries>(WantedSeries{"a", "x_bucket", "up"});
  PodWindow window(std::chrono::seconds(30));
  SeriesWindow series(std::chrono::seconds(30));
  int second = 0;
  for (const auto part : {text.substr(0, size / 2), text.substr(size / 2), text}) {
    series.begin(at(second).monotonic, wanted, kMost);
    auto sample = read_sample(part, {}, [&series](const SeriesView& view) { series.take(view); });
    if (sample) {
      FUZZ_CHECK(sample->calls.size() <= kMaxKinds);
      series.end();
      window.add(at(second), std::move(*sample));
      FUZZ_CHECK(is_fine(window.view().total));
    } else {
      FUZZ_CHECK(!sample.error().message.empty());
    }
    FUZZ_CHECK(series.size() <= kMost);
    for (const auto& state : series.states()) {
      FUZZ_CHECK(wanted->contains(state.id->name()));
      FUZZ_CHECK(state.covered >= Duration{0});
    }
    ++second;
  }
  return 0;
}
