#include "metrics/sample.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace mcpfleet::metrics {
namespace {

constexpr std::string_view kRequests = "mcp_requests_total";
constexpr std::string_view kErrors = "mcp_request_errors_total";
constexpr std::string_view kBucket = "mcp_request_duration_seconds_bucket";
constexpr std::string_view kSum = "mcp_request_duration_seconds_sum";
constexpr std::string_view kInFlight = "mcp_requests_in_flight";
constexpr std::string_view kSessions = "mcp_active_sessions";
constexpr std::string_view kDraining = "mcp_draining";
constexpr std::string_view kAge = "mcp_snapshot_age_seconds";
constexpr std::string_view kStart = "process_start_time_seconds";

// Beyond this a double no longer counts by ones.
constexpr double kLargestCount = 9'007'199'254'740'992;

Result<double> checked_count(const SeriesView& series) {
  if (std::isfinite(series.value) && series.value >= 0 && series.value <= kLargestCount)
    return series.value;
  return fail(ErrorKind::Malformed,
              std::string(series.name) + " must be a finite number that is not negative");
}

std::size_t bucket_for(double le) {
  if (const auto exact = Histogram::bucket_with_bound(le)) return *exact;
  const auto bounds = Histogram::bounds();
  return static_cast<std::size_t>(std::lower_bound(bounds.begin(), bounds.end(), le) -
                                  bounds.begin());
}

// Gathers the series of a text into a Sample.
class SampleBuilder {
 public:
  Result<void> add(const SeriesView& series) {
    if (!series.name.starts_with("mcp_") && series.name != kStart) return {};
    if (series.name == kBucket) return add_bucket(series);
    if (series.name == kRequests || series.name == kErrors || series.name == kSum)
      return add_counter(series);
    return add_gauge(series);
  }

  Sample finish() && {
    sample_.has_mcp = ours_;
    for (auto& kind : kinds_) sample_.calls.push_back(std::move(kind.counters));
    std::ranges::sort(sample_.calls, [](const auto& a, const auto& b) {
      return std::tie(a.method, a.tool) < std::tie(b.method, b.tool);
    });
    return std::move(sample_);
  }

 private:
  struct Kind {
    std::string_view raw_method, raw_tool;
    CallCounters counters;
    double last_bound = -1;
    double cumulative = 0;
  };

  Result<void> add_gauge(const SeriesView& series) {
    std::optional<double>* gauge = nullptr;
    if (series.name == kInFlight) gauge = &sample_.in_flight;
    if (series.name == kSessions) gauge = &sample_.sessions;
    if (series.name == kStart) gauge = &sample_.process_start;
    if (series.name == kAge) gauge = &sample_.age;
    if (gauge == nullptr && series.name != kDraining) return {};
    auto value = checked_count(series);
    if (!value) return fail(value.error());
    ours_ = ours_ || series.name != kStart;
    if (gauge == nullptr) {
      sample_.draining = *value != 0;
    } else {
      *gauge = *value;
    }
    return {};
  }

  Result<void> add_counter(const SeriesView& series) {
    auto value = checked_count(series);
    if (!value) return fail(value.error());
    auto kind = kind_of(series);
    if (!kind) return fail(kind.error());
    auto& counters = (*kind)->counters;
    if (series.name == kRequests) counters.requests = *value;
    if (series.name == kErrors) counters.errors = *value;
    if (series.name == kSum) counters.durations.add_sum(*value);
    return {};
  }

  Result<void> add_bucket(const SeriesView& series) {
    auto value = checked_count(series);
    if (!value) return fail(value.error());
    auto bound = parse_sample_value(series.label("le"));
    if (!bound || std::isnan(*bound))
      return fail(ErrorKind::Malformed, "the bucket's label le is no number");
    auto kind = kind_of(series);
    if (!kind) return fail(kind.error());
    Kind& at = **kind;
    if (*bound <= at.last_bound || *value < at.cumulative)
      return fail(ErrorKind::Malformed, "the buckets are not in ascending order");
    at.counters.durations.add(bucket_for(*bound),
                              static_cast<std::uint64_t>(std::llround(*value - at.cumulative)));
    at.last_bound = *bound;
    at.cumulative = *value;
    return {};
  }

  // The kind that a series counts. Series of one kind mostly follow each other, so the last one is
  // tried first.
  Result<Kind*> kind_of(const SeriesView& series) {
    ours_ = true;
    const auto method = series.label("method");
    const auto tool = series.label("tool");
    if (last_ < kinds_.size() && kinds_[last_].raw_method == method &&
        kinds_[last_].raw_tool == tool)
      return &kinds_[last_];
    std::string key(method);
    key += '\n';  // cannot be in a line
    key += tool;
    const auto [found, added] = index_.try_emplace(std::move(key), kinds_.size());
    if (added) {
      if (kinds_.size() == kMaxKinds)
        return fail(ErrorKind::TooLarge, "there are more than " + std::to_string(kMaxKinds) +
                                             " combinations of method and tool");
      kinds_.push_back(
          {method, tool, {unescape_label(method), unescape_label(tool), 0, 0, {}, {}, {}}, -1, 0});
    }
    last_ = found->second;
    return &kinds_[last_];
  }

  Sample sample_;
  bool ours_ = false;
  std::vector<Kind> kinds_;
  std::unordered_map<std::string, std::size_t> index_;
  std::size_t last_ = 0;
};

}  // namespace

Result<Sample> read_sample(std::string_view exposition, const ExpositionLimits& limits,
                           const std::function<void(const SeriesView&)>& also) {
  SampleBuilder builder;
  auto read = parse_exposition(exposition, limits, [&](const SeriesView& series) {
    if (also) also(series);
    return builder.add(series);
  });
  if (!read) return fail(read.error());
  return std::move(builder).finish();
}

}  // namespace mcpfleet::metrics
