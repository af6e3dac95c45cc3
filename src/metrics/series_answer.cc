#include "metrics/series_answer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <functional>
#include <map>
#include <vector>

#include "base/quantity.h"

namespace mcpfleet::metrics {
namespace {

constexpr std::size_t kLongestName = 200;
constexpr std::string_view kRateEnd = "_per_second";
constexpr std::string_view kMeanEnd = "_avg";

// Below this the first increases of a pod would read as a burst.
constexpr Duration kLeastCovered = std::chrono::milliseconds(500);

enum class Kind { Value, Rate, Mean, Quantile };

struct Reading {
  Kind kind = Kind::Value;
  std::string series;   // Mean: of the sums
  std::string counts;   // Mean only
  double quantile = 0;  // Quantile only
};

// "p95" → 0.95, "p999" → 0.999.
std::optional<double> parse_quantile(std::string_view text) {
  if (text.size() < 2 || text.size() > 6 || text.front() != 'p') return std::nullopt;
  text.remove_prefix(1);
  int digits = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), digits);
  if (error != std::errc{} || end != text.data() + text.size() || digits <= 0) return std::nullopt;
  return digits / std::pow(10.0, static_cast<double>(text.size()));
}

std::vector<Reading> readings_of(std::string_view metric) {
  std::vector<Reading> readings{{Kind::Value, std::string(metric), {}, 0}};
  if (metric.ends_with(kRateEnd)) {
    const std::string base(metric.substr(0, metric.size() - kRateEnd.size()));
    readings.push_back({Kind::Rate, base + "_total", {}, 0});
    readings.push_back({Kind::Rate, base, {}, 0});
  } else if (metric.ends_with(kMeanEnd)) {
    const std::string base(metric.substr(0, metric.size() - kMeanEnd.size()));
    readings.push_back({Kind::Mean, base + "_sum", base + "_count", 0});
  } else if (const auto line = metric.rfind('_'); line != metric.npos) {
    if (const auto quantile = parse_quantile(metric.substr(line + 1)))
      readings.push_back(
          {Kind::Quantile, std::string(metric.substr(0, line)) + "_bucket", {}, *quantile});
  }
  return readings;
}

// The states of one name.
std::pair<SeriesStates::const_iterator, SeriesStates::const_iterator> named(
    const SeriesStates& states, std::string_view name) {
  const auto by_name = [](const SeriesState& state) { return state.id->name(); };
  const auto first = std::ranges::lower_bound(states, name, {}, by_name);
  return {first, std::ranges::upper_bound(first, states.end(), name, {}, by_name)};
}

// Calls `visit` for each series of a name that is selected; false: none is.
bool visit(const SeriesStates& states, std::string_view name, const LabelSelector& only,
           const std::function<void(const SeriesState&)>& use) {
  bool any = false;
  const auto [first, last] = named(states, name);
  for (auto state = first; state != last; ++state) {
    if (!only.matches([&state](std::string_view key) { return state->id->label(key); })) continue;
    any = true;
    use(*state);
  }
  return any;
}

struct Found {
  bool matched = false;  // some series is selected
  Duration covered{0};   // the shortest of those that are
  std::optional<double> value;
};

void note(Found& found, const SeriesState& state) {
  found.covered = found.matched ? std::min(found.covered, state.covered) : state.covered;
  found.matched = true;
}

Found sum_of(const SeriesStates& states, const Reading& reading, const LabelSelector& only) {
  Found found;
  double sum = 0;
  visit(states, reading.series, only, [&](const SeriesState& state) {
    note(found, state);
    const double seconds = std::chrono::duration<double>(state.covered).count();
    if (reading.kind == Kind::Value) sum += state.value;
    if (reading.kind == Kind::Rate && seconds > 0) sum += state.increase / seconds;
  });
  found.value = sum;
  return found;
}

Found mean_of(const SeriesStates& states, const Reading& reading, const LabelSelector& only) {
  Found found;
  double sum = 0;
  double count = 0;
  visit(states, reading.series, only, [&](const SeriesState& state) {
    note(found, state);
    sum += state.increase;
  });
  visit(states, reading.counts, only, [&](const SeriesState& state) { count += state.increase; });
  if (count > 0) found.value = sum / count;
  return found;
}

// `buckets`: the increase up to each bound, as Prometheus' histogram_quantile reads it.
std::optional<double> quantile_of(const std::map<double, double>& buckets, double quantile) {
  if (buckets.empty() || !std::isinf(buckets.rbegin()->first)) return std::nullopt;
  const double total = buckets.rbegin()->second;
  if (!(total > 0)) return std::nullopt;
  double below = 0;
  double lower = 0;
  for (const auto& [bound, count] : buckets) {
    if (count < quantile * total) {
      below = count;
      lower = bound;
      continue;
    }
    if (std::isinf(bound) || !(count > below)) return lower;
    const double start = &bound == &buckets.begin()->first ? std::min(0.0, bound) : lower;
    return start + (bound - start) * (quantile * total - below) / (count - below);
  }
  return lower;
}

Found quantile_in(const SeriesStates& states, const Reading& reading, const LabelSelector& only) {
  Found found;
  std::map<double, double> buckets;
  visit(states, reading.series, only, [&](const SeriesState& state) {
    const auto bound = parse_sample_value(state.id->label("le").value_or(""));
    if (!bound || std::isnan(*bound)) return;
    note(found, state);
    buckets[*bound] += state.increase;
  });
  found.value = quantile_of(buckets, reading.quantile);
  return found;
}

Found find(const SeriesStates& states, const Reading& reading, const LabelSelector& only) {
  switch (reading.kind) {
    case Kind::Value:
    case Kind::Rate:
      return sum_of(states, reading, only);
    case Kind::Mean:
      return mean_of(states, reading, only);
    case Kind::Quantile:
      return quantile_in(states, reading, only);
  }
  return {};
}

std::string list_of(std::string_view metric) {
  std::string text;
  for (const auto& series : series_for(metric)) text += (text.empty() ? "" : ", ") + series;
  return text;
}

std::unexpected<Error> nothing(const PodState& pod, const std::string& what) {
  return fail(ErrorKind::NotFound,
              "pod " + std::string(pod.namespace_) + "/" + std::string(pod.name) + " " + what);
}

Result<Value> to_value(const PodState& pod, const SeriesQuery& query, const Reading& reading,
                       const Found& found, const Terms& terms) {
  const bool now_alone = reading.kind == Kind::Value;
  if (!now_alone && found.covered < kLeastCovered)
    return nothing(pod, "was scraped once only since " + reading.series +
                            " is kept: an increase needs two scrapes");
  if (!found.value)
    return nothing(pod, "counted nothing in " + reading.series + " in the last " +
                            format_age(std::max(terms.window, found.covered)) +
                            ", so there is no " + std::string(query.metric));
  if (!std::isfinite(*found.value))
    return nothing(pod, "exposes " + reading.series + " as a value that is no finite number");
  auto milli = to_milli(*found.value);
  if (!milli) return fail(milli.error().context("the value of " + std::string(query.metric)));
  return Value{*milli, pod.view->at.wall, now_alone ? Duration{0} : found.covered};
}

std::string explain(const Reading& reading) {
  switch (reading.kind) {
    case Kind::Value:
      return "the sum of the pod's series " + reading.series + " at the last scrape";
    case Kind::Rate:
      return "the sum of the increases of the pod's counters " + reading.series +
             " in the window, each divided by the time that it covers";
    case Kind::Mean:
      return "the increase of " + reading.series + " in the window divided by that of " +
             reading.counts;
    case Kind::Quantile:
      return "the quantile of the increases of " + reading.series + " in the window";
  }
  return {};
}

}  // namespace

bool is_metric_name(std::string_view text) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
  };
  return !text.empty() && text.size() <= kLongestName && letter(text.front()) &&
         std::ranges::all_of(text, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

WantedSeries series_for(std::string_view metric) {
  WantedSeries all;
  for (auto& reading : readings_of(metric)) {
    all.insert(std::move(reading.series));
    if (!reading.counts.empty()) all.insert(std::move(reading.counts));
  }
  return all;
}

std::string series_formula(std::string_view metric) {
  std::string text;
  for (const auto& reading : readings_of(metric))
    text += (text.empty() ? "" : "; where there is none, ") + explain(reading);
  return text;
}

Result<Value> pod_series_value(const PodState& pod, const SeriesQuery& query, const Terms& terms,
                               Instant now) {
  if (auto fresh = check_fresh(pod, terms, now); !fresh) return fail(fresh.error());
  static const SeriesStates kNone;
  const auto& states = pod.view->series ? *pod.view->series : kNone;
  for (const auto& reading : readings_of(query.metric)) {
    const auto [first, last] = named(states, reading.series);
    if (first == last) continue;
    const auto found = find(states, reading, query.only);
    if (!found.matched)
      return nothing(
          pod, "exposes no series of " + reading.series + " with " + std::string(query.only_text));
    return to_value(pod, query, reading, found, terms);
  }
  return nothing(pod, "exposes none of " + list_of(query.metric));
}

}  // namespace mcpfleet::metrics
