#include "operator/reconciler.h"

#include <algorithm>
#include <set>

#include "desired/reasons.h"
#include "kube/paths.h"
#include "log/log.h"
#include "operator/announce.h"
#include "operator/pace.h"
#include "operator/pod_counts.h"
#include "scaling/advice.h"

namespace mcpfleet::op {

namespace {

// How soon the readings of what decides are looked at again.
constexpr std::chrono::seconds kReadingsInterval{30};
// No watch tells of a workload of others, nor of what else scales it.
constexpr std::chrono::seconds kWorkloadInterval{10};
// In case a change was never told.
constexpr std::chrono::minutes kResync{10};

ObjectOwner owner_of(const fleet::MCPServer& server) {
  const auto* accepted = fleet::find_condition(server.status, desired::kAccepted);
  return {.kind = fleet::kKind,
          .plural = fleet::kPlural,
          .log_name = "server",
          .namespace_ = server.namespace_,
          .name = server.name,
          .uid = server.uid,
          .generation = server.generation,
          .accepted = accepted != nullptr && accepted->status == fleet::ConditionStatus::True &&
                      server.status.observed_generation == server.generation,
          .secret = server.name + std::string(desired::kSecretSuffix),
          .cluster_binding = {}};
}

Replicas replicas_of(const desired::Observed& observed) {
  if (observed.workload) return {observed.workload->replicas, pods_of(*observed.workload, {})};
  if (!observed.deployment) return {};
  return {observed.deployment->replicas, pods_of(*observed.deployment, observed.pods)};
}

bool is_decided(const ServerEntry& entry) {
  return !entry.invalid && entry.server.autoscaling && fleet::decides(*entry.server.autoscaling);
}

Duration next_look(const ServerEntry& entry) {
  if (entry.server.workload_ref) return kWorkloadInterval;
  return is_decided(entry) ? Duration(kReadingsInterval) : Duration(kResync);
}

}  // namespace

// What came of applying, and of what the server depends on.
struct Reconciler::Attempt : Outcome {
  View view;
};

void Reconciler::forget(const std::string& key) {
  parts_.scalers.forget(key);
  if (parts_.surroundings != nullptr) parts_.surroundings->forget(key);
  applier_.forget(key);
  statuses_.forget(key);
}

Result<kube::Next> Reconciler::reconcile(const std::string& key) {
  const auto entry = parts_.world.servers.get(key);
  if (entry == nullptr) {
    forget(key);
    return kube::Next{};
  }
  // The garbage collector deletes what it owns.
  if (entry->server.deleting) return kube::Next{};
  Attempt outcome;
  if (entry->invalid) {
    outcome.refusal = desired::Refusal{std::string(desired::kInvalid), entry->invalid->message};
  } else {
    outcome = bring_about(entry->server);
  }
  if (outcome.error) return fail(*outcome.error);
  return tell(*entry, outcome);
}

desired::Context Reconciler::context_of(const fleet::MCPServer& server, const Children& children,
                                        const View& view) const {
  const auto& deployment = children.deployment;
  const bool ours = deployment != nullptr && deployment->controller_uid == server.uid;
  desired::Context context;
  context.sidecar_image = options_.sidecar_image;
  context.sidecar_pull_policy = options_.sidecar_pull_policy;
  context.session_key = keys_.key_of(server.uid);
  context.hpa_tolerance = options_.hpa_tolerance;
  context.service_monitor = parts_.world.watches(ChildKind::ServiceMonitor);
  context.replicas = desired::decide_replicas(server, ours ? &deployment->seen : nullptr);
  if (!view.config_digest.empty()) {
    context.config_fingerprint = SessionKeys::fingerprint(context.session_key, view.config_digest);
  }
  return context;
}

Reconciler::Attempt Reconciler::bring_about(const fleet::MCPServer& server) {
  Attempt attempt;
  if (parts_.surroundings == nullptr) {
    static_cast<Outcome&>(attempt) = bring_about(server, {});
    return attempt;
  }
  auto view = parts_.surroundings->look(server);
  if (view && view->complete()) {
    static_cast<Outcome&>(attempt) = bring_about(server, *view);
  } else if (!view && is_refusal(view.error())) {
    attempt.refusal = {std::string(desired::kRefused), view.error().message};
  } else if (!view) {
    attempt.error = view.error();
  }
  if (view) attempt.view = std::move(*view);
  return attempt;
}

Outcome Reconciler::bring_about(const fleet::MCPServer& server, const View& view) {
  const auto decide = [&](const Children& children) {
    const auto context = context_of(server, children, view);
    return Wish{.digest = digest_of(context, view.other_scalers),
                .secret_fingerprint = keys_.fingerprint(context.session_key),
                .sidecar_image = options_.sidecar_image,
                .keep_sidecar = options_.keep_sidecar,
                .build = [&server, &view, context] {
                  auto wanted = desired::build(server, context);
                  yield_to_others(view, wanted);
                  return wanted;
                }};
  };
  return applier_.bring_about(owner_of(server), decide);
}

desired::Observed Reconciler::observe(const ServerEntry& entry, const Attempt& outcome) {
  const std::string key = fleet::key(entry.server);
  desired::Observed observed;
  observed.refusal = outcome.refusal;
  observed.notes = outcome.notes;
  observed.missing = outcome.view.missing;
  observed.workload = outcome.view.workload;
  observed.other_scalers = outcome.view.other_scalers;
  if (const auto deployment = parts_.world.deployments.get(key);
      deployment != nullptr && deployment->controller_uid == entry.uid) {
    observed.deployment = deployment->seen;
    observed.pods = parts_.world.pods.of(key);
  }
  if (const auto hpa = parts_.world.hpas.get(key);
      hpa != nullptr && hpa->controller_uid == entry.uid) {
    observed.hpa = hpa->seen;
  }
  observed.active_sessions = parts_.sessions.of(key);
  if (parts_.surroundings != nullptr) {
    observed.server_info = parts_.surroundings->server_info(entry.server, observed);
  }
  return observed;
}

Result<kube::Next> Reconciler::tell(const ServerEntry& entry, const Attempt& outcome) {
  const std::string key = fleet::key(entry.server);
  const auto now = parts_.clock.wall();
  auto observed = observe(entry, outcome);
  std::optional<ScalingView> view;
  if (is_decided(entry)) {
    view = parts_.scalers.view(entry.server, replicas_of(observed), now);
    observed.scaling = view->status;
    for (auto& sentence : scaling::advice(*entry.server.autoscaling))
      observed.notes.push_back(std::move(sentence));
    observed.rule_metrics = view->readings;
    observed.rule_problems = view->rule_problems;
    observed.metric_problems = view->metric_problems;
    observed.limit = view->limit;
  } else {
    parts_.scalers.forget(key);
  }
  const auto& before = entry.server.status;
  const auto after = desired::build_status(entry.server, observed, now);
  return StatusWriter::conclude(
      {.wait = status_wait(before, after, statuses_.since(key)),
       .next = next_look(entry),
       .may_pass = entry.invalid ? std::nullopt : outcome.refusal,
       .write = [&] { return write_status(entry, before, after, view ? &*view : nullptr); }});
}

Result<bool> Reconciler::write_status(const ServerEntry& entry, const fleet::Status& before,
                                      const fleet::Status& after, const ScalingView* view) {
  const auto& server = entry.server;
  auto answer = statuses_.write(owner_of(server), fleet::encode_status(after));
  if (!answer) return fail(answer.error());
  if (!*answer) return false;
  bool changed = false;
  if (auto stored = decode_server(**answer)) {
    changed = stored->server.generation != server.generation;
    parts_.world.servers.note_written(std::move(*stored));
  }
  announce(server, before, after, view);
  return changed;
}

void Reconciler::announce(const fleet::MCPServer& server, const fleet::Status& before,
                          const fleet::Status& after, const ScalingView* view) {
  say(parts_.events, owner_of(server), announcements(before, after));
  const auto decision_of = [](const fleet::Status& status) {
    return status.scaling ? status.scaling->last_decision : std::nullopt;
  };
  const auto decision = decision_of(after);
  if (!decision || decision == decision_of(before)) return;
  parts_.telemetry.decided(decision->rule, decision->reason);
  const auto cause = view != nullptr ? view->cause : std::nullopt;
  log::info(
      "scaling decision",
      {{"server", fleet::key(server)},
       {"rule", decision->rule},
       {"metric", cause ? cause->metric : ""},
       {"value", cause && cause->current_value ? scaling::format_value(*cause->current_value) : ""},
       {"threshold", cause ? scaling::format_value(cause->threshold) : ""},
       {"from", decision->from},
       {"to", decision->to},
       {"reason", decision->reason},
       {"recommended", after.scaling->recommended_replicas}});
}

}  // namespace mcpfleet::op
