// From the JSON of an MCPServer or MCPGateway to plain values: defaults, limits, and errors that
// name the field.
//
// The schema in crds/ refuses the same things with the same sentences where it can; this code is
// for objects that were stored under an older schema, and for programs that read manifests offline.
// A test holds the two together. Thread safety: free functions without state.
#pragma once

#include <array>
#include <string_view>

#include "base/result.h"
#include "fleet/mcp_gateway.h"
#include "fleet/mcp_server.h"

namespace mcpfleet::fleet {

// The largest JSON text that is read; a stored object of Kubernetes is at most 1.5 MiB.
inline constexpr std::size_t kMaxObjectBytes = 2 * 1024 * 1024;

// The metrics that a rule may look at.
inline constexpr std::array<std::string_view, 8> kRuleMetrics{"mcp_requests_per_second",
                                                              "mcp_request_duration_seconds_avg",
                                                              "mcp_request_duration_seconds_p50",
                                                              "mcp_request_duration_seconds_p95",
                                                              "mcp_request_duration_seconds_p99",
                                                              "mcp_requests_in_flight",
                                                              "mcp_active_sessions",
                                                              "mcp_error_ratio"};

// The ports of the sidecar in each pod, which the user's own server cannot have.
inline constexpr int kMcpPort = 19080;
inline constexpr int kMetricsPort = 19090;

// The whole object: metadata, spec with defaults filled in, status. Unknown fields are ignored (a
// newer schema may have stored them).
// Errors: Malformed (not JSON, too deep), TooLarge, Invalid: one sentence that starts with the
// path, such as "spec.autoscaling.rules[0].threshold must be a quantity such as 100 or 250m, not
// \"fast\"".
Result<MCPServer> decode(std::string_view json);

// Metadata and status alone, with the spec's defaults: for telling the author of an object that
// decode() refuses why. Errors: Malformed, TooLarge, Invalid (metadata without a name).
Result<MCPServer> decode_identity(std::string_view json);

// The same for an MCPGateway.
Result<MCPGateway> decode_gateway(std::string_view json);
Result<MCPGateway> decode_gateway_identity(std::string_view json);

}  // namespace mcpfleet::fleet
