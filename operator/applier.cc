#include "operator/applier.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "desired/reasons.h"
#include "kube/paths.h"
#include "log/log.h"

namespace mcpfleet::op {

using nlohmann::json;

namespace {

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

// The name of an owner's child of that kind; empty: it never has one.
std::string child_name(const ObjectOwner& owner, ChildKind kind) {
  switch (kind) {
    case ChildKind::Secret:
      return owner.secret;
    case ChildKind::ClusterRoleBinding:
      return owner.cluster_binding;
    default:
      return owner.name;
  }
}

}  // namespace

bool is_refusal(const Error& error) {
  return error.kind == ErrorKind::Invalid || error.kind == ErrorKind::Forbidden ||
         error.kind == ErrorKind::TooLarge;
}

std::string key(const ObjectOwner& owner) { return kube::make_key(owner.namespace_, owner.name); }

kube::ObjectReference reference(const ObjectOwner& owner) {
  return {fleet::kApiVersion, owner.kind, owner.namespace_, owner.name, owner.uid};
}

void say(kube::EventRecorder& events, const ObjectOwner& owner,
         std::vector<Announcement> announcements) {
  for (auto& event : announcements) {
    const auto type = event.warning ? kube::EventType::Warning : kube::EventType::Normal;
    log::info("event",
              {{owner.log_name, key(owner)}, {"reason", event.reason}, {"message", event.message}});
    events.record(reference(owner), type, std::move(event.reason), std::move(event.message));
  }
}

bool Children::verified() const {
  return std::ranges::all_of(by_path, [](const auto& entry) { return entry.second->verified(); });
}

void Applier::forget(const std::string& key) {
  std::lock_guard lock(mutex_);
  steady_.erase(key);
  applied_.erase(key);
}

// Of all kinds: what is not wanted any more has to be found as well.
Children Applier::known_children(const ObjectOwner& owner) const {
  Children children;
  const auto& world = parts_.world;
  for (const auto& type : kChildTypes) {
    const std::string name = child_name(owner, type.kind);
    if (name.empty() || !world.watches(type.kind)) continue;
    const std::string namespace_ = type.namespaced() ? owner.namespace_ : "";
    const std::string child_key = kube::make_key(namespace_, name);
    std::shared_ptr<const Child> child;
    if (type.kind == ChildKind::Deployment) {
      child = children.deployment = world.deployments.get(child_key);
    } else {
      child = world.child(type.kind, child_key);
    }
    if (child == nullptr) continue;
    children.by_path[kube::object_path(type.api_version, namespace_, type.plural, name)] =
        std::move(child);
  }
  return children;
}

// Somebody made it without our labels, or took them off.
Result<void> Applier::look_up(const desired::Object& object, Children& children) {
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
  const auto kind = child_kind(object.kind);
  auto child = kind ? decode_of(*kind)(*text) : decode_child(*text);
  if (!child) return fail(child.error());
  children.by_path[object.path] = std::make_shared<const Child>(std::move(*child));
  return {};
}

// By its status, or, before that is written, by what we remember.
bool Applier::applied_before(const ObjectOwner& owner) {
  if (owner.accepted) return true;
  std::lock_guard lock(mutex_);
  const auto found = applied_.find(key(owner));
  return found != applied_.end() && found->second.uid == owner.uid &&
         found->second.generation == owner.generation;
}

void Applier::note_applied(const ObjectOwner& owner) {
  std::lock_guard lock(mutex_);
  applied_[key(owner)] = {owner.uid, owner.generation};
}

PlanInput Applier::plan_input(const ObjectOwner& owner, const Wish& wish,
                              const Children& children) {
  PlanInput input;
  input.owner = {owner.kind, owner.uid, owner.generation};
  input.applied_before = applied_before(owner);
  for (const auto& [path, child] : children.by_path) input.children[path] = child.get();
  input.secret_fingerprint = wish.secret_fingerprint;
  input.secrets_seen = parts_.world.watches(ChildKind::Secret);
  input.sidecar_image = wish.sidecar_image;
  input.keep_sidecar = wish.keep_sidecar;
  return input;
}

Outcome Applier::bring_about(const ObjectOwner& owner,
                             const std::function<Wish(const Children&)>& decide) {
  Children children = known_children(owner);
  for (;;) {
    const auto wish = decide(children);
    const auto input = plan_input(owner, wish, children);
    const auto circumstances = op::circumstances(input, wish.digest);
    if (children.verified()) {
      if (auto known = steady(key(owner), circumstances)) return *known;
    }
    const auto wanted = wish.build();
    const auto plan = make_plan(wanted, input);
    if (makes_again(plan)) {
      if (auto confirmed = confirm(owner); !confirmed) return {.error = confirmed.error()};
    }
    auto carried = carry_out(owner, plan, children);
    carried.outcome.notes = wanted.notes;
    if (!plan.has_work()) set_steady(key(owner), {circumstances, wanted.notes});
    if (carried.hidden == nullptr) return carried.outcome;
    if (auto looked = look_up(*carried.hidden, children); !looked) {
      carried.outcome.error = looked.error();
      return carried.outcome;
    }
  }
}

Result<void> Applier::confirm(const ObjectOwner& owner) {
  auto text = parts_.client.get(
      kube::object_path(fleet::kApiVersion, owner.namespace_, owner.plural, owner.name));
  if (!text && text.error().kind != ErrorKind::NotFound) return fail(text.error());
  if (text) {
    const auto object = json::parse(*text, nullptr, false);
    if (!object.is_object()) return fail(ErrorKind::Malformed, "the owner cannot be read");
    const auto metadata = object.value("metadata", json::object());
    if (metadata.value("uid", "") == owner.uid && !metadata.contains("deletionTimestamp")) {
      return {};
    }
  }
  return fail(ErrorKind::Conflict, std::string("the ") + owner.kind +
                                       " is deleted, of which the watch does not know yet");
}

std::optional<Outcome> Applier::steady(const std::string& key, std::uint64_t circumstances) {
  std::lock_guard lock(mutex_);
  const auto found = steady_.find(key);
  if (found == steady_.end() || found->second.circumstances != circumstances) return std::nullopt;
  Outcome outcome;
  outcome.notes = found->second.notes;
  return outcome;
}

void Applier::set_steady(const std::string& key, Steady steady) {
  std::lock_guard lock(mutex_);
  steady_[key] = std::move(steady);
}

Applier::Carried Applier::carry_out(const ObjectOwner& owner, const Plan& plan,
                                    const Children& children) {
  Carried carried;
  auto& outcome = carried.outcome;
  outcome.refusal = plan.refusal;
  if (plan.refusal) return carried;
  if (!plan.wait_for.empty()) {
    outcome.error = Error{ErrorKind::Conflict, "waiting until " + plan.wait_for + " of a deleted " +
                                                   owner.kind + " of this name is gone"};
    return carried;
  }
  for (const auto* object : plan.verified) {
    if (const auto kind = child_kind(object->kind)) {
      parts_.world.note_verified(*kind, *children.by_path.at(object->path));
    }
  }
  for (const auto& wanted : plan.writes) {
    const bool looked_up = children.looked_up.contains(wanted.object.path);
    auto written = write(owner, wanted, looked_up);
    if (written) continue;
    const auto& error = written.error();
    if (wanted.object.kind == "Secret" && error.kind == ErrorKind::AlreadyExists) {
      outcome.refusal = {std::string(desired::kNameTaken), error.message};
    } else if (error.kind == ErrorKind::Conflict && !wanted.exists && !looked_up) {
      carried.hidden = wanted.source;
    } else if (is_refusal(error)) {
      outcome.refusal = {std::string(desired::kRefused), error.message};
    } else {
      outcome.error = error;
    }
    return carried;
  }
  for (const auto& removal : plan.removals) {
    auto removed = parts_.client.remove(removal.object.path, removal.uid);
    if (!removed && removed.error().kind != ErrorKind::NotFound) {
      outcome.error = removed.error();
      return carried;
    }
    log::info("removed", {{owner.log_name, key(owner)},
                          {"kind", removal.object.kind},
                          {"name", removal.object.name}});
  }
  note_applied(owner);
  return carried;
}

Result<void> Applier::write(const ObjectOwner& owner, const Write& write, bool looked_up) {
  auto answer = apply(owner, write, looked_up);
  if (!answer) return fail(answer.error());
  return note_written(owner, write, *answer);
}

// Conflict: it was to be created, and exists.
Result<std::string> Applier::apply(const ObjectOwner& owner, const Write& write, bool looked_up) {
  // Looked up in vain: it has just gone, or this API server takes no such precondition.
  auto applied = parts_.client.apply(
      write.object.path,
      looked_up && !write.exists ? without_precondition(write) : write.object.body,
      desired::kFieldManager, /*force=*/write.exists);
  if (applied) return std::move(applied->object);
  const bool taken = applied.error().kind == ErrorKind::Conflict && !write.exists;
  if (taken && write.object.kind == "Secret") return take_secret(owner, write);
  return fail(applied.error());
}

// Secrets are not read: an existing one is asked for by an apply that is only tried.
Result<std::string> Applier::take_secret(const ObjectOwner& owner, const Write& write) {
  const std::string body = without_precondition(write);
  auto tried = parts_.client.apply(write.object.path + "?dryRun=All", body, desired::kFieldManager,
                                   /*force=*/true);
  if (!tried) return fail(tried.error());
  if (has_foreign_data(tried->object)) {
    return fail(ErrorKind::AlreadyExists,
                "Secret " + write.object.name +
                    " exists and holds data of somebody else; delete it, or give the " +
                    owner.kind + " another name");
  }
  auto applied = parts_.client.apply(write.object.path, body, desired::kFieldManager, true);
  if (!applied) return fail(applied.error());
  return std::move(applied->object);
}

Result<void> Applier::note_written(const ObjectOwner& owner, const Write& write,
                                   const std::string& answer) {
  bool drift = false;
  if (!write.put_right.empty()) {
    const auto child = decode_child(answer);
    if (!child) return fail(child.error());
    drift = holds(write, *child);
  }
  log::info("applied", {{owner.log_name, key(owner)},
                        {"kind", write.object.kind},
                        {"name", write.object.name},
                        {"because", drift ? write.put_right : "wanted"}});
  if (drift) {
    parts_.telemetry.drift_corrected();
    parts_.events.record(
        reference(owner), kube::EventType::Normal, "DriftCorrected",
        write.object.kind + " " + write.object.name + " was put right: " + write.put_right);
  }
  if (const auto kind = child_kind(write.object.kind)) parts_.world.note_written(*kind, answer);
  return {};
}

}  // namespace mcpfleet::op
