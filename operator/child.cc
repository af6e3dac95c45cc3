// Decodes children: one pass over the raw text, which keeps the few parts that we may have written.
#include "operator/child.h"

#include <algorithm>

#include "base/hash.h"
#include "desired/desired.h"
#include "desired/gateway.h"
#include "kube/ondemand.h"
#include "operator/trim.h"

namespace mcpfleet::op {
namespace {

namespace ondemand = simdjson::ondemand;

using kube::for_each_field;
using kube::raw_of;
using kube::text_of;

// The raw parts of one child while it is read; they are in the parser's buffers.
struct Parts {
  std::string_view labels;
  std::string_view annotations;
  std::string_view owners;
  std::vector<std::pair<std::string_view, std::string_view>> others;  // name and text
};

// A Secret's data is never kept.
bool is_content(std::string_view field) {
  constexpr std::string_view kLeftOut[] = {"apiVersion", "kind", "status", "data", "stringData"};
  return std::find(std::begin(kLeftOut), std::end(kLeftOut), field) == std::end(kLeftOut);
}

simdjson::error_code read_metadata(ondemand::value value, Child& child, Parts& parts) {
  return for_each_field(value, [&](std::string_view key, ondemand::value field) {
    if (key == "namespace") child.namespace_ = text_of(field);
    if (key == "name") child.name = text_of(field);
    if (key == "uid") child.uid = text_of(field);
    if (key == "resourceVersion") child.resource_version = text_of(field);
    if (key == "labels") return raw_of(field, parts.labels);
    if (key == "annotations") return raw_of(field, parts.annotations);
    if (key == "ownerReferences") return raw_of(field, parts.owners);
    return simdjson::SUCCESS;
  });
}

// Runs `visit` over the fields of `text`, and over each element where it is an array.
template <typename Visit>
simdjson::error_code read_text(std::string_view text, const Visit& visit) {
  ondemand::document document;
  if (const auto e = kube::begin(text, document)) return e;
  ondemand::value root;
  if (const auto e = document.get_value().get(root)) return e;
  ondemand::json_type type{};
  if (const auto e = root.type().get(type)) return e;
  if (type == ondemand::json_type::object) return for_each_field(root, visit);
  ondemand::array array;
  if (const auto e = root.get_array().get(array)) return e;
  for (auto element : array) {
    ondemand::value value;
    if (const auto e = element.get(value)) return e;
    if (const auto e = visit(std::string_view(), value)) return e;
  }
  return simdjson::SUCCESS;
}

simdjson::error_code read_controller(const std::string& owners, Child& child) {
  if (owners.empty()) return simdjson::SUCCESS;
  return read_text(owners, [&](std::string_view, ondemand::value owner) {
    bool controller = false;
    std::string kind;
    std::string uid;
    const auto error = for_each_field(owner, [&](std::string_view key, ondemand::value field) {
      if (key == "controller") return field.get_bool().get(controller);
      if (key == "kind") kind = text_of(field);
      if (key == "uid") uid = text_of(field);
      return simdjson::SUCCESS;
    });
    if (controller) {
      child.controller_kind = kind;
      child.controller_uid = uid;
    }
    return error;
  });
}

simdjson::error_code read_annotations(const std::string& annotations, Child& child) {
  if (annotations.empty()) return simdjson::SUCCESS;
  return read_text(annotations, [&](std::string_view key, ondemand::value value) {
    if (key == kAppliedAnnotation) child.applied = text_of(value);
    if (key == kPodTemplateAnnotation) child.pod_template = text_of(value);
    if (key == kSidecarImageAnnotation) child.sidecar_image = text_of(value);
    return simdjson::SUCCESS;
  });
}

std::string content_of(const Parts& parts) {
  std::string out = "{\"metadata\":{";
  const auto add = [&out](const char* name, std::string_view raw) {
    if (raw.empty()) return;
    if (out.back() != '{') out += ',';
    out.append("\"").append(name).append("\":").append(raw);
  };
  add("labels", parts.labels);
  add("annotations", parts.annotations);
  add("ownerReferences", parts.owners);
  out += '}';
  for (const auto& [name, raw] : parts.others) {
    out.append(",\"").append(name).append("\":").append(raw);
  }
  out += '}';
  return out;
}

// Whether the data's key is among the fields that one manager owns.
simdjson::error_code read_data_owned(ondemand::value fields, bool& owned) {
  return for_each_field(fields, [&](std::string_view part, ondemand::value inside) {
    if (part != "f:data") return simdjson::SUCCESS;
    return for_each_field(inside, [&](std::string_view name, ondemand::value) {
      owned = owned || name == "f:key";
      return simdjson::SUCCESS;
    });
  });
}

// Whoever changes a field takes it from its owner. An object without managedFields tells nothing.
simdjson::error_code read_data_taken(std::string_view managed_fields, bool& taken) {
  bool told = false;
  bool ours = false;
  const auto error = read_text(managed_fields, [&](std::string_view, ondemand::value entry) {
    std::string manager;
    bool owned = false;
    const auto e = for_each_field(entry, [&](std::string_view key, ondemand::value value) {
      if (key == "manager") manager = text_of(value);
      return key == "fieldsV1" ? read_data_owned(value, owned) : simdjson::SUCCESS;
    });
    told = told || owned;
    ours = ours || (owned && manager == desired::kFieldManager);
    return e;
  });
  taken = told && !ours;
  return error;
}

}  // namespace

std::optional<ChildKind> child_kind(std::string_view name) {
  for (const auto& type : kChildTypes) {
    if (name == type.name) return type.kind;
  }
  return std::nullopt;
}

void Child::carry_over(const Child& held) {
  if (held.verified() && held.uid == uid && held.applied == applied &&
      held.content_hash == content_hash) {
    set_verified();
  }
}

Result<Child> decode_child(std::string_view json) {
  Child child;
  std::string owners;
  std::string annotations;
  auto error = simdjson::SUCCESS;
  {
    Parts parts;
    error = read_text(json, [&](std::string_view key, ondemand::value value) {
      if (key == "metadata") return read_metadata(value, child, parts);
      if (!is_content(key)) return simdjson::SUCCESS;
      return raw_of(value, parts.others.emplace_back(key, "").second);
    });
    if (!error) {
      owners = parts.owners;
      annotations = parts.annotations;
      child.content = content_of(parts);
      child.content_hash = hash_text(child.content);
    }
  }
  if (!error) error = read_controller(owners, child);
  if (!error) error = read_annotations(annotations, child);
  if (error) {
    return fail(ErrorKind::Malformed,
                std::string("a child cannot be read: ") + simdjson::error_message(error));
  }
  if (child.name.empty()) return fail(ErrorKind::Malformed, "a child has no name");
  return child;
}

Result<Child> decode_secret(std::string_view json) {
  auto child = decode_child(json);
  if (!child) return child;
  std::string managed_fields;
  auto error = read_text(json, [&](std::string_view key, ondemand::value metadata) {
    if (key != "metadata") return simdjson::SUCCESS;
    return for_each_field(metadata, [&](std::string_view name, ondemand::value value) {
      std::string_view raw;
      if (name != "managedFields") return simdjson::SUCCESS;
      const auto e = raw_of(value, raw);
      managed_fields = raw;
      return e;
    });
  });
  if (!error && !managed_fields.empty()) error = read_data_taken(managed_fields, child->data_taken);
  if (error) {
    return fail(ErrorKind::Malformed,
                std::string("a Secret cannot be read: ") + simdjson::error_message(error));
  }
  if (child->data_taken) child->content_hash = ~child->content_hash;
  return child;
}

Result<Child> decode_cluster_binding(std::string_view json) {
  auto child = decode_child(json);
  if (!child) return child;
  std::string uid;
  const auto error = read_text(json, [&](std::string_view key, ondemand::value metadata) {
    if (key != "metadata") return simdjson::SUCCESS;
    return for_each_field(metadata, [&](std::string_view name, ondemand::value annotations) {
      if (name != "annotations") return simdjson::SUCCESS;
      return for_each_field(annotations, [&](std::string_view annotation, ondemand::value value) {
        if (annotation == desired::kGatewayUidAnnotation) uid = text_of(value);
        return simdjson::SUCCESS;
      });
    });
  });
  if (error) {
    return fail(ErrorKind::Malformed, std::string("a ClusterRoleBinding cannot be read: ") +
                                          simdjson::error_message(error));
  }
  if (!uid.empty()) {
    child->controller_kind = fleet::kGatewayKind;
    child->controller_uid = std::move(uid);
  }
  return child;
}

Result<Child> (*decode_of(ChildKind kind))(std::string_view json) {
  switch (kind) {
    case ChildKind::Secret:
      return decode_secret;
    case ChildKind::ClusterRoleBinding:
      return decode_cluster_binding;
    default:
      return decode_child;
  }
}

Result<DeploymentEntry> decode_deployment_entry(std::string_view json) {
  auto child = decode_child(json);
  if (!child) return fail(child.error());
  auto seen = desired::decode_deployment(trim_deployment(json));
  if (!seen) return fail(seen.error());
  DeploymentEntry entry;
  static_cast<Child&>(entry) = std::move(*child);
  entry.replicas = seen->spec_replicas;
  entry.seen = std::move(*seen);
  return entry;
}

Result<HpaEntry> decode_hpa_entry(std::string_view json) {
  auto child = decode_child(json);
  if (!child) return fail(child.error());
  auto seen = desired::decode_hpa(without(json, {"metadata.managedFields"}));
  if (!seen) return fail(seen.error());
  HpaEntry entry;
  static_cast<Child&>(entry) = std::move(*child);
  entry.seen = std::move(*seen);
  return entry;
}

}  // namespace mcpfleet::op
