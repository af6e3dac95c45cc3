// Decodes children: one pass over the raw text, which keeps the few parts that we may have written.
#include <simdjson.h>

#include "operator/world.h"

namespace mcpfleet::op {
namespace {

namespace ondemand = simdjson::ondemand;

std::string text_of(ondemand::value value) {
  std::string_view text;
  return value.get_string().get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

// A value's own text. Scalars do not occur where it is used.
simdjson::error_code raw_of(ondemand::value value, std::string_view& raw) {
  ondemand::json_type type{};
  if (const auto error = value.type().get(type)) return error;
  if (type == ondemand::json_type::object) {
    ondemand::object object;
    if (const auto error = value.get_object().get(object)) return error;
    return object.raw_json().get(raw);
  }
  if (type != ondemand::json_type::array) return simdjson::SUCCESS;
  ondemand::array array;
  if (const auto error = value.get_array().get(array)) return error;
  return array.raw_json().get(raw);
}

template <typename Visit>
simdjson::error_code for_each_field(ondemand::value value, const Visit& visit) {
  ondemand::object object;
  if (const auto error = value.get_object().get(object)) return error;
  for (auto field : object) {
    std::string_view key;
    if (const auto error = field.unescaped_key().get(key)) return error;
    ondemand::value inner;
    if (const auto error = field.value().get(inner)) return error;
    if (const auto error = visit(key, inner)) return error;
  }
  return simdjson::SUCCESS;
}

// The raw parts of one child while it is read.
struct Parts {
  std::string_view labels;
  std::string_view annotations;
  std::string_view owners;
  std::string_view spec;
};

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

struct Parsed {
  std::string buffer;
  ondemand::parser parser;
};

// Runs `visit` over the fields of `text`, and over each element where it is an array.
template <typename Visit>
simdjson::error_code read_text(std::string_view text, const Visit& visit) {
  thread_local Parsed parsed;
  parsed.buffer.assign(text);
  parsed.buffer.reserve(text.size() + simdjson::SIMDJSON_PADDING);
  ondemand::document document;
  const auto error = parsed.parser
                         .iterate(simdjson::padded_string_view(
                             parsed.buffer.data(), parsed.buffer.size(), parsed.buffer.capacity()))
                         .get(document);
  if (error) return error;
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

simdjson::error_code read_applied(const std::string& annotations, Child& child) {
  if (annotations.empty()) return simdjson::SUCCESS;
  return read_text(annotations, [&](std::string_view key, ondemand::value value) {
    if (key == kAppliedAnnotation) child.applied = text_of(value);
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
  add("spec", parts.spec);
  out += '}';
  return out;
}

}  // namespace

Result<Child> decode_child(std::string_view json) {
  Child child;
  std::string owners;
  std::string annotations;
  auto error = simdjson::SUCCESS;
  {
    Parts parts;
    error = read_text(json, [&](std::string_view key, ondemand::value value) {
      if (key == "metadata") return read_metadata(value, child, parts);
      if (key == "spec") return raw_of(value, parts.spec);
      return simdjson::SUCCESS;
    });
    if (!error) {
      owners = parts.owners;
      annotations = parts.annotations;
      child.content = content_of(parts);
    }
  }
  if (!error) error = read_controller(owners, child);
  if (!error) error = read_applied(annotations, child);
  if (error) {
    return fail(ErrorKind::Malformed,
                std::string("a child cannot be read: ") + simdjson::error_message(error));
  }
  if (child.name.empty()) return fail(ErrorKind::Malformed, "a child has no name");
  return child;
}

Result<DeploymentEntry> decode_deployment_entry(std::string_view json) {
  auto child = decode_child(json);
  if (!child) return fail(child.error());
  auto seen = desired::decode_deployment(json);
  if (!seen) return fail(seen.error());
  DeploymentEntry entry;
  static_cast<Child&>(entry) = std::move(*child);
  entry.seen = std::move(*seen);
  return entry;
}

Result<HpaEntry> decode_hpa_entry(std::string_view json) {
  auto child = decode_child(json);
  if (!child) return fail(child.error());
  auto seen = desired::decode_hpa(json);
  if (!seen) return fail(seen.error());
  HpaEntry entry;
  static_cast<Child&>(entry) = std::move(*child);
  entry.seen = std::move(*seen);
  return entry;
}

}  // namespace mcpfleet::op
