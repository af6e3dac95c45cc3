#include "operator/metric_reader.h"

#include <nlohmann/json.hpp>

#include "base/quantity.h"
#include "kube/paths.h"

namespace mcpfleet::op {
namespace {

using nlohmann::json;

std::string path_of(const std::string& namespace_, const std::string& server,
                    const std::string& metric, const std::string& tool) {
  // Always the group that is ours: custom.metrics.k8s.io may belong to another adapter.
  std::string path =
      kube::collection_path("metrics.mcpfleet.dev/v1beta2", namespace_, "mcpservers.mcpfleet.dev") +
      "/" + server + "/" + metric;
  if (!tool.empty()) path += "?metricLabelSelector=" + kube::escape("tool=" + tool);
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
    values[item[name_at].get<std::string>()] = static_cast<double>(*milli) / 1000.0;
  }
  return values;
}

Result<MetricValues> MetricReader::read_all(const std::string& namespace_,
                                            const std::string& metric, const std::string& tool) {
  auto text = client_.get(path_of(namespace_, "*", metric, tool));
  if (!text) return fail(text.error().kind, sentence(text.error()));
  return parse_metric_values(*text);
}

std::string MetricReader::explain(const std::string& namespace_, const std::string& server,
                                  const std::string& metric, const std::string& tool) {
  const auto text = client_.get(path_of(namespace_, server, metric, tool));
  return text ? "" : sentence(text.error());
}

}  // namespace mcpfleet::op
