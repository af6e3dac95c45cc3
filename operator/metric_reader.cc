#include "operator/metric_reader.h"

#include <nlohmann/json.hpp>

#include "base/quantity.h"
#include "base/time_text.h"
#include "kube/paths.h"

namespace mcpfleet::op {
namespace {

using nlohmann::json;

std::string path_of(const std::string& server, const MetricQuery& query) {
  // Always the group that is ours: custom.metrics.k8s.io may belong to another adapter.
  std::string path = kube::collection_path("metrics.mcpfleet.dev/v1beta2", query.namespace_,
                                           "mcpservers.mcpfleet.dev") +
                     "/" + server + "/" + query.metric;
  if (!query.tool.empty()) path += "?metricLabelSelector=" + kube::escape("tool=" + query.tool);
  if (query.window > Duration{0})
    path += (query.tool.empty() ? "?window=" : "&window=") + format_duration(query.window);
  return path;
}

// The metrics API's own words, without the request that kube::Client puts in front: people read
// them in a condition.
std::string sentence(const Error& error) {
  const auto path_end =
      error.message.starts_with("get /") ? error.message.find(": ") : std::string::npos;
  const std::string said =
      path_end == std::string::npos ? error.message : error.message.substr(path_end + 2);
  if (said == "HTTP status 404" || said == "HTTP status 503") {
    return "the metrics API metrics.mcpfleet.dev does not answer (" + said + ")";
  }
  return said;
}

}  // namespace

Result<MetricValues> parse_metric_values(std::string_view text) {
  const auto list = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!list.is_object() || !list.contains("items") || !list["items"].is_array()) {
    return fail(ErrorKind::Malformed, "the metrics API answered no list");
  }
  const json::json_pointer name_at("/describedObject/name");
  MetricValues values;
  for (const auto& item : list["items"]) {
    const bool named = item.is_object() && item.contains(name_at) && item[name_at].is_string();
    if (!named || !item.contains("value") || !item["value"].is_string()) {
      return fail(ErrorKind::Malformed, "the metrics API answered an item without name or value");
    }
    const auto milli = parse_quantity_milli(item["value"].get_ref<const std::string&>());
    if (!milli) return fail(milli.error().context("the metrics API"));
    const auto time = item.find("timestamp");
    const auto at = time != item.end() && time->is_string()
                        ? parse_rfc3339(time->get_ref<const std::string&>())
                        : Result<WallTime>(fail(ErrorKind::Malformed, "no time"));
    if (!at) return fail(ErrorKind::Malformed, "the metrics API answered an item without a time");
    const auto window = item.find("windowSeconds");
    const bool averaged = window != item.end() && window->is_number_integer();
    values[item[name_at].get<std::string>()] = {
        static_cast<double>(*milli) / 1000.0, *at,
        std::chrono::seconds(averaged ? window->get<std::int64_t>() : 0)};
  }
  return values;
}

Result<std::vector<PastMinute>> parse_past(std::string_view text) {
  const auto answer = json::parse(text, nullptr, /*allow_exceptions=*/false);
  const json::json_pointer minutes_at("/series/0/minutes");
  if (!answer.is_object() || !answer.contains(minutes_at) || !answer[minutes_at].is_array())
    return fail(ErrorKind::Malformed, "the metrics API answered no minutes");
  const auto text_of = [](const json& minute, const char* key) -> std::string_view {
    const auto found = minute.find(key);
    if (found == minute.end() || !found->is_string()) return {};
    return found->get_ref<const std::string&>();
  };
  std::vector<PastMinute> minutes;
  for (const auto& minute : answer[minutes_at]) {
    if (!minute.is_object())
      return fail(ErrorKind::Malformed, "the metrics API answered no minute");
    const auto at = parse_rfc3339(text_of(minute, "timestamp"));
    const auto mean = parse_quantity_milli(text_of(minute, "avg"));
    if (!at || !mean)
      return fail(ErrorKind::Malformed, "the metrics API answered a minute without time or mean");
    minutes.push_back({*at, static_cast<double>(*mean) / 1000.0});
  }
  return minutes;
}

Result<std::vector<PastMinute>> MetricReader::past(const std::string& server,
                                                   const MetricQuery& query) {
  auto text = client_.get(path_of(server, query) + "/history?resolution=1m&window=24h");
  if (!text) return fail(text.error().kind, sentence(text.error()));
  return parse_past(*text);
}

Result<MetricValues> MetricReader::read_all(const MetricQuery& query) {
  auto text = client_.get(path_of("*", query));
  if (!text) return fail(text.error().kind, sentence(text.error()));
  return parse_metric_values(*text);
}

std::string MetricReader::explain(const std::string& server, const MetricQuery& query) {
  const auto text = client_.get(path_of(server, query));
  return text ? "" : sentence(text.error());
}

}  // namespace mcpfleet::op
