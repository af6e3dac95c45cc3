// The cluster that is asked: found as kubectl finds it, with errors in kubectl's words.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "kube/client.h"

namespace mcpfleet::kubectl {

struct ClusterOptions {
  std::string
      server;  // a URL that needs no credentials, such as kubectl proxy's; no kubeconfig then
  std::string kubeconfig;
  std::string context;
  std::string namespace_;
};

struct Cluster {
  std::unique_ptr<kube::Client> client;
  std::string namespace_;  // as asked for, else the context's, else "default"
};

// The kubeconfig: as given, else $KUBECONFIG, else ~/.kube/config where that exists; empty: none
// of them, and a pod's service account may do. `environment` gives a variable or "".
std::string find_kubeconfig(const std::string& given,
                            const std::function<std::string(const char*)>& environment);

// Error: Invalid, one sentence. Nothing is sent yet.
Result<Cluster> open_cluster(const ClusterOptions& options,
                             const std::function<std::string(const char*)>& environment);

// What kubectl would print: "Error from server (NotFound): mcpservers.mcpfleet.dev "x" not found".
std::string kubectl_words(const Error& error);

// The API server's own words, without the request that kube::Client puts in front.
std::string server_words(const Error& error);

}  // namespace mcpfleet::kubectl
