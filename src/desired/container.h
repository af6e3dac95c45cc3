// Parts of the containers that are ours. Internal to desired.
#pragma once

#include <string>

#include "desired/desired.h"
#include "fleet/json_text.h"

namespace mcpfleet::desired {

// "nonroot" of our images.
inline constexpr int kOwnUser = 65'532;

fleet::Json env_from_field(const char* name, const char* path);
fleet::Json volume_mount(const char* name, const char* path, bool read_only);
fleet::Json container_port(const char* name, int number);
// Ready as /ready at the port of metrics says.
fleet::Json ready_probe();

// Unprivileged, as the Pod Security Standard "restricted" wants it, with a read-only root.
fleet::Json restricted();

// A container of ours. `pull_policy`: empty for Kubernetes' own default.
fleet::Json own_container(const std::string& image, const std::string& pull_policy,
                          const char* name, fleet::Json command);

// By which Prometheus and our own adapter find the metrics of a pod.
fleet::Json metrics_annotations();

}  // namespace mcpfleet::desired
