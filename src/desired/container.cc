#include "desired/container.h"

#include "desired/parts.h"
#include "fleet/decode.h"

namespace mcpfleet::desired {

Json env_from_field(const char* name, const char* path) {
  return {{"name", name}, {"valueFrom", {{"fieldRef", {{"fieldPath", path}}}}}};
}

Json volume_mount(const char* name, const char* path, bool read_only) {
  Json result{{"name", name}, {"mountPath", path}};
  if (read_only) result["readOnly"] = true;
  return result;
}

Json container_port(const char* name, int number) {
  return {{"name", name}, {"containerPort", number}, {"protocol", "TCP"}};
}

Json ready_probe() {
  return {{"httpGet", {{"path", "/ready"}, {"port", kMetricsPortName}}},
          {"periodSeconds", 2},
          {"timeoutSeconds", 2},
          {"failureThreshold", 3}};
}

Json restricted() {
  return {{"allowPrivilegeEscalation", false},
          {"capabilities", {{"drop", {"ALL"}}}},
          {"readOnlyRootFilesystem", true},
          {"runAsNonRoot", true},
          {"runAsUser", kOwnUser},
          {"runAsGroup", kOwnUser},
          {"seccompProfile", {{"type", "RuntimeDefault"}}}};
}

Json own_container(const std::string& image, const std::string& pull_policy, const char* name,
                   Json command) {
  Json container{{"name", name},
                 {"image", image},
                 {"command", std::move(command)},
                 {"securityContext", restricted()},
                 {"terminationMessagePolicy", "FallbackToLogsOnError"}};
  if (!pull_policy.empty()) container["imagePullPolicy"] = pull_policy;
  return container;
}

Json metrics_annotations() {
  const std::string port = std::to_string(fleet::kMetricsPort);
  return {{"mcpfleet.dev/metrics-port", port},
          {"mcpfleet.dev/metrics-path", "/metrics"},
          {"prometheus.io/scrape", "true"},
          {"prometheus.io/port", port},
          {"prometheus.io/path", "/metrics"}};
}

}  // namespace mcpfleet::desired
