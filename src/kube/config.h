// How to reach and convince an API server.
#pragma once

#include <string>
#include <string_view>
#include <vector>

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

// `kubeconfig` where it is not empty, else the pod's service account, else $KUBECONFIG. Several
// files, with ":" between them, are merged as kubectl does: what the first of them says counts, and
// one that does not exist is left out. `context` empty: the current one. What we cannot honour
// (exec plugins, auth providers, passwords, impersonation, proxies) is refused by name. Errors name
// the file and the field.
Result<Config> load_config(const std::string& kubeconfig, const std::string& context = "");

// The parts of load_config().
struct KubeconfigFile {
  std::string name;  // with its directory, which relative file names in it belong to
  std::string yaml;
};
Result<Config> parse_kubeconfig(const std::vector<KubeconfigFile>& files,
                                const std::string& context = "");
// A pod's service account: files token, ca.crt and namespace in `directory`.
Result<Config> in_cluster_config(const std::string& host, const std::string& port,
                                 const std::string& directory);

}  // namespace mcpfleet::kube
