#include <algorithm>
#include <array>
#include <set>

#include "fleet/decode.h"
#include "fleet/decode_parts.h"

namespace mcpfleet::fleet {
namespace {

bool is_url_path(const std::string& path) {
  constexpr std::string_view kPunctuation = "._~!$&'()*+,;=:@%/-";
  return path.starts_with('/') && std::ranges::all_of(path, [&](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  kPunctuation.contains(c);
         });
}

// Kubernetes checks what is inside; here only what would make a bad Deployment in any case.
RawJson decode_env(const Field& field) {
  if (!field.present()) return {};
  for (const Field& item : field.items(256)) {
    item.object();
    if (!item["name"].present()) item["name"].refuse("is required");
    item["name"].text("", 1, 256);
    item["value"].text("", 0, 32'768);
    item["valueFrom"].object();
  }
  return to_text(field.value());
}

RawJson decode_env_from(const Field& field) {
  if (!field.present()) return {};
  for (const Field& item : field.items(64)) {
    item.object();
    item["prefix"].text("", 0, 256);
    for (const char* key : {"configMapRef", "secretRef"}) {
      if (item[key].object() && !item[key]["name"].present())
        item[key]["name"].refuse("is required");
      item[key]["name"].text("", 1, 253);
      item[key]["optional"].boolean(false);
    }
  }
  return to_text(field.value());
}

RawJson decode_items(const Field& field) {
  if (!field.present()) return {};
  for (const Field& item : field.items(64)) {
    item.object();
    for (const auto& [key, most] : {std::pair("key", 253), std::pair("path", 1024)}) {
      if (!item[key].present()) item[key].refuse("is required");
      item[key].text("", 1, static_cast<std::size_t>(most));
    }
    item["mode"].integer(0, 0, 0777);
  }
  return to_text(field.value());
}

std::string required_name(const Field& field, const char* key) {
  if (!field[key].present()) field[key].refuse("is required");
  return field[key].text("", 1, 253);
}

// What the volume is of: exactly one of the four.
void decode_volume(const Field& field, Storage& storage) {
  constexpr std::array kKinds{
      std::pair("secret", StorageKind::Secret), std::pair("configMap", StorageKind::ConfigMap),
      std::pair("persistentVolumeClaim", StorageKind::PersistentVolumeClaim),
      std::pair("emptyDir", StorageKind::EmptyDir)};
  int given = 0;
  for (const auto& [key, kind] : kKinds) {
    const Field volume = field[key];
    if (!volume.object()) continue;
    ++given;
    storage.kind = kind;
    if (kind == StorageKind::PersistentVolumeClaim)
      storage.object = required_name(volume, "claimName");
    if (kind == StorageKind::Secret || kind == StorageKind::ConfigMap) {
      storage.object = required_name(volume, "name");
      storage.optional = volume["optional"].boolean(false);
      storage.items = decode_items(volume["items"]);
    }
    const Field limit = volume["sizeLimit"];
    if (kind == StorageKind::EmptyDir && limit.quantity_milli())
      storage.size_limit =
          limit.value().is_string() ? limit.value().get<std::string>() : to_text(limit.value());
  }
  if (given != 1)
    field.refuse("must have exactly one of secret, configMap, persistentVolumeClaim and emptyDir");
}

bool within(const std::string& path, const std::string& folder) {
  return path == folder || path.starts_with(folder + "/");
}

Storage decode_storage(const Field& field) {
  field.object();
  Storage storage;
  for (const char* key : {"name", "mountPath"})
    if (!field[key].present()) field[key].refuse("is required");
  storage.name = field["name"].text("", 1, 63);
  if (!is_dns_label(storage.name))
    field["name"].refuse("must be lower-case letters, digits and \"-\", such as cache");
  if (storage.name == "mcpfleet" || storage.name == "session-key")
    field["name"].refuse("must not be mcpfleet or session-key: they belong to the sidecar");
  storage.mount_path = field["mountPath"].text("", 1, 1024);
  if (!storage.mount_path.starts_with('/') || storage.mount_path.contains(':'))
    field["mountPath"].refuse("must be an absolute path without \":\"");
  if (within(storage.mount_path, "/mcpfleet") || within(storage.mount_path, "/etc/mcpfleet"))
    field["mountPath"].refuse(
        "must not be in /mcpfleet or /etc/mcpfleet: they belong to the sidecar");
  storage.read_only = field["readOnly"].boolean(false);
  decode_volume(field, storage);
  return storage;
}

std::vector<Storage> decode_storages(const Field& field) {
  std::vector<Storage> result;
  std::set<std::string> names;
  std::set<std::string> paths;
  for (const Field& item : field.items(32)) {
    result.push_back(decode_storage(item));
    if (!names.insert(result.back().name).second)
      item["name"].refuse("must be unique, and \"" + result.back().name + "\" is there twice");
    if (!paths.insert(result.back().mount_path).second)
      item["mountPath"].refuse("must be unique, and " + result.back().mount_path +
                               " is there twice");
  }
  return result;
}

}  // namespace

std::string decode_url_path(const Field& field, const std::string& standard) {
  auto path = field.text(standard, 1, 256);
  if (!is_url_path(path))
    field.refuse("must be the path of a URL such as " + standard + ", without query");
  return path;
}

ServerConfig decode_config(const Field& field) {
  field.object();
  ServerConfig config;
  config.port = field["port"].integer(8080, 1, 65'535);
  if (config.port == kMcpPort || config.port == kMetricsPort)
    field["port"].refuse("must not be " + std::to_string(config.port) +
                         ": 19080 and 19090 belong to the sidecar in the same pod");
  config.path = decode_url_path(field["path"], "/mcp");
  config.command = field["command"].texts(64, 4096);
  config.arguments = field["arguments"].texts(256, 4096);
  config.env = decode_env(field["env"]);
  config.env_from = decode_env_from(field["envFrom"]);
  config.storage = decode_storages(field["storage"]);
  return config;
}

}  // namespace mcpfleet::fleet
