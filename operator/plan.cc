#include "operator/plan.h"

#include <cstdint>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "operator/subset.h"

namespace mcpfleet::op {
namespace {

using nlohmann::json;

std::string fingerprint(std::string_view text) {
  char out[17];
  std::snprintf(out, sizeof out, "%016llx", static_cast<unsigned long long>(hash_text(text)));
  return out;
}

// Adds to a hash; the end of each text counts, too.
class Digest {
 public:
  void add(std::string_view text) { value_ = hash_text(text, hash_text("\n", value_)); }
  void add(const std::string& text) { add(std::string_view(text)); }
  void add(std::int64_t number) { add(std::to_string(number)); }
  void add(bool truth) { add(std::string_view(truth ? "1" : "0")); }
  void add(const std::optional<int>& number) {
    number ? add(std::int64_t{*number}) : add(std::string_view("-"));
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = kHashSeed;
};

// The parts of a wanted object that Child::content has.
json comparable(json body) {
  for (const char* field : {"apiVersion", "kind", "data"}) body.erase(field);
  json metadata = json::object();
  for (const char* field : {"labels", "annotations", "ownerReferences"}) {
    const auto found = body["metadata"].find(field);
    if (found != body["metadata"].end()) metadata[field] = std::move(*found);
  }
  body["metadata"] = std::move(metadata);
  // They are handed to and fro with the autoscaler, and compared by themselves.
  if (body.contains("spec")) body["spec"].erase("replicas");
  return body;
}

// Replicas are no wish that the fingerprint has to know, and a Secret's data must not be told.
std::string fingerprint_of(json body, const std::string& extra) {
  body.erase("data");
  if (body.contains("spec")) body["spec"].erase("replicas");
  return fingerprint(body.dump() + extra);
}

std::string refusal_text(const desired::Object& object, const Child& child,
                         const PlanOwner& owner) {
  return object.kind + " " + object.name + " exists and is controlled by " +
         (child.controller_uid.empty() ? "nobody" : "another " + child.controller_kind) +
         ", not by this " + owner.kind + "; delete it, or give the " + owner.kind + " another name";
}

// A number that the Deployment's spec.replicas is set to must fit what we saw: where it changed
// meanwhile the API server answers Conflict, and we decide again.
void guard_replicas(json& body, const Child& child) {
  if (body.contains("spec") && body["spec"].contains("replicas")) {
    body["metadata"]["resourceVersion"] = child.resource_version;
  }
}

// What makes an apply fail with Conflict where the object exists: nothing else than a creation is
// as old. Thus nothing is merged into the object of a stranger.
void only_create(json& body) { body["metadata"]["resourceVersion"] = "1"; }

// Gives `images`, the containers of the sidecar's image, another one.
void set_images(json& pod_template, const std::string& from, const std::string& to) {
  for (auto& container : pod_template["spec"]["initContainers"]) {
    if (container.value("image", "") == from) container["image"] = to;
  }
}

// A newer sidecar alone is no reason to restart pods: where the template that `child` has differs
// in nothing else, its image stays.
void settle_sidecar(json& body, const Child* child, const PlanInput& input) {
  json& pod_template = body["spec"]["template"];
  json without = pod_template;
  set_images(without, input.sidecar_image, "");
  const std::string wanted = fingerprint(without.dump());
  std::string image = input.sidecar_image;
  if (input.keep_sidecar && child != nullptr && child->pod_template == wanted &&
      !child->sidecar_image.empty()) {
    image = child->sidecar_image;
    set_images(pod_template, input.sidecar_image, image);
  }
  auto& annotations = body["metadata"]["annotations"];
  annotations[kPodTemplateAnnotation] = wanted;
  annotations[kSidecarImageAnnotation] = image;
}

// The first field of `child` that is not as `body` wants it. Its text, where it is gone, was found
// to hold all but the replicas.
std::optional<std::string> difference_of(const json& body, const Child& child) {
  if (child.replicas && body.contains("spec") &&
      body["spec"].value("replicas", *child.replicas) != *child.replicas) {
    return "spec.replicas";
  }
  if (child.data_taken) return "data";
  if (child.verified()) return std::nullopt;
  return first_difference(comparable(body), json::parse(child.content));
}

// Adds what has to be done for one object.
void decide_object(const desired::Object& object, const PlanInput& input, Plan& plan) {
  const auto found = input.children.find(object.path);
  const Child* child = found == input.children.end() ? nullptr : found->second;
  json body = json::parse(object.body);
  const bool deployment = object.kind == "Deployment";
  if (deployment && !input.sidecar_image.empty()) settle_sidecar(body, child, input);
  const bool keyed = deployment || object.kind == "Secret";
  const std::string applied =
      fingerprint_of(body, keyed ? input.secret_fingerprint : std::string());
  body["metadata"]["annotations"][kAppliedAnnotation] = applied;

  Write write{object, &object, applied, child != nullptr, {}};
  if (child == nullptr) {
    only_create(body);
    if (input.applied_before) write.put_right = "it was gone";
  } else {
    if (child->applied == applied) {
      const auto difference = difference_of(body, *child);
      if (!difference) {
        if (!child->verified()) plan.verified.push_back(&object);
        return;
      }
      write.put_right = *difference + " had been changed";
    }
    guard_replicas(body, *child);
  }
  write.object.body = body.dump();
  plan.writes.push_back(std::move(write));
}

// A Secret that nobody shows us: it goes out with the Deployment that `plan` writes for another
// wish than the one that `input` has.
void decide_unseen_secret(const desired::Object& secret, const PlanInput& input, Plan& plan) {
  for (const auto& write : plan.writes) {
    if (write.object.kind != "Deployment") continue;
    const auto found = input.children.find(write.object.path);
    if (found != input.children.end() && found->second->applied == write.applied) return;
    Write first{secret, &secret, {}, write.exists, {}};  // pods need it to start
    if (!first.exists) {
      json body = json::parse(secret.body);
      only_create(body);
      first.object.body = body.dump();
    }
    plan.writes.insert(plan.writes.begin(), std::move(first));
    return;
  }
}

// Refuses, or waits for, a child that is not this owner's.
bool foreign(const desired::Object& object, const Child& child, const PlanInput& input,
             Plan& plan) {
  if (child.controller_uid == input.owner.uid) return false;
  if (child.controller_kind == input.owner.kind) {
    plan.wait_for = object.kind + " " + object.name;
  } else {
    plan.refusal = desired::Refusal{std::string(desired::kNameTaken),
                                    refusal_text(object, child, input.owner)};
  }
  return true;
}

}  // namespace

std::string without_precondition(const Write& write) {
  json body = json::parse(write.object.body);
  body["metadata"].erase("resourceVersion");
  return body.dump();
}

bool holds(const Write& write, const Child& child) {
  return !difference_of(json::parse(write.object.body), child);
}

Plan make_plan(const desired::Desired& desired, const PlanInput& input) {
  Plan plan;
  plan.refusal = desired.refusal;
  if (plan.refusal) return plan;
  for (const auto& object : desired.objects) {
    const auto found = input.children.find(object.path);
    if (found != input.children.end() && foreign(object, *found->second, input, plan)) return plan;
  }
  for (const auto& object : desired.objects) {
    if (object.kind != "Secret" || input.secrets_seen) decide_object(object, input, plan);
  }
  for (const auto& object : desired.objects) {
    if (object.kind == "Secret" && !input.secrets_seen) decide_unseen_secret(object, input, plan);
  }
  for (const auto& object : desired.unwanted) {
    const auto found = input.children.find(object.path);
    if (found != input.children.end() && found->second->controller_uid == input.owner.uid) {
      plan.removals.push_back({object, found->second->uid});
    }
  }
  return plan;
}

std::uint64_t circumstances(const PlanInput& input, std::uint64_t context) {
  Digest digest;
  digest.add(static_cast<std::int64_t>(context));
  digest.add(input.owner.uid);
  digest.add(input.owner.generation);
  digest.add(input.secret_fingerprint);
  digest.add(input.secrets_seen);
  for (const auto& [path, child] : input.children) {
    digest.add(path);
    for (const auto* text : {&child->uid, &child->controller_uid, &child->applied}) {
      digest.add(*text);
    }
    digest.add(static_cast<std::int64_t>(child->content_hash));
    digest.add(child->replicas);
  }
  return digest.value();
}

// A new field of either Context breaks the first line here, and has to be added below it.
std::uint64_t digest_of(const desired::Context& context,
                        const std::vector<std::string>& other_scalers) {
  const auto& [image, policy, key, tolerance, replicas, config, monitor] = context;
  Digest digest;
  for (const auto* text : {&image, &policy, &key, &config}) digest.add(*text);
  digest.add(tolerance);
  digest.add(monitor);
  digest.add(replicas);
  for (const auto& sentence : other_scalers) digest.add(sentence);
  return digest.value();
}

std::uint64_t digest_of(const desired::GatewayContext& context) {
  const auto& [image, policy, role, all_namespaces, key, previous, next, monitor] = context;
  Digest digest;
  for (const auto* text : {&image, &policy, &role, &key, &previous, &next}) digest.add(*text);
  digest.add(all_namespaces);
  digest.add(monitor);
  return digest.value();
}

}  // namespace mcpfleet::op
