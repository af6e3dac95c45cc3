// From the JSON of an EndpointSlice (discovery.k8s.io/v1) to plain values.
//
// Source: https://kubernetes.io/docs/reference/kubernetes-api/service-resources/endpoint-slice-v1/
// Thread safety: free functions without state.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "routing/endpoints.h"

namespace mcpfleet::gateway {

inline constexpr std::string_view kServiceNameLabel = "kubernetes.io/service-name";

// The pods behind a server's Service, or a part of them.
struct EndpointSlice {
  std::string namespace_;
  std::string name;
  std::string uid;
  std::string resource_version;
  std::string server;  // the MCPServer, whose Service has its name; empty: of no Service
  std::vector<routing::Endpoint> endpoints;
  bool operator==(const EndpointSlice&) const = default;
};

// Of each endpoint the first address, as Kubernetes demands, at the port that is named as an
// MCPServer's Service names it, or at the only one; without such a port there are no endpoints. A
// condition that is not told is taken as Kubernetes documents it. Errors: TooLarge, Malformed.
Result<EndpointSlice> decode_endpoint_slice(std::string_view json);

}  // namespace mcpfleet::gateway
