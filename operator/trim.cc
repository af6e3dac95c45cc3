#include "operator/trim.h"

#include <algorithm>

#include "kube/ondemand.h"

namespace mcpfleet::op {
namespace {

namespace ondemand = simdjson::ondemand;
using simdjson::error_code;

using Dropped = std::initializer_list<std::string_view>;

void add_field(std::string& out, std::string_view key, std::string_view raw) {
  if (out.back() != '{') out += ',';
  out.append("\"").append(key).append("\":").append(raw);
}

// Visits the fields of the text's root. False: it is no object.
template <typename Visit>
bool read(std::string_view text, const Visit& visit) {
  ondemand::document document;
  if (kube::begin(text, document)) return false;
  ondemand::object root;
  return document.get_object().get(root) == simdjson::SUCCESS &&
         kube::for_each_field(root, visit) == simdjson::SUCCESS;
}

// `field` of the root, without those of its fields that `dropped` names.
error_code add_partly(std::string& out, std::string_view field, ondemand::value value,
                      Dropped dropped) {
  add_field(out, field, "{");
  const auto error = kube::for_each_field(value, [&](std::string_view key, ondemand::value inner) {
    const std::string path = std::string(field).append(".").append(key);
    if (std::ranges::find(dropped, path) != dropped.end()) return simdjson::SUCCESS;
    std::string_view raw;
    if (const auto e = kube::raw_of(inner, raw)) return e;
    add_field(out, key, raw);
    return simdjson::SUCCESS;
  });
  out += '}';
  return error;
}

bool has_part(std::string_view field, Dropped dropped) {
  return std::ranges::any_of(dropped, [field](std::string_view path) {
    return path.size() > field.size() && path.starts_with(field) && path[field.size()] == '.';
  });
}

// True where the fieldsV1 `value` owns spec.replicas.
error_code read_owned(ondemand::value value, bool& replicas) {
  return kube::for_each_field(value, [&](std::string_view key, ondemand::value fields) {
    if (key != "f:spec") return simdjson::SUCCESS;
    return kube::for_each_field(fields, [&](std::string_view name, ondemand::value) {
      replicas = replicas || name == "f:replicas";
      return simdjson::SUCCESS;
    });
  });
}

error_code add_owner(std::string& out, ondemand::value entry) {
  std::string_view manager = "\"\"";
  std::string_view subresource = "\"\"";
  bool replicas = false;
  const auto error = kube::for_each_field(entry, [&](std::string_view key, ondemand::value value) {
    if (key == "manager") return kube::raw_of(value, manager);
    if (key == "subresource") return kube::raw_of(value, subresource);
    if (key == "fieldsV1") return read_owned(value, replicas);
    return simdjson::SUCCESS;
  });
  if (error || !replicas) return error;
  if (out.back() != '[') out += ',';
  out.append(R"({"manager":)").append(manager);
  out.append(R"(,"subresource":)").append(subresource);
  out += R"(,"fieldsV1":{"f:spec":{"f:replicas":{}}}})";
  return simdjson::SUCCESS;
}

// The entries of metadata.managedFields that own spec.replicas, as an array.
std::string replicas_owners(std::string_view json) {
  std::string out = "[";
  const bool read_all = read(json, [&](std::string_view key, ondemand::value metadata) {
    if (key != "metadata") return simdjson::SUCCESS;
    return kube::for_each_field(metadata, [&](std::string_view name, ondemand::value value) {
      if (name != "managedFields") return simdjson::SUCCESS;
      ondemand::array entries;
      if (const auto error = value.get_array().get(entries)) return error;
      for (auto element : entries) {
        ondemand::value entry;
        if (const auto error = element.get(entry)) return error;
        if (const auto error = add_owner(out, entry)) return error;
      }
      return simdjson::SUCCESS;
    });
  });
  return read_all ? out + "]" : "[]";
}

}  // namespace

std::string without(std::string_view json, Dropped dropped) {
  std::string out = "{";
  const bool read_all = read(json, [&](std::string_view key, ondemand::value value) {
    if (std::ranges::find(dropped, key) != dropped.end()) return simdjson::SUCCESS;
    ondemand::json_type type{};
    if (const auto error = value.type().get(type)) return error;
    if (type == ondemand::json_type::object && has_part(key, dropped)) {
      return add_partly(out, key, value, dropped);
    }
    std::string_view raw;
    if (const auto error = kube::raw_of(value, raw)) return error;
    add_field(out, key, raw);
    return simdjson::SUCCESS;
  });
  return read_all ? out + "}" : std::string(json);
}

std::string trim_deployment(std::string_view json) {
  std::string text = without(json, {"metadata.managedFields", "spec.template"});
  constexpr std::string_view kMetadata = R"("metadata":{)";
  const auto at = text.find(kMetadata);
  if (at == std::string::npos) return text;
  const bool empty = text[at + kMetadata.size()] == '}';
  text.insert(at + kMetadata.size(),
              R"("managedFields":)" + replicas_owners(json) + (empty ? "" : ","));
  return text;
}

std::string trim_pod(std::string_view json) {
  return without(json, {"spec", "metadata.managedFields", "metadata.annotations"});
}

}  // namespace mcpfleet::op
