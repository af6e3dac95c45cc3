#include "desired/overlay.h"

#include <algorithm>
#include <set>

#include "desired/strategic_merge.h"
#include "fleet/decode.h"

namespace mcpfleet::desired {

using fleet::list_of;
using fleet::member;
using fleet::text_of;

Result<Json> lay_over(const std::string& path, const fleet::RawJson& overlay,
                      const Json& pod_template) {
  const auto parsed = fleet::parse_json(overlay, fleet::kMaxObjectBytes);
  if (!parsed) return fail(parsed.error().context(path));
  Json patch = Json::object();
  for (const char* key : {"labels", "annotations"})
    if (const Json& value = member(member(*parsed, "metadata"), key); value.is_object())
      patch["metadata"][key] = value;
  if (parsed->contains("spec")) patch["spec"] = (*parsed)["spec"];
  auto merged = strategic_merge(pod_template, patch, path);
  if (!merged) return fail(merged.error());
  for (const char* key : {"metadata", "spec"})
    if (!member(*merged, key).is_object())
      return fail(ErrorKind::Invalid, path + "." + key + " must not be removed");
  return merged;
}

std::string keep(const std::string& path, const std::string& what, const std::string& why) {
  return path + " must leave " + what + " as it is, for " + why;
}

const Json& named(const Json& list, const std::string& name) {
  static const Json kNone;
  const auto found =
      std::ranges::find_if(list, [&](const Json& entry) { return text_of(entry, "name") == name; });
  return found == list.end() ? kNone : *found;
}

Problem check_metadata(const std::string& path, const Json& before, const Json& after) {
  for (const auto& [label, value] : member(before, "labels").items())
    if (member(member(after, "labels"), label) != value)
      return keep(path + ".metadata.labels", label, "the pods are found by it");
  std::set<std::string> names;
  for (const Json* metadata : {&before, &after})
    for (const auto& [name, value] : member(*metadata, "annotations").items())
      if (name.starts_with("mcpfleet.dev/")) names.insert(name);
  for (const auto& name : names)
    if (member(member(after, "annotations"), name) != member(member(before, "annotations"), name))
      return keep(path + ".metadata.annotations", name, "it belongs to mcpfleet");
  return std::nullopt;
}

Problem check_entries(const std::string& path, const Json& before, const Json& after,
                      const char* list, std::span<const char* const> ours, const char* free) {
  for (Json entry : list_of(before, list)) {
    const std::string name = text_of(entry, "name");
    if (std::ranges::find(ours, name) == ours.end()) continue;
    Json other = named(list_of(after, list), name);
    if (other.is_object()) other.erase(free);
    entry.erase(free);
    if (other != entry) return keep(path + ".spec." + list, name, "it belongs to mcpfleet");
  }
  return std::nullopt;
}

Problem check_list(const std::string& path, const Json& before, const Json& after,
                   const std::string& container, const char* list, const char* key,
                   const std::function<bool(const Json&)>& ours) {
  for (const Json& entry : list_of(before, list)) {
    const Json& others = list_of(after, list);
    if (ours(entry) && std::ranges::find(others, entry) == others.end())
      return keep(
          path + ".spec.containers",
          std::string(list) + " " + fleet::to_text(entry[key]) + " of the container " + container,
          "it belongs to mcpfleet");
  }
  return std::nullopt;
}

Problem check_fixed(const std::string& path, const Json& before, const Json& after,
                    const std::string& container, std::span<const FixedField> fields) {
  const auto at = [](const Json& object, const char* pointer) {
    const Json::json_pointer place(pointer);
    return object.contains(place) ? object[place] : Json();
  };
  for (const auto& [pointer, what, why] : fields)
    if (at(before, pointer) != at(after, pointer))
      return keep(path + ".spec.containers", std::string(what) + " of the container " + container,
                  why);
  return std::nullopt;
}

Problem check_ports(const std::string& path, const Json& before, const Json& after,
                    const std::string& whose) {
  for (const char* list : {"initContainers", "containers"})
    for (const Json& container : list_of(after, list)) {
      const Json& own = list_of(named(list_of(before, list), text_of(container, "name")), "ports");
      for (const Json& port : list_of(container, "ports")) {
        const Json& number = member(port, "containerPort");
        const std::string name = text_of(port, "name");
        const bool reserved = number == fleet::kMcpPort || number == fleet::kMetricsPort ||
                              name == kMcpPortName || name == kMetricsPortName;
        if (reserved && std::ranges::find(own, port) == own.end())
          return path + ".spec." + list + ": the container " + text_of(container, "name") +
                 " must not have a port 19080 or 19090, nor one named mcp or metrics: they belong "
                 "to " +
                 whose;
      }
    }
  return std::nullopt;
}

Problem check_grace(const std::string& path, const Json& before, const Json& after,
                    const std::string& why) {
  const char* grace = "terminationGracePeriodSeconds";
  if (fleet::number_of(after, grace) >= fleet::number_of(before, grace)) return std::nullopt;
  return path + ".spec." + grace + " must be at least " +
         std::to_string(fleet::number_of(before, grace)) + ": " + why;
}

}  // namespace mcpfleet::desired
