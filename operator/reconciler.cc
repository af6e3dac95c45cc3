#include "operator/reconciler.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "desired/reasons.h"
#include "kube/paths.h"
#include "log/log.h"
#include "operator/announce.h"
#include "operator/pace.h"
#include "operator/pod_counts.h"
#include "scaling/advice.h"

namespace mcpfleet::op {

using nlohmann::json;

namespace {

// How soon the readings of what decides are looked at again.
constexpr std::chrono::seconds kReadingsInterval{30};
// No watch tells of a workload of others, nor of what else scales it.
constexpr std::chrono::seconds kWorkloadInterval{10};
// In case a change was never told.
constexpr std::chrono::minutes kResync{10};

kube::ObjectReference reference(const fleet::MCPServer& server) {
  return {fleet::kApiVersion, fleet::kKind, server.namespace_, server.name, server.uid};
}

// The API server will not take what we wrote, however often: a wrong value in the spec, a quota, an
// admission policy, a missing right.
bool is_refusal(const Error& error) {
  return error.kind == ErrorKind::Invalid || error.kind == ErrorKind::Forbidden ||
         error.kind == ErrorKind::TooLarge;
}

bool accepted(const fleet::Status& status, std::int64_t generation) {
  const auto* condition = fleet::find_condition(status, desired::kAccepted);
  return condition != nullptr && condition->status == fleet::ConditionStatus::True &&
         status.observed_generation == generation;
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

// True where somebody but us put data into a Secret. `answer` is the API server's to an apply that
// was only tried.
bool has_foreign_data(const std::string& answer) {
  const auto secret = json::parse(answer, nullptr, false);
  const json::json_pointer fields("/metadata/managedFields");
  if (!secret.is_object() || !secret.contains(fields)) return true;
  for (const auto& entry : secret[fields]) {
    if (entry.value("manager", "") == desired::kFieldManager) continue;
    const auto owned = entry.find("fieldsV1");
    if (owned != entry.end() && owned->contains("f:data")) return true;
  }
  return false;
}

bool makes_again(const Plan& plan) {
  return std::ranges::any_of(
      plan.writes, [](const Write& write) { return !write.exists && !write.put_right.empty(); });
}

}  // namespace

// Entries of the stores, or answers to a look-up.
struct Reconciler::Children {
  std::shared_ptr<const DeploymentEntry> deployment;
  std::map<std::string, std::shared_ptr<const Child>> by_path;
  std::set<std::string> looked_up;  // paths; nobody's labels had shown them

  bool verified() const {
    return std::ranges::all_of(by_path, [](const auto& entry) { return entry.second->verified(); });
  }
};

struct Reconciler::Outcome {
  std::optional<desired::Refusal> refusal;
  std::optional<Error> error;  // try again later; nothing to tell people yet
  std::vector<std::string> notes;
  View view;
  const desired::Object* hidden = nullptr;  // it exists, though no watch showed it
};

void Reconciler::forget(const std::string& key) {
  parts_.scalers.forget(key);
  if (parts_.surroundings != nullptr) parts_.surroundings->forget(key);
  std::lock_guard lock(mutex_);
  told_.erase(key);
  steady_.erase(key);
  applied_.erase(key);
}

Result<kube::Next> Reconciler::reconcile(const std::string& key) {
  const auto entry = parts_.world.servers.get(key);
  if (entry == nullptr) {
    forget(key);
    return kube::Next{};
  }
  // The garbage collector deletes what it owns.
  if (entry->server.deleting) return kube::Next{};
  Outcome outcome;
  if (entry->invalid) {
    outcome.refusal = desired::Refusal{std::string(desired::kInvalid), entry->invalid->message};
  } else {
    outcome = bring_about(entry->server);
  }
  if (outcome.error) return fail(*outcome.error);
  return tell(*entry, outcome);
}

// Of all kinds: what is not wanted any more has to be found as well.
Reconciler::Children Reconciler::known_children(const fleet::MCPServer& server) const {
  Children children;
  const auto& world = parts_.world;
  const std::string key = fleet::key(server);
  for (const auto& type : kChildTypes) {
    if (!world.watches(type.kind)) continue;
    const bool secret = type.kind == ChildKind::Secret;
    const std::string name = server.name + std::string(secret ? desired::kSecretSuffix : "");
    std::shared_ptr<const Child> child;
    if (type.kind == ChildKind::Deployment) {
      child = children.deployment = world.deployments.get(key);
    } else {
      child = world.child(type.kind, kube::make_key(server.namespace_, name));
    }
    if (child == nullptr) continue;
    children.by_path[kube::object_path(type.api_version, server.namespace_, type.plural, name)] =
        std::move(child);
  }
  return children;
}

// Somebody made it without our labels, or took them off.
Result<void> Reconciler::look_up(const desired::Object& object, Children& children) {
  children.looked_up.insert(object.path);
  auto text = parts_.client.get(object.path);
  if (!text) {
    if (text.error().kind == ErrorKind::NotFound) return {};
    return fail(text.error());
  }
  if (object.kind == "Deployment") {
    auto entry = decode_deployment_entry(*text);
    if (!entry) return fail(entry.error());
    children.deployment = std::make_shared<const DeploymentEntry>(std::move(*entry));
    children.by_path[object.path] = children.deployment;
    return {};
  }
  auto child = decode_child(*text);
  if (!child) return fail(child.error());
  children.by_path[object.path] = std::make_shared<const Child>(std::move(*child));
  return {};
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

// By its status, or, before that is written, by what we remember.
bool Reconciler::applied_before(const fleet::MCPServer& server) {
  if (accepted(server.status, server.generation)) return true;
  std::lock_guard lock(mutex_);
  const auto found = applied_.find(fleet::key(server));
  return found != applied_.end() && found->second.uid == server.uid &&
         found->second.generation == server.generation;
}

void Reconciler::note_applied(const fleet::MCPServer& server) {
  std::lock_guard lock(mutex_);
  applied_[fleet::key(server)] = {server.uid, server.generation};
}

PlanInput Reconciler::plan_input(const fleet::MCPServer& server, const Children& children) {
  PlanInput input;
  input.server = &server;
  input.applied_before = applied_before(server);
  for (const auto& [path, child] : children.by_path) input.children[path] = child.get();
  input.secret_fingerprint = keys_.fingerprint(keys_.key_of(server.uid));
  input.secrets_seen = parts_.world.watches(ChildKind::Secret);
  input.sidecar_image = options_.sidecar_image;
  input.keep_sidecar = options_.keep_sidecar;
  return input;
}

Reconciler::Outcome Reconciler::bring_about(const fleet::MCPServer& server) {
  if (parts_.surroundings == nullptr) return bring_about(server, {});
  Outcome outcome;
  auto view = parts_.surroundings->look(server);
  if (view && view->complete()) {
    outcome = bring_about(server, *view);
  } else if (!view && is_refusal(view.error())) {
    outcome.refusal = {std::string(desired::kRefused), view.error().message};
  } else if (!view) {
    outcome.error = view.error();
  }
  if (view) outcome.view = std::move(*view);
  return outcome;
}

Reconciler::Outcome Reconciler::bring_about(const fleet::MCPServer& server, const View& view) {
  const std::string key = fleet::key(server);
  Children children = known_children(server);
  for (;;) {
    const auto context = context_of(server, children, view);
    const auto input = plan_input(server, children);
    const auto circumstances = op::circumstances(context, input, view.other_scalers);
    if (children.verified()) {
      if (auto known = steady(key, circumstances)) return *known;
    }
    auto wanted = desired::build(server, context);
    yield_to_others(view, wanted);
    const auto plan = make_plan(wanted, input);
    if (makes_again(plan)) {
      if (auto confirmed = confirm(server); !confirmed) {
        Outcome later;
        later.error = confirmed.error();
        return later;
      }
    }
    auto outcome = carry_out(server, plan, children);
    outcome.notes = wanted.notes;
    if (!plan.has_work()) set_steady(key, {circumstances, wanted.notes});
    if (outcome.hidden == nullptr) return outcome;
    if (auto looked = look_up(*outcome.hidden, children); !looked) {
      outcome.error = looked.error();
      return outcome;
    }
  }
}

Result<void> Reconciler::confirm(const fleet::MCPServer& server) {
  auto text = parts_.client.get(
      kube::object_path(fleet::kApiVersion, server.namespace_, fleet::kPlural, server.name));
  if (!text && text.error().kind != ErrorKind::NotFound) return fail(text.error());
  if (text) {
    const auto entry = decode_server(*text);
    if (!entry) return fail(entry.error());
    if (entry->uid == server.uid && !entry->server.deleting) return {};
  }
  return fail(ErrorKind::Conflict,
              "the MCPServer is deleted, of which the watch does not know yet");
}

std::optional<Reconciler::Outcome> Reconciler::steady(const std::string& key,
                                                      std::uint64_t circumstances) {
  std::lock_guard lock(mutex_);
  const auto found = steady_.find(key);
  if (found == steady_.end() || found->second.circumstances != circumstances) return std::nullopt;
  Outcome outcome;
  outcome.notes = found->second.notes;
  return outcome;
}

void Reconciler::set_steady(const std::string& key, Steady steady) {
  std::lock_guard lock(mutex_);
  steady_[key] = std::move(steady);
}

Reconciler::Outcome Reconciler::carry_out(const fleet::MCPServer& server, const Plan& plan,
                                          const Children& children) {
  Outcome outcome;
  outcome.refusal = plan.refusal;
  if (plan.refusal) return outcome;
  if (!plan.wait_for.empty()) {
    outcome.error = Error{ErrorKind::Conflict, "waiting until " + plan.wait_for +
                                                   " of a deleted MCPServer of this name is gone"};
    return outcome;
  }
  for (const auto* object : plan.verified) {
    if (const auto kind = child_kind(object->kind)) {
      parts_.world.note_verified(*kind, *children.by_path.at(object->path));
    }
  }
  for (const auto& wanted : plan.writes) {
    const bool looked_up = children.looked_up.contains(wanted.object.path);
    auto written = write(server, wanted, looked_up);
    if (written) continue;
    const auto& error = written.error();
    if (wanted.object.kind == "Secret" && error.kind == ErrorKind::AlreadyExists) {
      outcome.refusal = {std::string(desired::kNameTaken), error.message};
    } else if (error.kind == ErrorKind::Conflict && !wanted.exists && !looked_up) {
      outcome.hidden = wanted.source;
    } else if (is_refusal(error)) {
      outcome.refusal = {std::string(desired::kRefused), error.message};
    } else {
      outcome.error = error;
    }
    return outcome;
  }
  for (const auto& removal : plan.removals) {
    auto removed = parts_.client.remove(removal.object.path, removal.uid);
    if (!removed && removed.error().kind != ErrorKind::NotFound) {
      outcome.error = removed.error();
      return outcome;
    }
    log::info("removed", {{"server", fleet::key(server)},
                          {"kind", removal.object.kind},
                          {"name", removal.object.name}});
  }
  note_applied(server);
  return outcome;
}

Result<void> Reconciler::write(const fleet::MCPServer& server, const Write& write, bool looked_up) {
  auto answer = apply(write, looked_up);
  if (!answer) return fail(answer.error());
  return note_written(server, write, *answer);
}

// Conflict: it was to be created, and exists.
Result<std::string> Reconciler::apply(const Write& write, bool looked_up) {
  // Looked up in vain: it has just gone, or this API server takes no such precondition.
  auto applied = parts_.client.apply(
      write.object.path,
      looked_up && !write.exists ? without_precondition(write) : write.object.body,
      desired::kFieldManager, /*force=*/write.exists);
  if (applied) return std::move(applied->object);
  const bool taken = applied.error().kind == ErrorKind::Conflict && !write.exists;
  if (taken && write.object.kind == "Secret") return take_secret(write);
  return fail(applied.error());
}

// Secrets are not read: an existing one is asked for by an apply that is only tried.
Result<std::string> Reconciler::take_secret(const Write& write) {
  const std::string body = without_precondition(write);
  auto tried = parts_.client.apply(write.object.path + "?dryRun=All", body, desired::kFieldManager,
                                   /*force=*/true);
  if (!tried) return fail(tried.error());
  if (has_foreign_data(tried->object)) {
    return fail(ErrorKind::AlreadyExists,
                "Secret " + write.object.name +
                    " exists and holds data of somebody else; delete it, or give the MCPServer "
                    "another name");
  }
  auto applied = parts_.client.apply(write.object.path, body, desired::kFieldManager, true);
  if (!applied) return fail(applied.error());
  return std::move(applied->object);
}

Result<void> Reconciler::note_written(const fleet::MCPServer& server, const Write& write,
                                      const std::string& answer) {
  bool drift = false;
  if (!write.put_right.empty()) {
    const auto child = decode_child(answer);
    if (!child) return fail(child.error());
    drift = holds(write, *child);
  }
  log::info("applied", {{"server", fleet::key(server)},
                        {"kind", write.object.kind},
                        {"name", write.object.name},
                        {"because", drift ? write.put_right : "wanted"}});
  if (drift) {
    parts_.telemetry.drift_corrected();
    parts_.events.record(
        reference(server), kube::EventType::Normal, "DriftCorrected",
        write.object.kind + " " + write.object.name + " was put right: " + write.put_right);
  }
  if (const auto kind = child_kind(write.object.kind)) parts_.world.note_written(*kind, answer);
  return {};
}

desired::Observed Reconciler::observe(const ServerEntry& entry, const Outcome& outcome) {
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

Duration Reconciler::since_told(const std::string& key) {
  std::lock_guard lock(mutex_);
  const auto now = parts_.clock.monotonic();
  // A server not seen before waits, too: a restart writes nothing.
  return now - told_.emplace(key, now).first->second;
}

Result<kube::Next> Reconciler::tell(const ServerEntry& entry, const Outcome& outcome) {
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
  const auto wait = status_wait(before, after, since_told(key));
  Duration next = next_look(entry);
  if (wait == Duration(0)) {
    auto written = write_status(entry, before, after, view ? &*view : nullptr);
    if (!written) return fail(written.error());
    // The watch need not tell of what the answer has told already.
    if (*written) next = Duration(0);
  } else if (wait) {
    next = std::min(next, *wait);
  }
  // What a later try may bring about: a quota raised, a foreign object deleted.
  if (outcome.refusal && !entry.invalid) {
    return fail(ErrorKind::Invalid, outcome.refusal->message);
  }
  return kube::Next{next};
}

Result<bool> Reconciler::write_status(const ServerEntry& entry, const fleet::Status& before,
                                      const fleet::Status& after, const ScalingView* view) {
  const auto& server = entry.server;
  const std::string path =
      kube::object_path(fleet::kApiVersion, server.namespace_, fleet::kPlural, server.name) +
      "/status";
  // With the uid, so that an object of the same name made meanwhile does not get it.
  const json identity = {
      {"name", server.name}, {"namespace", server.namespace_}, {"uid", server.uid}};
  const std::string body = std::string(R"({"apiVersion":")") + fleet::kApiVersion +
                           R"(","kind":")" + fleet::kKind + R"(","metadata":)" + identity.dump() +
                           R"(,"status":)" + fleet::encode_status(after) + "}";
  auto answer = parts_.client.apply(path, body, desired::kFieldManager, /*force=*/true);
  if (!answer) {
    // Deleted meanwhile.
    if (answer.error().kind == ErrorKind::NotFound) return false;
    return fail(answer.error());
  }
  bool changed = false;
  {
    std::lock_guard lock(mutex_);
    told_[fleet::key(server)] = parts_.clock.monotonic();
  }
  if (auto stored = decode_server(answer->object)) {
    changed = stored->server.generation != server.generation;
    parts_.world.servers.note_written(std::move(*stored));
  }
  announce(server, before, after, view);
  return changed;
}

void Reconciler::announce(const fleet::MCPServer& server, const fleet::Status& before,
                          const fleet::Status& after, const ScalingView* view) {
  for (auto& event : announcements(before, after)) {
    const auto type = event.warning ? kube::EventType::Warning : kube::EventType::Normal;
    log::info(
        "event",
        {{"server", fleet::key(server)}, {"reason", event.reason}, {"message", event.message}});
    parts_.events.record(reference(server), type, std::move(event.reason),
                         std::move(event.message));
  }
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
