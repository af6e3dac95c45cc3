// spec.runtime.podTemplate: laid over our pod template, and held to what the product needs.
#include <array>

#include "desired/overlay.h"

namespace mcpfleet::desired {
namespace {

using fleet::list_of;
using fleet::member;
using fleet::text_of;

const std::string kPath = "spec.runtime.podTemplate";
const std::string kContainer = kServerContainer;

// Containers and volumes that are all ours.
constexpr std::array kOurs{kInstallContainer, kSidecarContainer, kSharedVolume, kSessionKeyVolume};

// What the container `server` has from elsewhere in spec, or from us.
Problem check_server(const Json& before, const Json& after, bool stdio) {
  constexpr std::array kFixed{
      FixedField{"/image", "image", "spec.source.containerImage sets it"},
      FixedField{"/imagePullPolicy", "imagePullPolicy", "spec.source.containerImage sets it"},
      FixedField{"/command", "command", "spec.config.command sets it"},
      FixedField{"/args", "args", "spec.config.arguments sets it"},
      FixedField{"/resources", "resources", "spec.runtime.resources sets it"},
      FixedField{"/lifecycle/preStop", "lifecycle.preStop",
                 "it drains the sessions of a pod that goes"}};
  if (!after.is_object())
    return kPath + ".spec.containers must not remove the container " + kContainer;
  if (auto problem = check_fixed(kPath, before, after, kContainer, kFixed)) return problem;
  if (stdio && member(before, "readinessProbe") != member(after, "readinessProbe"))
    return keep(kPath + ".spec.containers", "readinessProbe of the container server",
                "with transport stdio it is the sidecar's");
  const auto own_mount = [](const Json& mount) {
    const std::string name = text_of(mount, "name");
    return name == kSharedVolume || name == kSessionKeyVolume;
  };
  if (auto problem =
          check_list(kPath, before, after, kContainer, "volumeMounts", "mountPath", own_mount))
    return problem;
  if (!stdio) return std::nullopt;
  const auto all = [](const Json&) { return true; };
  if (auto problem = check_list(kPath, before, after, kContainer, "ports", "containerPort", all))
    return problem;
  return check_list(kPath, before, after, kContainer, "env", "name", [](const Json& variable) {
    return is_sidecar_variable(text_of(variable, "name"));
  });
}

Problem check(const Json& before, const Json& after, bool stdio) {
  const Json& spec = member(after, "spec");
  const Json& old_spec = member(before, "spec");
  if (auto problem = check_metadata(kPath, member(before, "metadata"), member(after, "metadata")))
    return problem;
  if (auto problem = check_entries(kPath, old_spec, spec, "initContainers", kOurs, "resources"))
    return problem;
  if (auto problem = check_entries(kPath, old_spec, spec, "volumes", kOurs, "")) return problem;
  if (auto problem = check_server(named(list_of(old_spec, "containers"), kContainer),
                                  named(list_of(spec, "containers"), kContainer), stdio))
    return problem;
  if (auto problem = check_ports(kPath, old_spec, spec, "the sidecar")) return problem;
  return check_grace(kPath, old_spec, spec,
                     "spec.sessions.drainTimeout, and time for the server to stop");
}

}  // namespace

Result<Json> with_overlay(const fleet::MCPServer& server, Json pod_template) {
  if (server.runtime.pod_template.empty()) return pod_template;
  auto merged = lay_over(kPath, server.runtime.pod_template, pod_template);
  if (!merged) return fail(merged.error());
  if (auto problem =
          check(pod_template, *merged, server.transport.type == fleet::TransportType::Stdio))
    return fail(ErrorKind::Invalid, *problem);
  return merged;
}

}  // namespace mcpfleet::desired
