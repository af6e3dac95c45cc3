#include "operator/reconciler.h"

#include <nlohmann/json.hpp>

#include "desired/reasons.h"
#include "kube/paths.h"
#include "log/log.h"
#include "operator/announce.h"

namespace mcpfleet::op {

using nlohmann::json;

namespace {

// Live numbers may be this old in a status; what changes more often is in the metrics API.
constexpr std::chrono::seconds kNumbersInterval{30};
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

bool has_rules(const ServerEntry& entry) {
  return !entry.invalid && entry.server.autoscaling && !entry.server.autoscaling->rules.empty();
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

}  // namespace

// Where they live: entries of the stores, or answers to a look-up.
struct Reconciler::Children {
  std::map<std::string, const Child*> by_path;
  std::vector<std::shared_ptr<const Child>> held;  // keeps them alive

  void add(const std::string& path, std::shared_ptr<const Child> child) {
    if (child == nullptr) return;
    by_path[path] = child.get();
    held.push_back(std::move(child));
  }
};

struct Reconciler::Outcome {
  std::optional<desired::Refusal> refusal;
  std::optional<Error> error;  // try again later; nothing to tell people yet
  std::vector<std::string> notes;
};

void Reconciler::forget(const std::string& key) {
  parts_.scalers.forget(key);
  std::lock_guard lock(mutex_);
  told_.erase(key);
  const auto [namespace_, name] = kube::split_key(key);
  for (const auto& [api_version, plural] :
       {std::pair("apps/v1", "deployments"), std::pair("v1", "services"),
        std::pair("autoscaling/v2", "horizontalpodautoscalers")}) {
    settled_.erase(kube::object_path(api_version, namespace_, plural, name));
  }
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

Result<void> Reconciler::look_up(const desired::Object& object, Children& children) {
  auto text = parts_.client.get(object.path);
  if (!text) {
    if (text.error().kind == ErrorKind::NotFound) return {};
    return fail(text.error());
  }
  auto child = decode_child(*text);
  if (!child) return fail(child.error());
  children.add(object.path, std::make_shared<const Child>(std::move(*child)));
  return {};
}

// nullptr: it does not exist.
Result<std::shared_ptr<const DeploymentEntry>> Reconciler::find_deployment(
    const fleet::MCPServer& server) {
  if (auto known = parts_.world.deployments.get(fleet::key(server))) return known;
  auto text = parts_.client.get(
      kube::object_path("apps/v1", server.namespace_, "deployments", server.name));
  if (!text) {
    if (text.error().kind == ErrorKind::NotFound) return nullptr;
    return fail(text.error());
  }
  auto entry = decode_deployment_entry(*text);
  if (!entry) return fail(entry.error());
  return std::make_shared<const DeploymentEntry>(std::move(*entry));
}

// What our watches do not show may still exist, made by somebody else without our labels: ask,
// before a server-side apply would merge us into it.
Result<void> Reconciler::gather(const fleet::MCPServer& server, const desired::Desired& desired,
                                Children& children) {
  const std::string key = fleet::key(server);
  const auto known = [&](const desired::Object& object) {
    if (object.kind == "Service") children.add(object.path, parts_.world.services.get(key));
    if (object.kind == "HorizontalPodAutoscaler") {
      children.add(object.path, parts_.world.hpas.get(key));
    }
  };
  for (const auto& object : desired.unwanted) known(object);
  for (const auto& object : desired.objects) {
    if (object.kind == "Secret" || object.kind == "Deployment") continue;
    known(object);
    if (children.by_path.contains(object.path)) continue;
    if (auto looked = look_up(object, children); !looked) return looked;
  }
  return {};
}

PlanInput Reconciler::plan_input(const fleet::MCPServer& server, const desired::Desired& desired,
                                 const Children& children) {
  PlanInput input;
  input.server = &server;
  input.applied_before = accepted(server.status, server.generation);
  input.children = children.by_path;
  input.secret_fingerprint = keys_.fingerprint(keys_.key_of(server.uid));
  std::lock_guard lock(mutex_);
  for (const auto& object : desired.objects) {
    const auto found = settled_.find(object.path);
    if (found != settled_.end()) input.settled.insert(*found);
  }
  return input;
}

Reconciler::Outcome Reconciler::bring_about(const fleet::MCPServer& server) {
  Outcome outcome;
  const auto deployment = find_deployment(server);
  if (!deployment) {
    outcome.error = deployment.error();
    return outcome;
  }
  const bool ours = *deployment != nullptr && (*deployment)->controller_uid == server.uid;
  const desired::Context context{
      options_.sidecar_image, options_.sidecar_pull_policy, keys_.key_of(server.uid),
      options_.hpa_tolerance,
      desired::decide_replicas(server, ours ? &(*deployment)->seen : nullptr)};
  const auto wanted = desired::build(server, context);
  Children children;
  for (const auto& object : wanted.objects) {
    if (object.kind == "Deployment") children.add(object.path, *deployment);
  }
  if (auto gathered = gather(server, wanted, children); !gathered) {
    outcome.error = gathered.error();
    return outcome;
  }
  outcome = carry_out(server, make_plan(wanted, plan_input(server, wanted, children)));
  outcome.notes = wanted.notes;
  return outcome;
}

Reconciler::Outcome Reconciler::carry_out(const fleet::MCPServer& server, const Plan& plan) {
  Outcome outcome;
  outcome.refusal = plan.refusal;
  if (plan.refusal) return outcome;
  if (!plan.wait_for.empty()) {
    outcome.error = Error{ErrorKind::Conflict, "waiting until " + plan.wait_for +
                                                   " of a deleted MCPServer of this name is gone"};
    return outcome;
  }
  for (const auto& wanted : plan.writes) {
    auto written = write(server, wanted);
    if (written) continue;
    if (wanted.object.kind == "Secret" && written.error().kind == ErrorKind::AlreadyExists) {
      outcome.refusal = {std::string(desired::kNameTaken), written.error().message};
    } else if (is_refusal(written.error())) {
      outcome.refusal = {std::string(desired::kRefused), written.error().message};
    } else {
      outcome.error = written.error();
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
  return outcome;
}

Result<void> Reconciler::write(const fleet::MCPServer& server, const Write& write) {
  if (write.object.kind == "Secret") return write_secret(write);
  auto answer = parts_.client.apply(write.object.path, write.object.body, desired::kFieldManager,
                                    /*force=*/true);
  if (!answer) return fail(answer.error());
  return note_written(server, write, *answer);
}

// Secrets are not read: an existing one is asked for by an apply that is only tried.
Result<void> Reconciler::write_secret(const Write& write) {
  const auto collection = write.object.path.substr(0, write.object.path.rfind('/'));
  if (!write.exists) {
    auto created = parts_.client.create_object(collection, write.object.body);
    if (created) return {};
    if (created.error().kind != ErrorKind::AlreadyExists) return fail(created.error());
    auto tried = parts_.client.apply(write.object.path + "?dryRun=All", write.object.body,
                                     desired::kFieldManager, /*force=*/true);
    if (!tried) return fail(tried.error());
    if (has_foreign_data(*tried)) {
      return fail(ErrorKind::AlreadyExists,
                  "Secret " + write.object.name +
                      " exists and holds data of somebody else; delete it, or give the MCPServer "
                      "another name");
    }
  }
  auto applied = parts_.client.apply(write.object.path, write.object.body, desired::kFieldManager,
                                     /*force=*/true);
  if (!applied) return fail(applied.error());
  return {};
}

Result<void> Reconciler::note_written(const fleet::MCPServer& server, const Write& write,
                                      const std::string& answer) {
  auto child = decode_child(answer);
  if (!child) return fail(child.error());
  const bool held = holds(write, *child);
  {
    std::lock_guard lock(mutex_);
    if (held) {
      settled_.erase(write.object.path);
    } else {
      settled_[write.object.path] = {write.applied, child->content};
    }
  }
  const bool drift = held && !write.put_right.empty();
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
  auto& world = parts_.world;
  if (write.object.kind == "Service") {
    world.services.note_written(std::move(*child));
  } else if (write.object.kind == "Deployment") {
    if (auto entry = decode_deployment_entry(answer)) world.deployments.note_written(*entry);
  } else if (auto entry = decode_hpa_entry(answer)) {
    world.hpas.note_written(*entry);
  }
  return {};
}

desired::Observed Reconciler::observe(const ServerEntry& entry, const Outcome& outcome) {
  const std::string key = fleet::key(entry.server);
  desired::Observed observed;
  observed.refusal = outcome.refusal;
  observed.notes = outcome.notes;
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
  return observed;
}

Duration Reconciler::wait_for_numbers(const std::string& key) {
  std::lock_guard lock(mutex_);
  const auto now = parts_.clock.monotonic();
  // A server not seen before waits, too: a restart writes nothing.
  const auto told = told_.emplace(key, now).first->second;
  return std::max(Duration(0), told + kNumbersInterval - now);
}

Result<kube::Next> Reconciler::tell(const ServerEntry& entry, const Outcome& outcome) {
  const std::string key = fleet::key(entry.server);
  const auto now = parts_.clock.wall();
  auto observed = observe(entry, outcome);
  std::optional<RulesView> rules;
  if (has_rules(entry)) {
    rules = parts_.scalers.view(entry.server,
                                observed.deployment ? observed.deployment->replicas : 0, now);
    observed.scaling = rules->status;
    observed.rule_metrics = rules->readings;
    observed.rule_problems = rules->problems;
    observed.rules_limited = rules->limited;
  } else {
    parts_.scalers.forget(key);
  }
  const auto& before = entry.server.status;
  const auto after = desired::build_status(entry.server, observed, now);
  const auto change = desired::compare(before, after);
  const Duration wait = wait_for_numbers(key);
  Duration next = rules ? Duration(kNumbersInterval) : Duration(kResync);
  if (change == desired::Change::Material ||
      (change == desired::Change::Numbers && wait == Duration(0))) {
    auto written = write_status(entry, before, after, rules ? &*rules : nullptr);
    if (!written) return fail(written.error());
  } else if (change == desired::Change::Numbers) {
    next = wait;
  }
  // What a later try may bring about: a quota raised, a foreign object deleted.
  if (outcome.refusal && !entry.invalid) {
    return fail(ErrorKind::Invalid, outcome.refusal->message);
  }
  return kube::Next{next};
}

Result<void> Reconciler::write_status(const ServerEntry& entry, const fleet::Status& before,
                                      const fleet::Status& after, const RulesView* rules) {
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
    if (answer.error().kind == ErrorKind::NotFound) return {};
    return fail(answer.error());
  }
  {
    std::lock_guard lock(mutex_);
    told_[fleet::key(server)] = parts_.clock.monotonic();
  }
  if (auto stored = decode_server(*answer)) parts_.world.servers.note_written(std::move(*stored));
  announce(server, before, after, rules);
  return {};
}

void Reconciler::announce(const fleet::MCPServer& server, const fleet::Status& before,
                          const fleet::Status& after, const RulesView* rules) {
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
  const auto cause = rules != nullptr ? rules->cause : std::nullopt;
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
