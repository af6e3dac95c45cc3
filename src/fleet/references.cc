#include "fleet/references.h"

#include <map>
#include <utility>

#include "fleet/decode.h"
#include "fleet/json_text.h"

namespace mcpfleet::fleet {
namespace {

using Kind = Reference::Kind;

// Collects references, each once.
class Collector {
 public:
  void add(Kind kind, const std::string& name, bool optional, const std::string& field) {
    if (name.empty()) return;
    const auto [found, fresh] = found_.try_emplace({kind, name}, kind, name, optional, field);
    // One use that needs it is enough, and is the one to name.
    if (!fresh && found->second.optional && !optional) found->second = {kind, name, false, field};
  }
  // `holder` names the object under `name_key`, and may say "optional".
  void add(Kind kind, const Json& holder, const char* name_key, const std::string& field) {
    add(kind, text_of(holder, name_key), truth_of(holder, "optional"), field);
  }
  std::vector<Reference> take() {
    std::vector<Reference> result;
    result.reserve(found_.size());
    for (auto& [key, reference] : found_) result.push_back(std::move(reference));
    return result;
  }

 private:
  std::map<std::pair<Kind, std::string>, Reference> found_;
};

std::string at(const std::string& path, std::size_t index) {
  return path + "[" + std::to_string(index) + "]";
}

void add_env(const Json& list, const std::string& path, Collector& collector) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Json& from = member(list[i], "valueFrom");
    collector.add(Kind::Secret, member(from, "secretKeyRef"), "name", at(path, i));
    collector.add(Kind::ConfigMap, member(from, "configMapKeyRef"), "name", at(path, i));
  }
}

void add_env_from(const Json& list, const std::string& path, Collector& collector) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    collector.add(Kind::Secret, member(list[i], "secretRef"), "name", at(path, i));
    collector.add(Kind::ConfigMap, member(list[i], "configMapRef"), "name", at(path, i));
  }
}

void add_volumes(const Json& list, const std::string& path, Collector& collector) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    collector.add(Kind::Secret, member(list[i], "secret"), "secretName", at(path, i));
    collector.add(Kind::ConfigMap, member(list[i], "configMap"), "name", at(path, i));
    for (const Json& source : list_of(member(list[i], "projected"), "sources")) {
      collector.add(Kind::Secret, member(source, "secret"), "name", at(path, i));
      collector.add(Kind::ConfigMap, member(source, "configMap"), "name", at(path, i));
    }
  }
}

void add_storage(const std::vector<Storage>& storage, Collector& collector) {
  for (std::size_t i = 0; i < storage.size(); ++i) {
    const std::string field = at("spec.config.storage", i);
    if (storage[i].kind == StorageKind::Secret)
      collector.add(Kind::Secret, storage[i].object, storage[i].optional, field);
    if (storage[i].kind == StorageKind::ConfigMap)
      collector.add(Kind::ConfigMap, storage[i].object, storage[i].optional, field);
  }
}

Json raw(const RawJson& text) {
  if (text.empty()) return nullptr;
  auto parsed = parse_json(text, kMaxObjectBytes);
  return parsed ? std::move(*parsed) : Json();
}

void add_pod_template(const RawJson& text, Collector& collector) {
  const Json overlay = raw(text);
  const Json& spec = member(overlay, "spec");
  const std::string path = "spec.runtime.podTemplate.spec.";
  for (const char* list : {"initContainers", "containers"}) {
    const Json& containers = list_of(spec, list);
    for (std::size_t i = 0; i < containers.size(); ++i) {
      const std::string container = at(path + list, i);
      add_env(list_of(containers[i], "env"), container + ".env", collector);
      add_env_from(list_of(containers[i], "envFrom"), container + ".envFrom", collector);
    }
  }
  add_volumes(list_of(spec, "volumes"), path + "volumes", collector);
}

}  // namespace

std::string_view to_string(Reference::Kind kind) {
  return kind == Kind::Secret ? "Secret" : "ConfigMap";
}

std::vector<Reference> references(const MCPServer& server) {
  if (server.workload_ref) return {};
  Collector collector;
  add_env(raw(server.config.env), "spec.config.env", collector);
  add_env_from(raw(server.config.env_from), "spec.config.envFrom", collector);
  add_storage(server.config.storage, collector);
  add_pod_template(server.runtime.pod_template, collector);
  return collector.take();
}

}  // namespace mcpfleet::fleet
