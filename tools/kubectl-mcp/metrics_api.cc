#include "tools/kubectl-mcp/metrics_api.h"

#include "base/quantity.h"
#include "base/time_text.h"
#include "fleet/json_text.h"
#include "kube/paths.h"
#include "tools/kubectl-mcp/cluster.h"

namespace mcpfleet::kubectl {
namespace {

using fleet::Json;
using fleet::list_of;
using fleet::member;
using fleet::text_of;

constexpr std::size_t kMaxBytes = std::size_t{64} * 1024 * 1024;

std::string path_of(const std::string& namespace_, const std::string& server,
                    const MetricKey& key) {
  // Always the group that is ours: custom.metrics.k8s.io may belong to another adapter.
  std::string path =
      kube::collection_path("metrics.mcpfleet.dev/v1beta2", namespace_, "mcpservers.mcpfleet.dev") +
      "/" + server + "/" + key.metric;
  if (!key.tool.empty()) path += "?metricLabelSelector=" + kube::escape("tool=" + key.tool);
  return path;
}

// The metrics API's own words; without any it was not the metrics API that answered.
std::string sentence(const Error& error) {
  std::string said = server_words(error);
  // What each such error begins with, in the words that an HPA knows; the reason follows.
  if (said.starts_with("the server could not find the metric ")) {
    const auto reason = said.find(": ");
    return reason == std::string::npos ? said : said.substr(reason + 2);
  }
  if (said != "HTTP status 404" && said != "HTTP status 503") return said;
  return "the metrics API metrics.mcpfleet.dev does not answer (" + said +
         "); is mcp-metrics-adapter running?";
}

}  // namespace

Result<TimedValues> parse_values(std::string_view text) {
  const auto list = fleet::parse_json(text, kMaxBytes);
  if (!list || !member(*list, "items").is_array()) {
    return fail(ErrorKind::Malformed, "the metrics API answered no list");
  }
  TimedValues values;
  for (const Json& item : list_of(*list, "items")) {
    const std::string name = text_of(member(item, "describedObject"), "name");
    const auto milli = parse_quantity_milli(text_of(item, "value"));
    const auto time = parse_rfc3339(text_of(item, "timestamp"));
    if (name.empty() || !milli || !time) {
      return fail(ErrorKind::Malformed,
                  "the metrics API answered an item without name, value or time");
    }
    values[name] = {static_cast<double>(*milli) / 1000.0, *time};
  }
  return values;
}

Result<TimedValues> read_values(kube::Client& client, const std::string& namespace_,
                                const std::string& metric) {
  const auto text = client.get(path_of(namespace_, "*", {metric, ""}));
  if (!text) return fail(text.error().kind, sentence(text.error()));
  return parse_values(*text);
}

LiveValue read_value(kube::Client& client, const std::string& namespace_, const std::string& server,
                     const MetricKey& key) {
  const auto text = client.get(path_of(namespace_, server, key));
  if (!text) return {.why = sentence(text.error())};
  const auto values = parse_values(*text);
  if (!values) return {.why = values.error().message};
  const auto found = values->find(server);
  if (found == values->end()) return {.why = "the metrics API has no value of it"};
  return {.value = found->second.value, .time = found->second.time};
}

}  // namespace mcpfleet::kubectl
