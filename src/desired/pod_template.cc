// spec.runtime.podTemplate: laid over our pod template, and held to what the product needs.
#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <set>

#include "desired/parts.h"
#include "desired/strategic_merge.h"
#include "fleet/decode.h"

namespace mcpfleet::desired {
namespace {

using fleet::list_of;
using fleet::member;
using fleet::text_of;

const std::string kPath = "spec.runtime.podTemplate";

// The first thing that is wrong, as a whole sentence.
using Problem = std::optional<std::string>;

const Json& named(const Json& list, const std::string& name) {
  static const Json kNone;
  const auto found =
      std::ranges::find_if(list, [&](const Json& entry) { return text_of(entry, "name") == name; });
  return found == list.end() ? kNone : *found;
}

std::string keep(const std::string& path, const std::string& what, const std::string& why) {
  return path + " must leave " + what + " as it is, for " + why;
}

// Labels of ours, by which pods are found; annotations of ours, by which they are scraped and
// rolled.
Problem check_metadata(const Json& before, const Json& after) {
  for (const auto& [label, value] : member(before, "labels").items())
    if (member(member(after, "labels"), label) != value)
      return keep(kPath + ".metadata.labels", label, "the pods are found by it");
  std::set<std::string> names;
  for (const Json* metadata : {&before, &after})
    for (const auto& [name, value] : member(*metadata, "annotations").items())
      if (name.starts_with("mcpfleet.dev/")) names.insert(name);
  for (const auto& name : names)
    if (member(member(after, "annotations"), name) != member(member(before, "annotations"), name))
      return keep(kPath + ".metadata.annotations", name, "it belongs to mcpfleet");
  return std::nullopt;
}

// Containers and volumes that are all ours. `free`: the one field that may differ.
Problem check_entries(const Json& before, const Json& after, const char* list, const char* free) {
  const std::array ours{kInstallContainer, kSidecarContainer, kSharedVolume, kSessionKeyVolume};
  for (Json entry : list_of(before, list)) {
    const std::string name = text_of(entry, "name");
    if (std::ranges::find(ours, name) == ours.end()) continue;
    Json other = named(list_of(after, list), name);
    if (other.is_object()) other.erase(free);
    entry.erase(free);
    if (other != entry) return keep(kPath + ".spec." + list, name, "it belongs to mcpfleet");
  }
  return std::nullopt;
}

// Each entry of `before[list]` for which `ours` holds is in `after[list]` as it was.
Problem check_list(const Json& before, const Json& after, const char* list, const char* key,
                   const std::function<bool(const Json&)>& ours) {
  for (const Json& entry : list_of(before, list)) {
    const Json& others = list_of(after, list);
    if (ours(entry) && std::ranges::find(others, entry) == others.end())
      return keep(kPath + ".spec.containers",
                  std::string(list) + " " + fleet::to_text(entry[key]) + " of the container server",
                  "it belongs to mcpfleet");
  }
  return std::nullopt;
}

struct Fixed {
  const char* pointer;  // in the container
  const char* what;
  const char* why;
};

// What the container `server` has from elsewhere in spec, or from us.
Problem check_server(const Json& before, const Json& after, bool stdio) {
  constexpr std::array kFixed{
      Fixed{"/image", "image", "spec.source.containerImage sets it"},
      Fixed{"/imagePullPolicy", "imagePullPolicy", "spec.source.containerImage sets it"},
      Fixed{"/command", "command", "spec.config.command sets it"},
      Fixed{"/args", "args", "spec.config.arguments sets it"},
      Fixed{"/resources", "resources", "spec.runtime.resources sets it"},
      Fixed{"/lifecycle/preStop", "lifecycle.preStop",
            "it drains the sessions of a pod that goes"}};
  const std::string path = kPath + ".spec.containers";
  if (!after.is_object()) return path + " must not remove the container server";
  const auto at = [](const Json& container, const char* pointer) {
    const Json::json_pointer place(pointer);
    return container.contains(place) ? container[place] : Json();
  };
  for (const auto& [pointer, what, why] : kFixed)
    if (at(before, pointer) != at(after, pointer))
      return keep(path, std::string(what) + " of the container server", why);
  if (stdio && member(before, "readinessProbe") != member(after, "readinessProbe"))
    return keep(path, "readinessProbe of the container server",
                "with transport stdio it is the sidecar's");
  const auto own_mount = [](const Json& mount) {
    const std::string name = text_of(mount, "name");
    return name == kSharedVolume || name == kSessionKeyVolume;
  };
  if (auto problem = check_list(before, after, "volumeMounts", "mountPath", own_mount))
    return problem;
  if (!stdio) return std::nullopt;
  const auto all = [](const Json&) { return true; };
  if (auto problem = check_list(before, after, "ports", "containerPort", all)) return problem;
  return check_list(before, after, "env", "name", [](const Json& variable) {
    return is_sidecar_variable(text_of(variable, "name"));
  });
}

// The sidecar's ports are one for the pod, and the Service finds them by name.
Problem check_ports(const Json& before, const Json& after) {
  for (const char* list : {"initContainers", "containers"})
    for (const Json& container : list_of(after, list)) {
      const Json& own = list_of(named(list_of(before, list), text_of(container, "name")), "ports");
      for (const Json& port : list_of(container, "ports")) {
        const Json& number = member(port, "containerPort");
        const std::string name = text_of(port, "name");
        const bool sidecars = number == fleet::kMcpPort || number == fleet::kMetricsPort ||
                              name == kMcpPortName || name == kMetricsPortName;
        if (sidecars && std::ranges::find(own, port) == own.end())
          return kPath + ".spec." + list + ": the container " + text_of(container, "name") +
                 " must not have a port 19080 or 19090, nor one named mcp or metrics: they belong "
                 "to the sidecar";
      }
    }
  return std::nullopt;
}

Problem check(const Json& before, const Json& after, bool stdio) {
  const Json& spec = member(after, "spec");
  const Json& old_spec = member(before, "spec");
  if (auto problem = check_metadata(member(before, "metadata"), member(after, "metadata")))
    return problem;
  if (auto problem = check_entries(old_spec, spec, "initContainers", "resources")) return problem;
  if (auto problem = check_entries(old_spec, spec, "volumes", "")) return problem;
  if (auto problem = check_server(named(list_of(old_spec, "containers"), kServerContainer),
                                  named(list_of(spec, "containers"), kServerContainer), stdio))
    return problem;
  if (auto problem = check_ports(old_spec, spec)) return problem;
  const char* grace = "terminationGracePeriodSeconds";
  if (fleet::number_of(spec, grace) < fleet::number_of(old_spec, grace))
    return kPath + ".spec." + grace + " must be at least " +
           std::to_string(fleet::number_of(old_spec, grace)) +
           ": spec.sessions.drainTimeout, and time for the server to stop";
  return std::nullopt;
}

}  // namespace

Result<Json> with_overlay(const fleet::MCPServer& server, Json pod_template) {
  if (server.runtime.pod_template.empty()) return pod_template;
  const auto overlay = fleet::parse_json(server.runtime.pod_template, fleet::kMaxObjectBytes);
  if (!overlay) return fail(overlay.error().context(kPath));
  Json patch = Json::object();
  for (const char* key : {"labels", "annotations"})
    if (const Json& value = member(member(*overlay, "metadata"), key); value.is_object())
      patch["metadata"][key] = value;
  if (overlay->contains("spec")) patch["spec"] = (*overlay)["spec"];
  auto merged = strategic_merge(pod_template, patch, kPath);
  if (!merged) return fail(merged.error());
  for (const char* key : {"metadata", "spec"})
    if (!member(*merged, key).is_object())
      return fail(ErrorKind::Invalid, kPath + "." + key + " must not be removed");
  if (auto problem =
          check(pod_template, *merged, server.transport.type == fleet::TransportType::Stdio))
    return fail(ErrorKind::Invalid, *problem);
  return merged;
}

}  // namespace mcpfleet::desired
