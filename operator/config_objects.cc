#include "operator/config_objects.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "kube/ondemand.h"
#include "kube/paths.h"
#include "log/log.h"

namespace mcpfleet::op {
namespace {

using Kind = fleet::Reference::Kind;

std::string_view plural_of(Kind kind) { return kind == Kind::Secret ? "secrets" : "configmaps"; }

// With its length in front, so that no two contents give the same text.
void append(std::string& text, std::string_view part) {
  text.append(std::to_string(part.size())).append(":").append(part);
}

std::string sha256(std::string_view text) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), out, &size, EVP_sha256(), nullptr);
  return {reinterpret_cast<const char*>(out), size};
}

struct Metadata {
  std::string namespace_;
  std::string name;
  std::string version;
};

Result<Metadata> decode_metadata(std::string_view text) {
  simdjson::ondemand::document document;
  simdjson::ondemand::object metadata;
  auto error = kube::begin(text, document);
  if (!error) error = document["metadata"].get_object().get(metadata);
  Metadata result;
  const auto take = [&](const char* key, std::string& value) {
    std::string_view found;
    if (!error) error = metadata.find_field_unordered(key).get_string().get(found);
    if (!error) value = found;
  };
  take("namespace", result.namespace_);
  take("name", result.name);
  take("resourceVersion", result.version);
  if (!error) return result;
  return fail(ErrorKind::Malformed, std::string("the metadata of an object cannot be read: ") +
                                        simdjson::error_message(error));
}

}  // namespace

Result<ConfigObject> digest_config(std::string_view text) {
  auto object = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  const nlohmann::json::json_pointer version("/metadata/resourceVersion");
  if (!object.is_object() || !object.contains(version) || !object[version].is_string()) {
    return fail(ErrorKind::Malformed, "it has no metadata.resourceVersion");
  }
  std::string canonical;
  for (const char* field : {"data", "binaryData"}) {
    const auto data = object.find(field);
    if (data == object.end() || !data->is_object()) continue;
    for (const auto& [key, value] : data->items()) {
      if (!value.is_string()) continue;
      append(canonical, field);
      append(canonical, key);
      append(canonical, value.get_ref<const std::string&>());
    }
  }
  ConfigObject result{object[version].get<std::string>(), sha256(canonical)};
  OPENSSL_cleanse(canonical.data(), canonical.size());
  return result;
}

// One watch: of a kind, in one namespace or in all.
class ConfigObjects::Feed final : public kube::Sink {
 public:
  Feed(ConfigObjects& owner, Kind kind, std::string namespace_name)
      : owner_(owner), kind_(kind), namespace_(std::move(namespace_name)) {
    kube::Collection collection;
    collection.path = kube::collection_path("v1", namespace_, plural_of(kind));
    collection.metadata_only = true;
    reflector_ = kube::Reflector::start(owner.client_, std::move(collection), *this);
  }

  bool is_of(Kind kind) const { return kind_ == kind; }

  void list_begin() override { mark_.begin(); }

  void upsert(std::string_view object_json) override {
    const auto metadata = decode_metadata(object_json);
    if (!metadata) return log::warn(metadata.error().message, {});
    owner_.tell([&] {
      std::lock_guard lock(owner_.mutex_);
      return owner_.index_.seen({kind_, metadata->namespace_, metadata->name}, metadata->version,
                                mark_.mark());
    }());
  }

  void list_end() override {
    owner_.tell([&] {
      std::lock_guard lock(owner_.mutex_);
      return owner_.index_.listed(kind_, namespace_, mark_);
    }());
  }

  void remove(std::string_view namespace_name, std::string_view name) override {
    owner_.tell([&] {
      std::lock_guard lock(owner_.mutex_);
      return owner_.index_.gone({kind_, std::string(namespace_name), std::string(name)});
    }());
  }

 private:
  ConfigObjects& owner_;
  const Kind kind_;
  const std::string namespace_;
  kube::ListMark mark_;                         // used by the watch's thread only
  std::unique_ptr<kube::Reflector> reflector_;  // last: it uses what is above
};

ConfigObjects::ConfigObjects(kube::Client& client, WorldOptions options,
                             std::function<void(const std::string& server)> changed)
    : client_(client), options_(std::move(options)), changed_(std::move(changed)) {}

ConfigObjects::~ConfigObjects() = default;

void ConfigObjects::tell(const ConfigIndex::Servers& servers) const {
  for (const auto& server : servers) changed_(server);
}

void ConfigObjects::watch(Kind kind) {
  std::lock_guard lock(feeds_mutex_);
  if (std::ranges::any_of(feeds_, [kind](const auto& feed) { return feed->is_of(kind); })) return;
  const std::vector<std::string> all{""};
  for (const auto& namespace_ : options_.namespaces.empty() ? all : options_.namespaces) {
    feeds_.push_back(std::make_unique<Feed>(*this, kind, namespace_));
  }
}

Result<ConfigObject> ConfigObjects::read(const ConfigKey& key) {
  const auto known = [&] {
    std::lock_guard lock(mutex_);
    return index_.known(key);
  };
  if (auto object = known()) return *object;
  const std::string path = kube::object_path("v1", key.namespace_, plural_of(key.kind), key.name);
  std::lock_guard reading(reading_[std::hash<std::string>()(path) % reading_.size()]);
  if (auto object = known()) return *object;
  std::uint64_t ticket = 0;
  {
    std::lock_guard lock(mutex_);
    ticket = index_.begin_read(key);
  }
  ConfigObject object;
  if (auto text = client_.get(path)) {
    auto digested = digest_config(*text);
    OPENSSL_cleanse(text->data(), text->size());
    if (!digested) return fail(digested.error());
    object = std::move(*digested);
  } else if (text.error().kind != ErrorKind::NotFound) {
    return fail(text.error());
  }
  std::lock_guard lock(mutex_);
  index_.end_read(key, ticket, object);
  return object;
}

Result<ConfigObjects::Found> ConfigObjects::look(const fleet::MCPServer& server) {
  auto references = fleet::references(server);
  if (!options_.secrets)
    std::erase_if(references, [](const auto& r) { return r.kind == Kind::Secret; });
  std::vector<ConfigKey> keys;
  for (const auto& reference : references) {
    keys.push_back({reference.kind, server.namespace_, reference.name});
  }
  {
    std::lock_guard lock(mutex_);
    index_.refer(fleet::key(server), keys);
  }
  for (const auto& reference : references) watch(reference.kind);
  Found found;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto& reference = references[i];
    const auto object = read(keys[i]);
    if (!object) {
      return fail(object.error().context("cannot read " + std::string(to_string(reference.kind)) +
                                         " " + reference.name + " of " + reference.field));
    }
    append(found.digest, to_string(reference.kind));
    append(found.digest, reference.name);
    append(found.digest, object->digest);
    if (!object->exists() && !reference.optional) found.missing.push_back(reference);
  }
  return found;
}

void ConfigObjects::forget(const std::string& server) {
  std::lock_guard lock(mutex_);
  index_.refer(server, {});
}

}  // namespace mcpfleet::op
