// How traffic to MCP servers is passed on: what an MCPGateway says for all of its servers, and what
// an MCPServer says for itself (spec.proxy).
//
// Durations and counts are checked by fleet/decode.h. What a gateway must have has its default
// here, which is that of the schema. Thread safety: plain values, free functions without state.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"

namespace mcpfleet::fleet {

enum class LoadBalancingPolicy {
  PowerOfTwoChoices,  // of two pods by chance the one with less to do
  RoundRobin,
  Weighted,  // round robin by the weights of the pods' zones
  LeastConnections,
  FastestResponse,
};

// What a pod in a zone counts for with the policy Weighted.
struct ZoneWeight {
  std::string zone;  // as in topology.kubernetes.io/zone and in EndpointSlices
  int weight = 1;
  bool operator==(const ZoneWeight&) const = default;
};

struct LoadBalancing {
  LoadBalancingPolicy policy = LoadBalancingPolicy::PowerOfTwoChoices;
  std::vector<ZoneWeight> weights;  // pods of other zones have weight 1
  bool operator==(const LoadBalancing&) const = default;
};

// Tcp connects to the port of MCP. Http asks /health of the sidecar, and connects where there is no
// sidecar. Mcp sends a `ping`, or asks `server/discover`.
enum class HealthCheckType { Tcp, Http, Mcp };

// The active check of each pod.
struct HealthCheck {
  HealthCheckType type = HealthCheckType::Http;
  Duration interval = std::chrono::seconds(30);
  Duration timeout = std::chrono::seconds(5);
  int unhealthy_threshold = 3;  // failures in a row until a pod is down
  int healthy_threshold = 2;    // successes in a row until it is up again
  bool operator==(const HealthCheck&) const = default;
};

// A pod whose calls fail is left out for some time, a little longer each time, and comes back
// slowly. Failures: it cannot be reached, breaks off an answer, or answers 502, 503 or 504.
struct Ejection {
  int consecutive_failures = 5;  // 0: no pod is ever ejected
  Duration base_time = std::chrono::seconds(30);
  Duration max_time = std::chrono::minutes(5);
  int max_percent = 50;  // of a server's pods at once
  Duration slow_start = std::chrono::seconds(30);
  bool operator==(const Ejection&) const = default;
};

struct Timeouts {
  Duration connect = std::chrono::seconds(5);  // to a pod, TCP alone
  // From a request of a client to the last byte of its answer; 0: none. The streams that a client
  // opens to listen (GET, subscriptions/listen) are no calls.
  Duration call = std::chrono::minutes(5);
  // Within a call: for a request to be taken, and for a pod to be silent before or amid its answer.
  Duration write = std::chrono::seconds(30);
  Duration read{0};                         // 0: as long as the call may take
  Duration idle = std::chrono::minutes(5);  // a connection to a pod that nobody uses is closed
  bool operator==(const Timeouts&) const = default;
};

// The connections to each pod. Those that calls use count, and those that nobody uses; a stream on
// which a client only listens, and what a client sends that is no call, have a connection beside
// them: a call in flight may wait for what comes on it.
struct ConnectionPool {
  int min_connections = 0;     // open also where nobody uses them; at most max_connections count
  int max_connections = 1024;  // a call that would need one more waits for one
  Duration acquire_timeout = std::chrono::seconds(30);  // for so long
  Duration health_interval = std::chrono::seconds(60);  // how often unused ones are looked at
  bool operator==(const ConnectionPool&) const = default;
};

// Only where nothing can have happened twice.
struct Retries {
  int attempts = 3;  // tries in all, the first one included; 1: none is repeated
  Duration backoff = std::chrono::seconds(1);  // before the second try; it doubles from then on
  bool operator==(const Retries&) const = default;
};

// What a RateLimit counts apart from each other.
enum class RateScope {
  Server,  // all calls of a server
  Tool,    // of each server and tool; with `tool` that tool alone
  Caller,  // of each server and caller, whoever that is to the gateway
};

// At most `calls` a `period`, and as many at once after a time without any.
struct RateLimit {
  RateScope per = RateScope::Server;
  std::string tool;  // empty: with per Tool each tool, otherwise all calls
  int calls = 1;
  Duration period = std::chrono::seconds(1);
  bool operator==(const RateLimit&) const = default;
};

// Of each server. Each replica of a gateway counts for itself.
struct Limits {
  int max_in_flight = 1000;   // calls
  int max_sessions = 10'000;  // live sessions
  int max_queue = 1000;       // calls that wait for one in flight to end; 0: none waits
  Duration queue_timeout = std::chrono::seconds(30);
  std::vector<RateLimit> rates;
  bool operator==(const Limits&) const = default;
};

// What an MCPServer has instead of its gateway's Limits, field by field.
struct LimitsOverride {
  std::optional<int> max_in_flight;
  std::optional<int> max_sessions;
  std::optional<int> max_queue;
  std::optional<Duration> queue_timeout;
  std::optional<std::vector<RateLimit>> rates;  // instead of all of the gateway's
  bool operator==(const LimitsOverride&) const = default;
};

struct TimeoutsOverride {
  std::optional<Duration> connect;
  std::optional<Duration> call;
  std::optional<Duration> write;
  std::optional<Duration> read;
  std::optional<Duration> idle;
  bool operator==(const TimeoutsOverride&) const = default;
};

struct ConnectionPoolOverride {
  std::optional<int> min_connections;
  std::optional<int> max_connections;
  std::optional<Duration> acquire_timeout;
  std::optional<Duration> health_interval;
  bool operator==(const ConnectionPoolOverride&) const = default;
};

// spec.proxy of an MCPServer: what it has instead of what its gateway says. Absent: the gateway's.
struct ProxyOverride {
  std::optional<LoadBalancing> load_balancing;
  TimeoutsOverride timeouts;
  LimitsOverride limits;
  ConnectionPoolOverride connection_pool;
  bool operator==(const ProxyOverride&) const = default;
};

// What a gateway says for all of its servers.
struct TrafficSettings {
  LoadBalancing load_balancing;
  HealthCheck health;
  Ejection ejection;
  Timeouts timeouts;
  Retries retries;
  Limits limits;
  ConnectionPool connection_pool;
  bool operator==(const TrafficSettings&) const = default;
};

// What counts for one server: `of_gateway` with `of_server` laid over it.
TrafficSettings settings_for(TrafficSettings of_gateway, const ProxyOverride& of_server);

}  // namespace mcpfleet::fleet
