#include "metrics/answer.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/quantity.h"
#include "base/time_text.h"

namespace mcpfleet::metrics {
namespace {

constexpr std::array<std::string_view, kMetricCount> kNames{
    "mcp_requests_per_second",
    "mcp_request_duration_seconds_avg",
    "mcp_request_duration_seconds_p50",
    "mcp_request_duration_seconds_p95",
    "mcp_request_duration_seconds_p99",
    "mcp_requests_in_flight",
    "mcp_active_sessions",
    "mcp_error_ratio",
};

// Below this the first few calls of a new pod would read as a burst.
constexpr Duration kLeastCovered = std::chrono::milliseconds(500);

bool is_gauge(Metric metric) {
  return metric == Metric::RequestsInFlight || metric == Metric::ActiveSessions;
}

std::string pod_key(const PodState& pod) {
  return std::string(pod.namespace_) + "/" + std::string(pod.name);
}

bool is_fresh(const PodState& pod, const Terms& terms, Instant now) {
  return pod.view != nullptr &&
         now.monotonic - pod.view->at.monotonic <= std::max(terms.max_age, terms.hold);
}

// Whether the pod alone can give the metric: gauges need one scrape, the rest a stretch of time.
bool is_usable(const PodState& pod, const Query& query, const Terms& terms, Instant now) {
  if (!is_fresh(pod, terms, now)) return false;
  return is_gauge(query.metric) || pod.view->covered >= kLeastCovered;
}

// A pod whose missing data says nothing about the server's load.
bool is_excused(const PodState& pod, const Terms& terms, Instant now) {
  if (!pod.ready || pod.deleting) return true;
  const bool new_pod = pod.ready_since && now.wall - *pod.ready_since <= terms.max_age;
  return new_pod && (pod.view == nullptr || is_fresh(pod, terms, now));
}

// Why is_usable() says no.
std::string why_unusable(const PodState& pod, const Terms& terms, Instant now) {
  const std::string key = pod_key(pod);
  if (is_fresh(pod, terms, now)) {
    return "a rate needs two scrapes: pod " + key + " was first scraped " +
           format_age(now.monotonic - pod.view->at.monotonic) + " ago";
  }
  if (pod.view == nullptr && !pod.failing_since) return "pod " + key + " was not scraped yet";
  const auto since = pod.view != nullptr ? pod.view->at.monotonic : *pod.failing_since;
  std::string text =
      "no scrape of pod " + key + " has succeeded for " + format_age(now.monotonic - since);
  if (!pod.failure.empty()) text += ": " + std::string(pod.failure);
  return text;
}

// What the filter lets through of one or many pods.
struct Gathered {
  Increase increase;
  double rate = 0;
  double gauge = 0;
  bool matched = false;
  bool folds_tools = false;
  WallTime oldest = WallTime::max();
  Duration covered{0};
};

Result<void> gather_gauge(const PodState& pod, Metric metric, Gathered& into) {
  const auto value = metric == Metric::RequestsInFlight ? pod.view->in_flight : pod.view->sessions;
  if (!value)
    return fail(ErrorKind::NotFound,
                "pod " + pod_key(pod) + " does not expose " + std::string(to_string(metric)));
  into.gauge += *value;
  return {};
}

Result<void> gather(const PodState& pod, const Query& query, Gathered& into) {
  const PodView& view = *pod.view;
  if (!view.has_mcp)
    return fail(ErrorKind::NotFound,
                "pod " + pod_key(pod) + " exposes no metric of an MCP server (mcp_…)");
  into.oldest = std::min(into.oldest, view.at.wall);
  if (is_gauge(query.metric)) return gather_gauge(pod, query.metric, into);
  into.covered = std::max(into.covered, view.covered);
  into.folds_tools = into.folds_tools || view.folds_tools;
  const double seconds = std::chrono::duration<double>(view.covered).count();
  if (!query.only) {
    into.increase.add(view.total);
    into.rate += view.total.requests / seconds;
    into.matched = true;
    return {};
  }
  for (const auto& kind : view.kinds) {
    if (!query.only(kind.method, kind.tool)) continue;
    into.matched = true;
    into.increase.add(kind.by);
    into.rate += kind.by.requests / seconds;
  }
  return {};
}

std::string of_filter(const Query& query) {
  return query.only ? " with " + query.only_text : std::string();
}

std::string_view last_word(Metric metric) {
  const auto name = to_string(metric);
  return name.substr(name.rfind('_') + 1);
}

std::string no_requests(const Gathered& data, const Query& query, const Terms& terms) {
  return "no requests" + of_filter(query) + " in the last " +
         format_age(std::max(terms.window, data.covered)) + ", so there is no " +
         std::string(last_word(query.metric));
}

std::optional<double> mean_of(const Increase& increase) {
  const double count = static_cast<double>(increase.durations.count()) + increase.told_requests;
  if (!(count > 0)) return std::nullopt;
  return (increase.durations.sum() + increase.told_seconds) / count;
}

// A quantile of a few requests is one request.
Result<double> quantile(double q, const Gathered& data, const Query& query, const Terms& terms) {
  const auto& durations = data.increase.durations;
  const std::string word(last_word(query.metric));
  if (data.increase.told_requests > 0)
    return fail(ErrorKind::NotFound,
                "a pod tells only the average of its durations, so there is no " + word);
  if (durations.count() == 0) return fail(ErrorKind::NotFound, no_requests(data, query, terms));
  if (durations.count() < terms.min_samples)
    return fail(ErrorKind::NotFound,
                "only " + std::to_string(durations.count()) + " requests" + of_filter(query) +
                    " in the last " + format_age(std::max(terms.window, data.covered)) + ", and " +
                    word + " needs " + std::to_string(terms.min_samples));
  return *durations.quantile(q);
}

Result<double> compute(const Gathered& data, const Query& query, const Terms& terms) {
  if (query.only && !data.matched && data.folds_tools)
    return fail(
        ErrorKind::NotFound,
        "requests" + of_filter(query) +
            " are not counted by themselves: the server has more tools than are kept apart");
  std::optional<double> value;
  switch (query.metric) {
    case Metric::RequestsPerSecond:
      return data.rate;
    case Metric::RequestsInFlight:
    case Metric::ActiveSessions:
      return data.gauge;
    case Metric::ErrorRatio:
      return data.increase.requests > 0 ? data.increase.errors / data.increase.requests : 0.0;
    case Metric::DurationAvg:
      value = mean_of(data.increase);
      break;
    case Metric::DurationP50:
      return quantile(0.50, data, query, terms);
    case Metric::DurationP95:
      return quantile(0.95, data, query, terms);
    case Metric::DurationP99:
      return quantile(0.99, data, query, terms);
  }
  if (value) return *value;
  return fail(ErrorKind::NotFound, no_requests(data, query, terms));
}

Result<Value> finish(const Gathered& data, const Query& query, const Terms& terms) {
  auto number = compute(data, query, terms);
  if (!number) return fail(number.error());
  auto milli = to_milli(*number);
  if (!milli)
    return fail(milli.error().context("the value of " + std::string(to_string(query.metric))));
  return Value{*milli, data.oldest, is_gauge(query.metric) ? Duration{0} : data.covered};
}

Result<void> check_filter(const Query& query) {
  if (!query.only || !is_gauge(query.metric)) return {};
  return fail(ErrorKind::Invalid, std::string(to_string(query.metric)) +
                                      " is not kept by method and tool, so it cannot be selected "
                                      "with " +
                                      query.only_text);
}

// No pod of the server is usable: says so, with the reason of the first.
Error nothing_usable(std::string_view what, std::span<const PodState> pods, const Terms& terms,
                     Instant now) {
  if (pods.empty()) return {ErrorKind::NotFound, std::string(what) + " has no pods"};
  std::string text =
      "no pod of " + std::string(what) + " has data yet: " + why_unusable(pods.front(), terms, now);
  if (pods.size() > 1) text += " (and " + std::to_string(pods.size() - 1) + " more)";
  return {ErrorKind::NotFound, text};
}

}  // namespace

std::span<const std::string_view> metric_names() { return kNames; }

std::string_view to_string(Metric metric) { return kNames[static_cast<std::size_t>(metric)]; }

std::optional<Metric> parse_metric(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Metric>(found - kNames.begin());
}

std::string_view formula(Metric metric) {
  switch (metric) {
    case Metric::RequestsPerSecond:
      return "sum over the pods of the increase of mcp_requests_total in the window, each divided "
             "by "
             "the time that it covers";
    case Metric::DurationAvg:
      return "increase of mcp_request_duration_seconds_sum in the window divided by that of "
             "mcp_request_duration_seconds_count, each summed over the pods";
    case Metric::DurationP50:
    case Metric::DurationP95:
    case Metric::DurationP99:
      return "quantile of the increase of mcp_request_duration_seconds_bucket in the window, "
             "merged "
             "over the pods";
    case Metric::RequestsInFlight:
      return "sum over the pods of mcp_requests_in_flight at the last scrape";
    case Metric::ActiveSessions:
      return "sum over the pods of mcp_active_sessions at the last scrape";
    case Metric::ErrorRatio:
      return "increase of mcp_request_errors_total in the window divided by that of "
             "mcp_requests_total, each summed over the pods; 0 without requests";
  }
  return {};
}

bool is_counted(const PodState& pod, Metric metric, const Terms& terms, Instant now) {
  return is_usable(pod, {.metric = metric, .only = {}, .only_text = {}}, terms, now);
}

Result<void> check_fresh(const PodState& pod, const Terms& terms, Instant now) {
  if (is_fresh(pod, terms, now)) return {};
  return fail(ErrorKind::NotFound, why_unusable(pod, terms, now));
}

Result<Value> pod_value(const PodState& pod, const Query& query, const Terms& terms, Instant now) {
  if (auto valid = check_filter(query); !valid) return fail(valid.error());
  if (!is_usable(pod, query, terms, now))
    return fail(ErrorKind::NotFound, why_unusable(pod, terms, now));
  Gathered data;
  if (auto gathered = gather(pod, query, data); !gathered) return fail(gathered.error());
  return finish(data, query, terms);
}

Result<Value> server_value(std::string_view what, std::span<const PodState> pods,
                           const Query& query, const Terms& terms, Instant now) {
  if (auto valid = check_filter(query); !valid) return fail(valid.error());
  Gathered data;
  bool any = false;
  for (const auto& pod : pods) {
    if (is_usable(pod, query, terms, now)) {
      any = true;
      if (auto gathered = gather(pod, query, data); !gathered) return fail(gathered.error());
    } else if (!is_excused(pod, terms, now)) {
      return fail(ErrorKind::NotFound, why_unusable(pod, terms, now));
    }
  }
  if (!any) return fail(nothing_usable(what, pods, terms, now));
  return finish(data, query, terms);
}

std::string format_age(Duration age) {
  const double seconds = std::max(0.0, std::chrono::duration<double>(age).count());
  char text[32];
  if (seconds < 9.95) {
    std::snprintf(text, sizeof text, "%.1fs", seconds);
    // "3.0s" is "3s".
    std::string trimmed = text;
    if (trimmed.ends_with(".0s")) trimmed.erase(trimmed.size() - 3, 2);
    return trimmed;
  }
  if (seconds < 120) {
    std::snprintf(text, sizeof text, "%.0fs", seconds);
  } else {
    std::snprintf(text, sizeof text, "%.0fm", seconds / 60);
  }
  return text;
}

}  // namespace mcpfleet::metrics
