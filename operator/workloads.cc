#include "operator/workloads.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "kube/paths.h"
#include "log/log.h"

namespace mcpfleet::op {
namespace {

using nlohmann::json;

constexpr const char* kHpa = "HorizontalPodAutoscaler";
constexpr const char* kScaledObject = "ScaledObject";
// Several servers of a namespace share a list.
constexpr std::chrono::seconds kScalersAge{5};
// How often it is asked whether KEDA has been installed.
constexpr std::chrono::minutes kKedaAge{1};

const json& member(const json& object, const char* key) {
  static const json absent;
  if (!object.is_object()) return absent;
  const auto found = object.find(key);
  return found == object.end() ? absent : *found;
}

std::string text_of(const json& object, const char* key, const char* fallback = "") {
  const json& value = member(object, key);
  return value.is_string() ? value.get<std::string>() : fallback;
}

Scaler scaler_of(const json& item, std::string_view kind) {
  const json& metadata = member(item, "metadata");
  const json& target = member(member(item, "spec"), "scaleTargetRef");
  Scaler scaler;
  scaler.kind = kind;
  scaler.name = text_of(metadata, "name");
  // KEDA takes a target without a kind for a Deployment.
  scaler.target_kind = text_of(target, "kind", "Deployment");
  scaler.target_name = text_of(target, "name");
  for (const auto& owner : member(metadata, "ownerReferences")) {
    if (member(owner, "controller") != true) continue;
    scaler.owner_kind = text_of(owner, "kind");
    scaler.owner_uid = text_of(owner, "uid");
  }
  return scaler;
}

}  // namespace

Result<std::vector<Scaler>> decode_scalers(std::string_view list_json, std::string_view kind) {
  const auto list = json::parse(list_json, nullptr, /*allow_exceptions=*/false);
  const json& items = member(list, "items");
  if (!items.is_array()) {
    return fail(ErrorKind::Malformed, "the list of each " + std::string(kind) + " has no items");
  }
  std::vector<Scaler> scalers;
  for (const auto& item : items) scalers.push_back(scaler_of(item, kind));
  return scalers;
}

std::vector<std::string> other_scalers(const std::vector<Scaler>& scalers,
                                       const fleet::MCPServer& server) {
  std::vector<std::string> result;
  for (const auto& scaler : scalers) {
    if (scaler.target_kind != server.workload_ref->kind ||
        scaler.target_name != server.workload_ref->name) {
      continue;
    }
    if (scaler.owner_uid == server.uid && !server.uid.empty()) continue;
    if (scaler.kind == kHpa && scaler.owner_kind == kScaledObject) continue;
    result.push_back(scaler.kind + " " + scaler.name);
  }
  std::ranges::sort(result);
  return result;
}

Result<desired::ObservedWorkload> Workloads::read(const fleet::MCPServer& server) {
  const auto& ref = *server.workload_ref;
  const char* plural = ref.kind == "StatefulSet" ? "statefulsets" : "deployments";
  auto text = client_.get(kube::object_path("apps/v1", server.namespace_, plural, ref.name));
  if (text) return desired::decode_workload(*text);
  if (text.error().kind != ErrorKind::NotFound) return fail(text.error());
  desired::ObservedWorkload missing;
  missing.kind = ref.kind;
  missing.name = ref.name;
  return missing;
}

Result<std::vector<Scaler>> Workloads::read_scaled_objects(const std::string& namespace_) {
  const auto now = clock_.monotonic();
  {
    std::lock_guard lock(mutex_);
    if (now < without_keda_until_) return std::vector<Scaler>{};
  }
  auto text = client_.get(kube::collection_path("keda.sh/v1alpha1", namespace_, "scaledobjects"));
  if (text) return decode_scalers(*text, kScaledObject);
  const auto& error = text.error();
  if (error.kind != ErrorKind::NotFound && error.kind != ErrorKind::Forbidden) return fail(error);
  log::debug("KEDA is not looked at", {{"because", error.message}});
  std::lock_guard lock(mutex_);
  without_keda_until_ = now + kKedaAge;
  return std::vector<Scaler>{};
}

Result<std::vector<Scaler>> Workloads::scalers_of(const std::string& namespace_) {
  const auto now = clock_.monotonic();
  {
    std::lock_guard lock(mutex_);
    std::erase_if(scalers_, [now](const auto& known) { return known.second.until <= now; });
    if (const auto found = scalers_.find(namespace_); found != scalers_.end()) {
      return found->second.all;
    }
  }
  auto text =
      client_.get(kube::collection_path("autoscaling/v2", namespace_, "horizontalpodautoscalers"));
  if (!text) return fail(text.error());
  auto all = decode_scalers(*text, kHpa);
  if (!all) return fail(all.error());
  const auto scaled_objects = read_scaled_objects(namespace_);
  if (!scaled_objects) return fail(scaled_objects.error());
  all->insert(all->end(), scaled_objects->begin(), scaled_objects->end());
  std::lock_guard lock(mutex_);
  scalers_[namespace_] = {*all, now + kScalersAge};
  return all;
}

Result<Workloads::Seen> Workloads::look(const fleet::MCPServer& server) {
  auto workload = read(server);
  if (!workload) return fail(workload.error());
  Seen seen{std::move(*workload), {}};
  if (server.autoscaling) {
    const auto scalers = scalers_of(server.namespace_);
    if (!scalers) return fail(scalers.error());
    seen.other_scalers = other_scalers(*scalers, server);
  }
  std::lock_guard lock(mutex_);
  if (seen.workload.found)
    scaled_[fleet::key(server)] = {seen.workload, !seen.other_scalers.empty()};
  else
    scaled_.erase(fleet::key(server));
  return seen;
}

std::optional<Workloads::Scaled> Workloads::scaled(const std::string& server_key) const {
  std::lock_guard lock(mutex_);
  const auto found = scaled_.find(server_key);
  return found == scaled_.end() ? std::nullopt : std::optional(found->second);
}

void Workloads::forget(const std::string& server_key) {
  std::lock_guard lock(mutex_);
  scaled_.erase(server_key);
}

}  // namespace mcpfleet::op
