#include "metrics-adapter/history/history_options.h"

#include <algorithm>

namespace mcpfleet::adapter {
namespace {

using std::chrono::seconds;

constexpr Duration kCoarseStep = seconds(5);

}  // namespace

metrics::HistoryLimits limits_of(const HistoryOptions& options, Duration scrape_interval) {
  metrics::HistoryLimits limits;
  limits.max_bytes = options.max_bytes;
  // Whole seconds, since that is how times are told.
  limits.whole.step = std::max<Duration>(seconds(1), std::chrono::ceil<seconds>(scrape_interval));
  limits.whole.coarse_step = std::max(kCoarseStep, limits.whole.step);
  limits.whole.fine_span = options.fine;
  limits.whole.coarse_span = options.raw;
  limits.whole.minutes_span = options.minutes;
  limits.detail.step = limits.whole.coarse_step;
  limits.detail.coarse_step = limits.whole.coarse_step;
  limits.detail.coarse_span = std::min(limits.detail.coarse_span, options.raw);
  return limits;
}

}  // namespace mcpfleet::adapter
