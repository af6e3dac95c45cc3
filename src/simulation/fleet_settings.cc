// From an MCPServer to how mcpfleet scales it: the HPA that desired/ renders, and the Scaler's
// policy.
#include <nlohmann/json.hpp>
#include <utility>

#include "desired/desired.h"
#include "scaling/hpa_decode.h"
#include "scaling/policy_of.h"
#include "simulation/fleet_policy.h"

namespace mcpfleet::simulation {
namespace {

using nlohmann::json;
using scaling::HpaMetric;
using scaling::HpaSource;

// The pipelines of the product: the adapter scrapes each second and answers over 30 s.
constexpr Pipeline kRate{.every = 1, .window = 30, .phase = 0, .delay = 1};
constexpr Pipeline kGauge{.every = 1, .window = 1, .phase = 0, .delay = 1};
// CPU comes from metrics-server, with the resolution of its own manifests.
constexpr Pipeline kCpu{.every = 15, .window = 15, .phase = 4, .delay = 1};

// The spec of the HPA that the operator would make; null where it makes none.
Result<json> render(fleet::MCPServer server) {
  server.autoscaling->mode = fleet::ScalingMode::Active;
  server.autoscaling->actuator = fleet::Actuator::Hpa;
  desired::Context context;
  context.sidecar_image = "mcp-sidecar";
  context.session_key = std::string(32, '\0');
  context.hpa_tolerance = true;
  const desired::Desired wanted = desired::build(server, context);
  if (wanted.refusal) return fail(ErrorKind::Invalid, wanted.refusal->message);
  for (const desired::Object& object : wanted.objects)
    if (object.kind == "HorizontalPodAutoscaler") return json::parse(object.body).at("spec");
  return json();
}

std::optional<HpaSignal> signal_of(const HpaMetric& metric) {
  const bool resource =
      metric.source == HpaSource::Resource || metric.source == HpaSource::ContainerResource;
  if (resource && metric.name == "cpu") return HpaSignal{HpaSignal::Kind::Cpu, kCpu};
  if (metric.name == "mcp_requests_per_second") return HpaSignal{HpaSignal::Kind::Rate, kRate};
  if (metric.name == "mcp_requests_in_flight") return HpaSignal{HpaSignal::Kind::InFlight, kGauge};
  if (metric.name == "mcp_recommended_replicas") return HpaSignal{HpaSignal::Kind::Floor, {}};
  return std::nullopt;
}

// The HPA of the server without the metrics that cannot be simulated; absent where none is left.
Result<std::optional<HpaPolicy>> hpa_of(const fleet::MCPServer& server, const PodShape& pod,
                                        int phase) {
  const auto rendered = render(server);
  if (!rendered) return fail(rendered.error());
  if (rendered->is_null()) return std::nullopt;
  auto spec = scaling::decode_hpa(rendered->dump());
  if (!spec) return fail(spec.error());
  std::vector<HpaSignal> signals;
  std::vector<HpaMetric> metrics;
  for (const HpaMetric& metric : spec->metrics) {
    const auto signal = signal_of(metric);
    if (!signal || signals.size() == HpaPolicy::kMaxMetrics) continue;
    signals.push_back(*signal);
    metrics.push_back(metric);
  }
  if (signals.empty()) return std::nullopt;
  spec->metrics = std::move(metrics);
  return HpaPolicy(std::move(*spec), std::move(signals), pod, phase);
}

// The operator's own policy, whatever the mode is.
scaling::Policy policy_of(const fleet::MCPServer& server, scaling::Actuator actuator) {
  fleet::Autoscaling autoscaling = *server.autoscaling;
  autoscaling.mode = fleet::ScalingMode::Active;
  autoscaling.actuator =
      actuator == scaling::Actuator::Operator ? fleet::Actuator::Operator : fleet::Actuator::Hpa;
  // As in the HPA: CPU counts where the container requests it. The model has neither memory nor
  // sessions.
  if (!server.runtime.requests_cpu && !server.workload_ref)
    autoscaling.targets.cpu_utilization.reset();
  autoscaling.targets.memory_utilization.reset();
  autoscaling.targets.sessions_milli.reset();
  return scaling::policy_of(autoscaling);
}

}  // namespace

std::vector<std::string> left_out(const fleet::MCPServer& server) {
  std::vector<std::string> notes;
  if (!server.autoscaling) return notes;
  const auto add = [&](const std::string& what) {
    notes.push_back(what + " is left out: the model has none");
  };
  if (server.autoscaling->targets.memory_utilization &&
      (server.runtime.requests_memory || server.workload_ref))
    add("spec.autoscaling.targets.memoryUtilization");
  if (server.autoscaling->targets.sessions_milli) add("spec.autoscaling.targets.sessions");
  for (std::size_t i = 0; i < server.autoscaling->rules.size(); ++i) {
    const fleet::Rule& rule = server.autoscaling->rules[i];
    const std::string path = "spec.autoscaling.rules[" + std::to_string(i) + "]";
    if (rule.metric == "mcp_active_sessions") add(path + " looks at sessions, which");
    if (!rule.tool.empty()) notes.push_back(path + " sees all calls: the model has one tool");
  }
  return notes;
}

Result<FleetSettings> fleet_settings(const fleet::MCPServer& server, scaling::Actuator actuator,
                                     const PodShape& pod, int phase) {
  if (!server.autoscaling)
    return fail(ErrorKind::Invalid, "spec.autoscaling is missing: there is nothing to simulate");
  FleetSettings settings{*server.autoscaling, policy_of(server, actuator), std::nullopt};
  if (actuator == scaling::Actuator::Operator) return settings;
  auto hpa = hpa_of(server, pod, phase);
  if (!hpa) return fail(hpa.error());
  if (!*hpa)
    return fail(ErrorKind::Invalid,
                "spec.autoscaling has no target or rule that can be simulated: the model has "
                "requests, calls in flight, CPU and latency");
  settings.hpa = std::move(*hpa);
  return settings;
}

}  // namespace mcpfleet::simulation
