#include "operator/world.h"

#include "fleet/decode.h"
#include "kube/paths.h"
#include "log/log.h"

namespace mcpfleet::op {
namespace {

constexpr const char* kChildren = "app.kubernetes.io/managed-by=mcpfleet";

void rejected(const Error& error) {
  log::warn("an object of the API server cannot be read", {{"error", error.message}});
}

}  // namespace

Result<ServerEntry> decode_server(std::string_view json) {
  ServerEntry entry;
  auto server = fleet::decode(json);
  if (!server) {
    entry.invalid = server.error();
    server = fleet::decode_identity(json);
    if (!server) return fail(server.error());
  }
  entry.namespace_ = server->namespace_;
  entry.name = server->name;
  entry.uid = server->uid;
  entry.resource_version = server->resource_version;
  entry.server = std::move(*server);
  return entry;
}

std::vector<desired::ObservedPod> PodIndex::of(const std::string& server_key) const {
  std::lock_guard lock(mutex_);
  std::vector<desired::ObservedPod> result;
  const auto found = by_server_.find(server_key);
  if (found == by_server_.end()) return result;
  for (const auto& [key, pod] : found->second) result.push_back(pod);
  return result;
}

std::string PodIndex::erase(const std::string& pod_key) {
  const auto found = server_of_.find(pod_key);
  if (found == server_of_.end()) return {};
  std::string server = found->second;
  server_of_.erase(found);
  const auto pods = by_server_.find(server);
  pods->second.erase(pod_key);
  if (pods->second.empty()) by_server_.erase(pods);
  return server;
}

void PodIndex::list_begin() { listed_.clear(); }

void PodIndex::upsert(std::string_view object_json) {
  auto pod = desired::decode_pod(object_json);
  if (!pod) return rejected(pod.error());
  const std::string key = kube::make_key(pod->namespace_, pod->name);
  const std::string server = kube::make_key(pod->namespace_, pod->server);
  listed_[key] = true;
  {
    std::lock_guard lock(mutex_);
    erase(key);
    server_of_[key] = server;
    by_server_[server][key] = std::move(*pod);
  }
  changed_(server);
}

void PodIndex::list_end() {
  std::vector<std::string> gone;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [key, server] : server_of_) {
      if (!listed_.contains(key)) gone.push_back(key);
    }
  }
  listed_.clear();
  for (const auto& key : gone) {
    const auto pod = kube::split_key(key);
    remove(pod.namespace_, pod.name);
  }
}

void PodIndex::remove(std::string_view namespace_, std::string_view name) {
  std::string server;
  {
    std::lock_guard lock(mutex_);
    server = erase(kube::make_key(namespace_, name));
  }
  if (!server.empty()) changed_(server);
}

World::World(std::function<void(const std::string& key)> changed)
    : servers(decode_server, changed, rejected),
      deployments(decode_deployment_entry, changed, rejected),
      hpas(decode_hpa_entry, changed, rejected),
      services(decode_child, changed, rejected),
      pods(changed) {}

void World::start(kube::Client& client) {
  const auto watch = [&](std::string_view api_version, std::string_view plural,
                         const char* selector, kube::Sink& sink) {
    reflectors_.push_back(kube::Reflector::start(
        client, {kube::collection_path(api_version, "", plural), selector, ""}, sink));
  };
  watch(fleet::kApiVersion, fleet::kPlural, "", servers);
  watch("apps/v1", "deployments", kChildren, deployments);
  watch("autoscaling/v2", "horizontalpodautoscalers", kChildren, hpas);
  watch("v1", "services", kChildren, services);
  watch("v1", "pods", kChildren, pods);
}

bool World::synced() const {
  if (reflectors_.empty()) return false;
  for (const auto& reflector : reflectors_) {
    if (!reflector->synced()) return false;
  }
  return true;
}

std::string World::errors() const {
  std::string text;
  for (const auto& reflector : reflectors_) {
    const std::string error = reflector->last_error();
    if (!error.empty()) text += error + "\n";
  }
  return text;
}

}  // namespace mcpfleet::op
