// How to reach and convince an API server.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "http/client.h"

namespace mcpfleet::kube {

struct Config {
  http::Url server;
  http::TlsClientOptions tls;
  std::string token;       // bearer token; a secret
  std::string token_file;  // read again as it is rotated (in-cluster)
  std::string namespace_;  // of the context, or of the pod
};

// `kubeconfig` where it is not empty, else the pod's service account, else $KUBECONFIG. Exec
// plugins and auth providers are refused by name. Errors name the file and the field.
Result<Config> load_config(const std::string& kubeconfig);

// The parts of load_config(). Relative file names in a kubeconfig belong to `directory`.
Result<Config> parse_kubeconfig(std::string_view yaml, const std::string& directory);
// A pod's service account: files token, ca.crt and namespace in `directory`.
Result<Config> in_cluster_config(const std::string& host, const std::string& port,
                                 const std::string& directory);

}  // namespace mcpfleet::kube
