#include "operator/plan.h"

#include <cstdint>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "operator/subset.h"

namespace mcpfleet::op {
namespace {

using nlohmann::json;

// FNV-1a. It tells one wanted state from the next; nobody gains by a collision.
std::string fingerprint(std::string_view text) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  char out[17];
  std::snprintf(out, sizeof out, "%016llx", static_cast<unsigned long long>(hash));
  return out;
}

// The parts of a wanted object that Child::content has.
json comparable(const json& body) {
  json result = json::object();
  for (const char* field : {"labels", "annotations", "ownerReferences"}) {
    if (body["metadata"].contains(field)) result["metadata"][field] = body["metadata"][field];
  }
  if (body.contains("spec")) result["spec"] = body["spec"];
  return result;
}

// Replicas are handed to and fro with the autoscaler: they are compared, but they are no wish that
// the fingerprint has to know.
std::string fingerprint_of(json body, const std::string& extra) {
  if (body.contains("spec")) body["spec"].erase("replicas");
  return fingerprint(body.dump() + extra);
}

std::string refusal_text(const desired::Object& object, const Child& child) {
  return object.kind + " " + object.name + " exists and is controlled by " +
         (child.controller_uid.empty() ? "nobody" : "another " + child.controller_kind) +
         ", not by this MCPServer; delete it, or give the MCPServer another name";
}

// A number that the Deployment's spec.replicas is set to must fit what we saw: where it changed
// meanwhile the API server answers Conflict, and we decide again.
void guard_replicas(json& body, const Child& child) {
  if (body.contains("spec") && body["spec"].contains("replicas")) {
    body["metadata"]["resourceVersion"] = child.resource_version;
  }
}

std::optional<Write> decide_write(const desired::Object& object, const PlanInput& input) {
  json body = json::parse(object.body);
  const bool deployment = object.kind == "Deployment";
  const std::string applied =
      fingerprint_of(body, deployment ? input.secret_fingerprint : std::string());
  body["metadata"]["annotations"][kAppliedAnnotation] = applied;

  Write write{object, applied, false, {}};
  const auto found = input.children.find(object.path);
  if (found == input.children.end()) {
    if (input.applied_before) write.put_right = "it was gone";
    write.object.body = body.dump();
    return write;
  }
  const Child& child = *found->second;
  write.exists = true;
  const auto difference = first_difference(comparable(body), json::parse(child.content));
  if (child.applied == applied) {
    if (!difference) return std::nullopt;
    const auto settled = input.settled.find(object.path);
    if (settled != input.settled.end() && settled->second == Settled{applied, child.content}) {
      return std::nullopt;
    }
    write.put_right = *difference + " had been changed";
  }
  guard_replicas(body, child);
  write.object.body = body.dump();
  return write;
}

// Refuses, or waits for, a child that is not this server's.
bool foreign(const desired::Object& object, const Child& child, const PlanInput& input,
             Plan& plan) {
  if (child.controller_uid == input.server->uid) return false;
  if (child.controller_kind == fleet::kKind) {
    plan.wait_for = object.kind + " " + object.name;
  } else {
    plan.refusal = desired::Refusal{std::string(desired::kNameTaken), refusal_text(object, child)};
  }
  return true;
}

}  // namespace

bool holds(const Write& write, const Child& child) {
  const json body = json::parse(write.object.body);
  return !first_difference(comparable(body), json::parse(child.content));
}

Plan make_plan(const desired::Desired& desired, const PlanInput& input) {
  Plan plan;
  for (const auto& object : desired.objects) {
    const auto found = input.children.find(object.path);
    if (found != input.children.end() && foreign(object, *found->second, input, plan)) return plan;
  }
  std::vector<Write> secrets;
  bool with_secret = false;
  for (const auto& object : desired.objects) {
    if (object.kind == "Secret") {
      secrets.push_back({object, {}, false, {}});
      continue;
    }
    auto write = decide_write(object, input);
    if (!write) continue;
    if (object.kind == "Deployment") {
      const auto found = input.children.find(object.path);
      with_secret = found == input.children.end() || found->second->applied != write->applied;
      for (auto& secret : secrets) secret.exists = write->exists;
    }
    plan.writes.push_back(std::move(*write));
  }
  // First of all: pods need it to start.
  if (with_secret) plan.writes.insert(plan.writes.begin(), secrets.begin(), secrets.end());
  for (const auto& object : desired.unwanted) {
    const auto found = input.children.find(object.path);
    if (found != input.children.end() && found->second->controller_uid == input.server->uid) {
      plan.removals.push_back({object, found->second->uid});
    }
  }
  return plan;
}

}  // namespace mcpfleet::op
