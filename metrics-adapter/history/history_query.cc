#include "metrics-adapter/history/history_query.h"

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/time_text.h"
#include "metrics-adapter/metric_source.h"

namespace mcpfleet::adapter {
namespace {

using metrics::HistoryLimits;
using metrics::HistoryShape;
using metrics::Resolution;
using std::chrono::minutes;

constexpr Duration kDefaultWindow = minutes(5);
// Who reckons the beginning of all that is kept is not refused for the time that asking takes.
constexpr Duration kSlack = minutes(1);
constexpr std::size_t kMaxLimit = 100;
constexpr std::string_view kAny = "*";

std::optional<std::string_view> parameter(const Target& target, std::string_view name) {
  const auto found = target.query.find(name);
  if (found == target.query.end()) return std::nullopt;
  return found->second;
}

// A misspelt parameter would be an answer to another question. The last two are client-go's.
Result<void> check_parameters(const Target& target, std::initializer_list<std::string_view> known) {
  for (const auto& [name, value] : target.query) {
    if (std::ranges::find(known, name) != known.end() || name == "pretty" || name == "timeout")
      continue;
    std::string text = "there is no parameter '" + name + "' here";
    for (const auto word : known)
      text += (word == *known.begin() ? "; there are " : ", ") + std::string(word);
    return fail(ErrorKind::Invalid, text);
  }
  return {};
}

Result<MetricPath> parse_path(const Target& target) {
  auto path = parse_metric_path(target);
  if (!path) return fail(path.error());
  if (path->namespace_.empty() || metrics_of(path->group, path->resource).empty())
    return fail(ErrorKind::NotFound,
                "histories are of pods and mcpservers.mcpfleet.dev in a namespace");
  return path;
}

Result<metrics::Metric> parse_history_metric(std::string_view name) {
  if (const auto metric = metrics::parse_metric(name)) return *metric;
  std::string text = "there is no history of " + std::string(name) + "; there is of ";
  for (const auto known : metrics::metric_names())
    text += (known == metrics::metric_names().front() ? "" : ", ") + std::string(known);
  return fail(ErrorKind::NotFound, text);
}

Result<WallTime> parse_time(const Target& target, std::string_view name, WallTime otherwise) {
  const auto text = parameter(target, name);
  if (!text) return otherwise;
  auto time = parse_rfc3339(*text);
  if (!time) return fail(time.error().context(name));
  return *time;
}

Result<void> parse_range(const Target& target, WallTime now, HistoryQuery& query) {
  auto to = parse_time(target, "to", now);
  if (!to) return fail(to.error());
  query.to = *to;
  const auto window = parameter(target, "window");
  if (window && parameter(target, "from"))
    return fail(ErrorKind::Invalid, "window: from says where it begins already; give one of them");
  auto from = parse_time(target, "from", *to);
  if (!from) return fail(from.error());
  query.from = *from;
  if (parameter(target, "from")) {
    if (*from > *to) return fail(ErrorKind::Invalid, "from: must not be after to");
    return {};
  }
  auto length = window ? parse_duration(*window) : Result<Duration>(kDefaultWindow);
  if (!length) return fail(length.error().context("window"));
  if (*length <= Duration{0}) return fail(ErrorKind::Invalid, "window: must be longer than 0s");
  // Without the sample of its very beginning, so that a window of 60 seconds has 60.
  query.from = *to - std::min<Duration>(*length, to->time_since_epoch()) + Duration{1};
  return {};
}

// The resolution that is asked for, else the finest that reaches back to the beginning.
Result<void> parse_resolution(const Target& target, const HistoryShape& shape, WallTime now,
                              HistoryQuery& query) {
  const auto raw_span = std::max(shape.fine_span, shape.coarse_span);
  const bool raw_reaches = query.from >= now - raw_span - kSlack;
  const bool has_minutes = shape.minutes_span > Duration{0};
  const auto text = parameter(target, "resolution");
  if (text && *text != "raw" && *text != "1m")
    return fail(ErrorKind::Invalid, "resolution: must be raw or 1m");
  const bool raw = text ? *text == "raw" : raw_reaches || !has_minutes;
  query.resolution = raw ? Resolution::Raw : Resolution::Minute;
  if (raw && !raw_reaches)
    return fail(ErrorKind::Invalid, "resolution: raw samples are kept for " +
                                        format_duration(raw_span) +
                                        (has_minutes ? "; ask for 1m" : ""));
  if (!raw && !has_minutes)
    return fail(ErrorKind::Invalid, "resolution: of this there are no minutes; ask for raw");
  if (!raw && query.from < now - shape.minutes_span - kSlack)
    return fail(ErrorKind::Invalid, std::string(parameter(target, "from") ? "from" : "window") +
                                        ": minutes are kept for " +
                                        format_duration(shape.minutes_span));
  return {};
}

Result<void> parse_tags(const Target& target, HistoryQuery& query) {
  const auto text = parameter(target, "metricLabelSelector");
  if (!text) return {};
  auto tags = metrics::LabelSelector::parse(*text);
  if (!tags) return fail(tags.error().context("metricLabelSelector"));
  for (const auto& requirement : tags->requirements())
    if (requirement.key != "tool" && requirement.key != "method")
      return fail(ErrorKind::Invalid, "metricLabelSelector: there is no label '" + requirement.key +
                                          "'; the labels are tool and method");
  if (!tags->empty() && query.path.resource == kPodsResource)
    return fail(ErrorKind::Invalid,
                "metricLabelSelector: the history of a pod is not kept by method and tool");
  query.tags = std::move(*tags);
  return {};
}

Result<void> parse_aggregates(const Target& target, HistoryQuery& query) {
  auto text = parameter(target, "aggregate").value_or("");
  while (!text.empty()) {
    const auto end = text.find(',');
    const auto word = text.substr(0, end);
    const auto field = metrics::parse_aggregate_field(word);
    if (!field)
      return fail(ErrorKind::Invalid,
                  "aggregate: '" + std::string(word) +
                      "' is none; there are count, sum, avg, min, max and last");
    query.aggregates.push_back(*field);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  return {};
}

Result<void> parse_limit(const Target& target, HistoryQuery& query) {
  const auto text = parameter(target, "limit");
  if (!text) return {};
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), query.limit);
  const bool number = error == std::errc{} && end == text->data() + text->size();
  if (!number || query.limit == 0 || query.limit > kMaxLimit)
    return fail(ErrorKind::Invalid,
                "limit: must be a number from 1 to " + std::to_string(kMaxLimit));
  return {};
}

// What histories and rankings have in common.
Result<HistoryQuery> parse_common(const Target& target, const HistoryLimits& limits, WallTime now) {
  HistoryQuery query;
  auto path = parse_path(target);
  if (!path) return fail(path.error());
  query.path = std::move(*path);
  auto metric = parse_history_metric(query.path.metric);
  if (!metric) return fail(metric.error());
  query.metric = *metric;
  if (auto parsed = parse_tags(target, query); !parsed) return fail(parsed.error());
  const bool detail = query.path.resource == kPodsResource || !query.tags.empty();
  if (auto parsed = parse_range(target, now, query); !parsed) return fail(parsed.error());
  const auto& shape = detail ? limits.detail : limits.whole;
  if (auto parsed = parse_resolution(target, shape, now, query); !parsed)
    return fail(parsed.error());
  if (auto parsed = parse_aggregates(target, query); !parsed) return fail(parsed.error());
  return query;
}

metrics::HistorySelection selection_of(const MetricPath& path) {
  return {path.resource, path.namespace_, path.name == kAny ? std::string_view() : path.name, {}};
}

}  // namespace

metrics::HistorySelection HistoryQuery::selection() const {
  auto selection = selection_of(path);
  if (!tags.empty())
    selection.only = [this](std::string_view method, std::string_view tool) {
      return tags.matches([&](std::string_view key) -> std::optional<std::string_view> {
        return key == "tool" ? tool : method;
      });
    };
  return selection;
}

metrics::HistorySelection ResetQuery::selection() const { return selection_of(path); }

Result<HistoryQuery> parse_history_query(const Target& target, const HistoryLimits& limits,
                                         WallTime now) {
  const auto known = check_parameters(
      target, {"window", "from", "to", "resolution", "aggregate", "metricLabelSelector"});
  if (!known) return fail(known.error());
  auto query = parse_common(target, limits, now);
  if (query && query->path.name == kAny)
    return fail(ErrorKind::Invalid, "a history is of one object, by its name");
  return query;
}

Result<HistoryQuery> parse_top_query(const Target& target, const HistoryLimits& limits,
                                     WallTime now) {
  const auto known = check_parameters(
      target, {"window", "from", "to", "resolution", "aggregate", "limit", "metricLabelSelector"});
  if (!known) return fail(known.error());
  auto query = parse_common(target, limits, now);
  if (!query) return query;
  if (query->path.name != kAny)
    return fail(ErrorKind::Invalid, "a ranking is of all objects: instead of a name there is *");
  if (auto parsed = parse_limit(target, *query); !parsed) return fail(parsed.error());
  if (query->aggregates.size() > 1)
    return fail(ErrorKind::Invalid, "aggregate: a ranking is by one of them");
  if (query->aggregates.empty()) query->aggregates.push_back(metrics::AggregateField::Mean);
  return query;
}

Result<ResetQuery> parse_reset_query(const Target& target) {
  if (auto known = check_parameters(target, {}); !known) return fail(known.error());
  auto path = parse_path(target);
  if (!path) return fail(path.error());
  ResetQuery query{std::move(*path), std::nullopt};
  if (query.path.metric == kAny) return query;
  auto metric = parse_history_metric(query.path.metric);
  if (!metric) return fail(metric.error());
  query.metric = *metric;
  return query;
}

}  // namespace mcpfleet::adapter
