#include "operator/gateway_reconciler.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "desired/gateway.h"
#include "desired/reasons.h"
#include "kube/paths.h"
#include "log/log.h"
#include "operator/announce.h"
#include "operator/pace.h"

namespace mcpfleet::op {
namespace {

// How soon its servers are counted again. The gateway itself knows of each at once.
constexpr std::chrono::seconds kCountInterval{10};

ObjectOwner owner_of(const fleet::MCPGateway& gateway) {
  const auto* accepted = fleet::find_condition(gateway.status.conditions, desired::kAccepted);
  return {.kind = fleet::kGatewayKind,
          .plural = fleet::kGatewayPlural,
          .log_name = "gateway",
          .namespace_ = gateway.namespace_,
          .name = gateway.name,
          .uid = gateway.uid,
          .generation = gateway.generation,
          .accepted = accepted != nullptr && accepted->status == fleet::ConditionStatus::True &&
                      gateway.status.observed_generation == gateway.generation,
          .secret = gateway.name + std::string(desired::kGatewaySecretSuffix),
          .cluster_binding = desired::cluster_binding_name(gateway.namespace_, gateway.name)};
}

}  // namespace

Result<kube::Next> GatewayReconciler::reconcile(const std::string& key) {
  const auto entry = parts_.world.gateways.get(key);
  if (entry == nullptr) {
    if (auto cleaned = clean_up(key); !cleaned) return fail(cleaned.error());
    return kube::Next{};
  }
  // The garbage collector deletes what it owns, and the rest goes when it is gone.
  if (entry->gateway.deleting) return kube::Next{};
  Outcome outcome;
  if (entry->invalid) {
    outcome.refusal = desired::Refusal{std::string(desired::kInvalid), entry->invalid->message};
  } else {
    outcome = bring_about(entry->gateway);
  }
  if (outcome.error) return fail(*outcome.error);
  return tell(*entry, outcome);
}

// What is of the cluster has no owner that the garbage collector could know. Found by its watch, so
// that one whose gateway was deleted while nobody looked goes, too.
Result<void> GatewayReconciler::clean_up(const std::string& key) {
  applier_.forget(key);
  statuses_.forget(key);
  if (!parts_.world.watches(ChildKind::ClusterRoleBinding)) return {};
  const auto [namespace_, name] = kube::split_key(key);
  const std::string binding = desired::cluster_binding_name(namespace_, name);
  const auto child = parts_.world.child(ChildKind::ClusterRoleBinding, kube::make_key("", binding));
  if (child == nullptr || child->controller_kind != fleet::kGatewayKind) return {};
  // The watch of the gateways may lag behind.
  auto gateway = parts_.client.get(
      kube::object_path(fleet::kApiVersion, namespace_, fleet::kGatewayPlural, name));
  if (gateway) return fail(ErrorKind::Conflict, "there is an MCPGateway that no watch has told of");
  if (gateway.error().kind != ErrorKind::NotFound) return fail(gateway.error());
  auto removed = parts_.client.remove(
      kube::object_path("rbac.authorization.k8s.io/v1", "", "clusterrolebindings", binding),
      child->uid);
  if (!removed && removed.error().kind != ErrorKind::NotFound) return fail(removed.error());
  log::info("removed", {{"gateway", key}, {"kind", "ClusterRoleBinding"}, {"name", binding}});
  return {};
}

desired::GatewayContext GatewayReconciler::context_of(const fleet::MCPGateway& gateway) const {
  // No MCPServer has such a uid.
  const auto key_of = [&](int revision) {
    return keys_.key_of(gateway.uid + "/" + std::to_string(revision));
  };
  const int revision = gateway.session_key_revision;
  return {.image = options_.image,
          .pull_policy = options_.pull_policy,
          .role = options_.role,
          .all_namespaces = parts_.world.watches(ChildKind::ClusterRoleBinding),
          .session_key = key_of(revision),
          .previous_session_key = revision > 0 ? key_of(revision - 1) : std::string(),
          .next_session_key = key_of(revision + 1),
          .pod_monitor = parts_.world.watches(ChildKind::PodMonitor)};
}

Outcome GatewayReconciler::bring_about(const fleet::MCPGateway& gateway) {
  return applier_.bring_about(owner_of(gateway), [&](const Children&) {
    const auto context = context_of(gateway);
    return Wish{.digest = digest_of(context),
                .secret_fingerprint = keys_.fingerprint(context.session_key),
                .sidecar_image = {},
                .keep_sidecar = false,
                .build = [&gateway, context] { return desired::build_gateway(gateway, context); }};
  });
}

// Only where the operator may read Secrets, and of them no more than that they exist.
std::optional<bool> GatewayReconciler::tls_secret_exists(const fleet::MCPGateway& gateway) {
  if (gateway.tls_secret_name.empty() || !parts_.world.watches(ChildKind::Secret))
    return std::nullopt;
  const auto found = parts_.client.get_metadata(
      kube::collection_path("v1", gateway.namespace_, "secrets") + "?fieldSelector=metadata.name" +
      kube::escape("=" + gateway.tls_secret_name));
  if (!found) return std::nullopt;
  const auto list = nlohmann::json::parse(*found, nullptr, /*allow_exceptions=*/false);
  return list.is_object() && list.contains("items") && !list["items"].empty();
}

desired::ObservedGateway GatewayReconciler::observe(const GatewayEntry& entry,
                                                    const Outcome& outcome) {
  const std::string key = fleet::key(entry.gateway);
  desired::ObservedGateway observed;
  observed.refusal = outcome.refusal;
  if (const auto deployment = parts_.world.deployments.get(key);
      deployment != nullptr && deployment->controller_uid == entry.uid) {
    observed.deployment = deployment->seen;
    observed.pods = parts_.world.pods.of(key);
    // Those that run have read it.
    if (observed.deployment->ready_replicas < observed.deployment->spec_replicas)
      observed.tls_secret_exists = tls_secret_exists(entry.gateway);
  }
  observed.servers = static_cast<int>(
      std::ranges::count_if(parts_.world.servers.all(), [&entry](const auto& server) {
        return !server->invalid && fleet::serves(entry.gateway, server->server);
      }));
  return observed;
}

Result<kube::Next> GatewayReconciler::tell(const GatewayEntry& entry, const Outcome& outcome) {
  const auto observed = observe(entry, outcome);
  const auto& before = entry.gateway.status;
  const auto after = desired::build_gateway_status(entry.gateway, observed, parts_.clock.wall());
  return StatusWriter::conclude(
      {.wait = status_wait(before, after, statuses_.since(fleet::key(entry.gateway))),
       .next = kCountInterval,
       .may_pass = entry.invalid ? std::nullopt : outcome.refusal,
       .write = [&] { return write_status(entry, after); }});
}

Result<bool> GatewayReconciler::write_status(const GatewayEntry& entry,
                                             const fleet::GatewayStatus& after) {
  const auto& gateway = entry.gateway;
  const auto owner = owner_of(gateway);
  auto answer = statuses_.write(owner, fleet::encode_gateway_status(after));
  if (!answer) return fail(answer.error());
  if (!*answer) return false;
  bool changed = false;
  if (auto stored = decode_gateway_entry(**answer)) {
    changed = stored->gateway.generation != gateway.generation;
    parts_.world.gateways.note_written(std::move(*stored));
  }
  say(parts_.events, owner, announcements(gateway.status.conditions, after.conditions));
  return changed;
}

}  // namespace mcpfleet::op
