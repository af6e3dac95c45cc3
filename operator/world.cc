#include "operator/world.h"

#include "desired/desired.h"
#include "desired/gateway.h"
#include "fleet/decode.h"
#include "kube/paths.h"
#include "log/log.h"
#include "operator/trim.h"

namespace mcpfleet::op {
namespace {

constexpr const char* kChildren = "app.kubernetes.io/managed-by=mcpfleet";

void rejected(const Error& error) {
  log::warn("an object of the API server cannot be read", {{"error", error.message}});
}

// The whole object, or, where its spec cannot be read, its identity; `entry` says why.
template <typename Object, typename Entry>
Result<Object> decode_own(std::string_view json, Result<Object> (*decode)(std::string_view),
                          Result<Object> (*decode_identity)(std::string_view), Entry& entry) {
  const std::string text = without(json, {"metadata.managedFields"});
  auto object = decode(text);
  if (!object) {
    entry.invalid = object.error();
    object = decode_identity(text);
    if (!object) return object;
  }
  entry.namespace_ = object->namespace_;
  entry.name = object->name;
  entry.uid = object->uid;
  entry.resource_version = object->resource_version;
  return object;
}

// The owner's key of a Secret of ours.
std::optional<std::string> owner_of_secret(const std::string& key) {
  for (const auto suffix : {desired::kSecretSuffix, desired::kGatewaySecretSuffix})
    if (key.ends_with(suffix)) return key.substr(0, key.size() - suffix.size());
  return std::nullopt;
}

std::size_t index_of(ChildKind kind) { return static_cast<std::size_t>(kind); }

}  // namespace

Result<ServerEntry> decode_server(std::string_view json) {
  ServerEntry entry;
  auto server = decode_own(json, fleet::decode, fleet::decode_identity, entry);
  if (!server) return fail(server.error());
  entry.server = std::move(*server);
  return entry;
}

Result<GatewayEntry> decode_gateway_entry(std::string_view json) {
  GatewayEntry entry;
  auto gateway = decode_own(json, fleet::decode_gateway, fleet::decode_gateway_identity, entry);
  if (!gateway) return fail(gateway.error());
  entry.gateway = std::move(*gateway);
  return entry;
}

World::World(std::function<void(const std::string& key)> changed, WorldOptions options)
    : servers(decode_server, changed, rejected),
      gateways(decode_gateway_entry, changed, rejected),
      deployments(decode_deployment_entry, changed, rejected),
      hpas(decode_hpa_entry, changed, rejected),
      pods(changed),
      options_(std::move(options)),
      changed_(std::move(changed)) {
  for (const auto& type : kChildTypes) {
    if (type.kind == ChildKind::Deployment || type.kind == ChildKind::HorizontalPodAutoscaler) {
      continue;
    }
    auto wake = changed_;
    if (type.kind == ChildKind::Secret) {
      wake = [this](const std::string& key) {
        if (const auto owner = owner_of_secret(key)) changed_(*owner);
      };
    }
    if (type.kind == ChildKind::ClusterRoleBinding) {
      wake = [this](const std::string& key) {
        if (const auto owner = desired::gateway_of_cluster_binding(kube::split_key(key).name)) {
          changed_(*owner);
        }
      };
    }
    others_.at(index_of(type.kind)) =
        std::make_unique<kube::Store<Child>>(decode_of(type.kind), wake, rejected);
  }
}

void World::watch_children(kube::Client& client, const ChildType& type,
                           kube::Reflectors& reflectors) {
  const kube::Collection collection{
      .path = kube::collection_path(type.api_version, "", type.plural),
      .label_selector = kChildren,
      .field_selector = "",
      .metadata_only = type.kind == ChildKind::Secret};
  switch (type.kind) {
    case ChildKind::Deployment:
      return kube::watch(client, collection, options_.namespaces, deployments, reflectors);
    case ChildKind::HorizontalPodAutoscaler:
      return kube::watch(client, collection, options_.namespaces, hpas, reflectors);
    default:
      return kube::watch(client, collection,
                         type.namespaced() ? options_.namespaces : std::vector<std::string>(),
                         *others_.at(index_of(type.kind)), reflectors);
  }
}

void World::start(kube::Client& client) {
  kube::watch(client, {kube::collection_path(fleet::kApiVersion, "", fleet::kPlural), "", ""},
              options_.namespaces, servers, reflectors_);
  kube::watch(client,
              {kube::collection_path(fleet::kApiVersion, "", fleet::kGatewayPlural), "", ""},
              options_.namespaces, gateways, reflectors_);
  kube::watch(client, {kube::collection_path("v1", "", "pods"), kChildren, ""}, options_.namespaces,
              pods, reflectors_);
  for (const auto& type : kChildTypes) {
    if (!type.optional() && watches(type.kind)) {
      watch_children(client, type, reflectors_);
    }
  }
}

bool World::watch_optional(kube::Client& client, const ChildType& type, bool exists) {
  std::lock_guard lock(monitors_mutex_);
  if (exists == monitors_.contains(type.kind)) return false;
  if (exists) {
    watch_children(client, type, monitors_[type.kind]);
    return true;
  }
  monitors_.erase(type.kind);
  auto& none = sink(type.kind);
  none.list_begin();
  none.list_end();
  return true;
}

bool World::watches(ChildKind kind) const {
  if (kind == ChildKind::Secret) return options_.secrets;
  if (kind == ChildKind::ClusterRoleBinding) return options_.cluster_bindings;
  if (!kChildTypes.at(index_of(kind)).optional()) return true;
  std::lock_guard lock(monitors_mutex_);
  return monitors_.contains(kind);
}

std::shared_ptr<const Child> World::child(ChildKind kind, const std::string& key) const {
  switch (kind) {
    case ChildKind::Deployment:
      return deployments.get(key);
    case ChildKind::HorizontalPodAutoscaler:
      return hpas.get(key);
    default:
      return others_.at(index_of(kind))->get(key);
  }
}

std::vector<std::string> World::bound_gateways() const {
  std::vector<std::string> keys;
  for (const auto& binding : others_.at(index_of(ChildKind::ClusterRoleBinding))->all()) {
    if (auto key = desired::gateway_of_cluster_binding(binding->name)) {
      keys.push_back(*std::move(key));
    }
  }
  return keys;
}

void World::note_written(ChildKind kind, std::string_view answer) {
  if (!watches(kind)) return;
  const auto note = [](auto& store, auto entry) {
    if (!entry) return rejected(entry.error());
    entry->set_verified();
    store.note_written(std::move(*entry));
  };
  switch (kind) {
    case ChildKind::Deployment:
      return note(deployments, decode_deployment_entry(answer));
    case ChildKind::HorizontalPodAutoscaler:
      return note(hpas, decode_hpa_entry(answer));
    default:
      return note(*others_.at(index_of(kind)), decode_of(kind)(answer));
  }
}

void World::note_verified(ChildKind kind, const Child& seen) {
  const auto note = [&seen](auto& store) {
    const auto held = store.get(kube::make_key(seen.namespace_, seen.name));
    if (held == nullptr || held->resource_version != seen.resource_version) return;
    store.edit(*held, [](Child& child) { child.set_verified(); });
  };
  switch (kind) {
    case ChildKind::Deployment:
      return note(deployments);
    case ChildKind::HorizontalPodAutoscaler:
      return note(hpas);
    default:
      return note(*others_.at(index_of(kind)));
  }
}

kube::Sink& World::sink(ChildKind kind) {
  switch (kind) {
    case ChildKind::Deployment:
      return deployments;
    case ChildKind::HorizontalPodAutoscaler:
      return hpas;
    default:
      return *others_.at(index_of(kind));
  }
}

template <typename Visit>
bool World::for_each_reflector(const Visit& visit) const {
  for (const auto& reflector : reflectors_) {
    if (!visit(*reflector)) return false;
  }
  std::lock_guard lock(monitors_mutex_);
  for (const auto& [kind, reflectors] : monitors_) {
    for (const auto& reflector : reflectors) {
      if (!visit(*reflector)) return false;
    }
  }
  return true;
}

bool World::synced() const {
  return !reflectors_.empty() &&
         for_each_reflector([](const kube::Reflector& reflector) { return reflector.synced(); });
}

std::string World::errors() const {
  std::string text;
  for_each_reflector([&text](const kube::Reflector& reflector) {
    const std::string error = reflector.last_error();
    if (!error.empty()) text += error + "\n";
    return true;
  });
  return text;
}

}  // namespace mcpfleet::op
