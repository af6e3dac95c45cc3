#include "tools/kubectl-mcp/gather.h"

#include <utility>

#include "base/time_text.h"
#include "fleet/decode.h"
#include "fleet/json_text.h"
#include "kube/paths.h"
#include "tools/kubectl-mcp/cluster.h"
#include "tools/kubectl-mcp/in_parallel.h"
#include "tools/kubectl-mcp/metrics_api.h"

namespace mcpfleet::kubectl {
namespace {

using fleet::Json;
using fleet::list_of;
using fleet::member;
using fleet::text_of;

constexpr std::size_t kMaxBytes = std::size_t{64} * 1024 * 1024;
constexpr const char* kServers = "mcpfleet.dev/v1alpha1";

// An Event's time stands where its writer's library put it.
std::optional<WallTime> time_of(const Json& event) {
  for (const std::string& text :
       {text_of(member(event, "series"), "lastObservedTime"), text_of(event, "lastTimestamp"),
        text_of(event, "eventTime"), text_of(event, "firstTimestamp")}) {
    if (const auto time = parse_rfc3339(text)) return *time;
  }
  return std::nullopt;
}

Result<Explanation> read_server(kube::Client& client, const std::string& namespace_,
                                const std::string& name) {
  const auto text =
      client.get(kube::object_path(kServers, namespace_, "mcpservers", kube::escape(name)));
  if (!text) return fail(text.error());
  Explanation result;
  auto server = fleet::decode(*text);
  if (!server) {
    result.invalid = server.error().message;
    server = fleet::decode_identity(*text);
    if (!server) return fail(server.error());
  }
  result.server = std::move(*server);
  return result;
}

void read_metrics(kube::Client& client, Explanation& explanation) {
  const auto keys = metrics_of(explanation.server);
  std::vector<LiveValue> values(keys.size());
  in_parallel(keys.size(), [&](std::size_t i) {
    values[i] = read_value(client, explanation.server.namespace_, explanation.server.name, keys[i]);
  });
  for (std::size_t i = 0; i < keys.size(); ++i) explanation.live[keys[i]] = std::move(values[i]);
}

std::optional<Told> read_rescale(kube::Client& client, const fleet::MCPServer& server) {
  const auto events =
      client.get(kube::collection_path("v1", server.namespace_, "events") + "?fieldSelector=" +
                 kube::escape("involvedObject.kind=HorizontalPodAutoscaler,involvedObject.name=" +
                              server.name));
  return events ? last_rescale(*events) : std::nullopt;
}

void read_hpa(kube::Client& client, Explanation& explanation) {
  const auto& server = explanation.server;
  const auto text = client.get(kube::object_path("autoscaling/v2", server.namespace_,
                                                 "horizontalpodautoscalers", server.name));
  if (!text) {
    explanation.hpa_problem = text.error().kind == ErrorKind::NotFound
                                  ? "It does not exist."
                                  : "It cannot be read: " + server_words(text.error());
    return;
  }
  auto hpa = desired::decode_hpa(*text);
  if (!hpa) {
    explanation.hpa_problem = hpa.error().message;
    return;
  }
  explanation.hpa = HpaReport{std::move(*hpa), std::nullopt, read_rescale(client, server)};
  const auto json = fleet::parse_json(*text, kMaxBytes);
  if (!json) return;
  const auto scaled = parse_rfc3339(text_of(member(*json, "status"), "lastScaleTime"));
  if (scaled) explanation.hpa->last_scaled = *scaled;
}

}  // namespace

std::optional<Told> last_rescale(std::string_view events) {
  const auto list = fleet::parse_json(events, kMaxBytes);
  if (!list) return std::nullopt;
  std::optional<Told> last;
  for (const Json& event : list_of(*list, "items")) {
    const auto time = time_of(event);
    if (!time || text_of(event, "reason") != "SuccessfulRescale") continue;
    if (!last || *time >= last->time) last = Told{*time, text_of(event, "message")};
  }
  return last;
}

Result<Explanation> gather(kube::Client& client, const std::string& namespace_,
                           const std::string& name, const Clock& clock) {
  auto result = read_server(client, namespace_, name);
  if (!result) return result;
  read_metrics(client, *result);
  const auto& autoscaling = result->server.autoscaling;
  if (autoscaling && fleet::wants_hpa(*autoscaling)) read_hpa(client, *result);
  result->now = clock.wall();
  return result;
}

}  // namespace mcpfleet::kubectl
