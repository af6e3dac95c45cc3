// The MCPServer custom resource as plain values: what its author wants.
//
// Decoding, defaults and validation are in fleet/decode.h; the schema is
// crds/mcpfleet.dev_mcpservers.yaml, and a test holds the two together. Defaults here are those of
// the schema, for objects that never met an API server. Thread safety: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "fleet/gateway_settings.h"
#include "fleet/label_selector.h"
#include "fleet/status.h"

namespace mcpfleet::fleet {

// The API group is one constant; everything that names it uses this.
inline constexpr const char* kGroup = "mcpfleet.dev";
inline constexpr const char* kVersion = "v1alpha1";
inline constexpr const char* kApiVersion = "mcpfleet.dev/v1alpha1";
inline constexpr const char* kKind = "MCPServer";
inline constexpr const char* kPlural = "mcpservers";

// A raw JSON text that Kubernetes will check and that we pass through unread, such as an EnvVar or
// ResourceRequirements. Empty: absent.
using RawJson = std::string;

struct ContainerImage {
  std::string ref;
  std::string pull_policy;                      // empty: Kubernetes' own default
  std::vector<std::string> image_pull_secrets;  // names
  bool operator==(const ContainerImage&) const = default;
};

// A Deployment or StatefulSet (apps/v1) of somebody else's, in the MCPServer's namespace: it is
// scaled, and nothing of it is written.
struct WorkloadRef {
  std::string kind;  // "Deployment" or "StatefulSet"
  std::string name;
  bool operator==(const WorkloadRef&) const = default;
};

enum class TransportType { Stdio, StreamableHttp, Sse };

// Who gets which process of a stdio server.
enum class StdioMode { PerSession, Shared, Pooled };

// What belongs to transport sse alone.
struct SseTransport {
  std::string path = "/sse";                        // of the stream, at the server
  bool shared = false;                              // all sessions have one stream
  int max_connections = 1000;                       // of a pod, at once
  Duration hang_timeout = std::chrono::minutes(5);  // 0: never
  bool operator==(const SseTransport&) const = default;
};

struct Transport {
  TransportType type = TransportType::StreamableHttp;
  std::vector<std::string> allowed_origins;  // of browsers, beside localhost's
  // Of stdio:
  StdioMode mode = StdioMode::PerSession;
  int max_processes = 100;                          // of a pod, at once
  int pool_size = 2;                                // Pooled: processes that wait
  Duration hang_timeout = std::chrono::minutes(5);  // 0: never
  std::int64_t max_process_memory = 0;              // bytes; 0: any
  SseTransport sse;
  bool operator==(const Transport&) const = default;
};

enum class StorageKind { Secret, ConfigMap, PersistentVolumeClaim, EmptyDir };

// A volume that the server's container mounts.
struct Storage {
  std::string name;  // of the volume
  std::string mount_path;
  bool read_only = false;
  StorageKind kind = StorageKind::EmptyDir;
  std::string object = {};      // the Secret, ConfigMap or claim; empty for an emptyDir
  bool optional = false;        // Secret and ConfigMap: it may be missing
  RawJson items = {};           // Secret and ConfigMap: array of KeyToPath
  std::string size_limit = {};  // emptyDir: a quantity; empty: none
  bool operator==(const Storage&) const = default;
};

struct ServerConfig {
  int port = 8080;  // where the user's own server listens (not stdio)
  std::string path = "/mcp";
  std::vector<std::string> command;
  std::vector<std::string> arguments;
  RawJson env;       // array of EnvVar
  RawJson env_from;  // array of EnvFromSource
  std::vector<Storage> storage;
  bool operator==(const ServerConfig&) const = default;
};

struct Runtime {
  int replicas = 1;   // never applied while something scales the server
  RawJson resources;  // ResourceRequirements
  bool requests_cpu =
      false;  // derived from `resources`: requests (or limits, which default requests) name cpu
  bool requests_memory = false;
  RawJson pod_template;  // strategic-merge overlay of a PodTemplateSpec: metadata.labels,
                         // metadata.annotations and spec
  bool operator==(const Runtime&) const = default;
};

// What a PodDisruptionBudget grants: exactly one of the two is set. Each is the JSON of a count or
// of a percentage: 1 or "25%".
struct Disruption {
  RawJson max_unavailable;
  RawJson min_available;
  bool operator==(const Disruption&) const = default;
};

// Who may reach the server's pods, and whom they may reach: arrays of NetworkPolicyPeer. Empty
// text: that direction is not restricted; an empty array: only what the product itself needs.
struct Network {
  RawJson ingress_from;
  RawJson egress_to;
  bool operator==(const Network&) const = default;
};

struct Sessions {
  Duration drain_timeout = std::chrono::seconds(30);
  Duration idle_timeout = std::chrono::minutes(30);
  int max_per_replica = 0;  // live ones, at which gateways begin no new one there; 0: any number
  bool operator==(const Sessions&) const = default;
};

enum class Quantile { P50, P95, P99 };

// What calls should not take longer than.
struct LatencyTarget {
  Quantile quantile = Quantile::P95;
  Duration value{0};
  bool operator==(const LatencyTarget&) const = default;
};

// Target values a pod; absent: not scaled on.
struct Targets {
  std::optional<int> cpu_utilization;     // percent of the request
  std::optional<int> memory_utilization;  // percent of the request
  std::optional<std::int64_t> requests_per_second_milli;
  std::optional<std::int64_t> concurrency_milli;    // calls in flight
  std::optional<std::int64_t> sessions_milli = {};  // live sessions
  std::optional<LatencyTarget> latency = {};        // of all pods together
  bool operator==(const Targets&) const = default;
};

// Bursts: above `threshold_percent` of what the replicas are meant for, they follow the load of
// `window` and not that of `stable_window`, and never go down.
struct Panic {
  Duration window = std::chrono::seconds(6);
  Duration stable_window = std::chrono::seconds(60);
  int threshold_percent = 200;
  bool operator==(const Panic&) const = default;
};

// At least `min_replicas` from each `start` on for `duration`, and on the way there from `ramp`
// before.
struct ScheduledMinimum {
  std::string name;
  std::string start;  // cron, in UTC
  Duration duration{0};
  int min_replicas = 1;
  Duration ramp{0};
  bool operator==(const ScheduledMinimum&) const = default;
};

// A load that comes back each `season` is met `lookahead` before it comes.
struct Forecast {
  Duration season = std::chrono::hours(24);
  Duration lookahead = std::chrono::minutes(2);
  bool operator==(const Forecast&) const = default;
};

enum class MissingAction { Hold, LastKnownGood, Fail };

// What to do while the metric of a target is missing or old.
struct MissingData {
  std::string target;  // the name of a field of spec.autoscaling.targets
  MissingAction action = MissingAction::Hold;
  Duration max_age = std::chrono::minutes(5);  // LastKnownGood: of the last value
  bool operator==(const MissingData&) const = default;
};

enum class Operator { Greater, Less, GreaterOrEqual, LessOrEqual };
enum class Action { ScaleUp, ScaleDown };

// How many replicas a rule moves: exactly one of the two is set.
struct Amount {
  std::optional<int> pods;
  std::optional<int> percent;  // ScaleUp: of the observed replicas, ScaleDown: of the floor;
                               // rounded up, so at least one pod
  bool operator==(const Amount&) const = default;
};

// A rule of the AutoScaler: over `window` the average of `metric` is held against `threshold`.
struct Rule {
  std::string name;
  std::string metric;  // one of kRuleMetrics in fleet/decode.h
  std::string tool;    // empty: all requests
  Operator op = Operator::Greater;
  double threshold = 0;
  Action action = Action::ScaleUp;
  Amount amount;
  Duration window = std::chrono::seconds(300);
  Duration cooldown = std::chrono::seconds(300);
  bool operator==(const Rule&) const = default;
};

enum class ScalingMode { Active, DryRun, Paused };
enum class Actuator { Hpa, Operator };

struct Autoscaling {
  ScalingMode mode = ScalingMode::Active;
  Actuator actuator = Actuator::Hpa;
  int min_replicas = 3;
  int max_replicas = 50;
  Targets targets;
  std::optional<Panic> panic;  // absent: as the actuator has it, see recommends()
  std::vector<ScheduledMinimum> schedule;
  std::optional<Forecast> forecast;
  std::vector<MissingData> missing_data;  // of targets not named: Hold
  std::vector<Rule> rules;
  RawJson behavior;  // HorizontalPodAutoscalerBehavior; never empty after decoding (the default is
                     // filled in)
  bool operator==(const Autoscaling&) const = default;
};

// Something of ours decides about replicas besides the targets that a HorizontalPodAutoscaler
// tracks by itself: there is a recommendation to serve to it.
bool recommends(const Autoscaling& autoscaling);

// A HorizontalPodAutoscaler shall write the replicas.
bool wants_hpa(const Autoscaling& autoscaling);

// Something of ours is to be decided once a second: a recommendation, or the replicas themselves.
bool decides(const Autoscaling& autoscaling);

struct MCPServer {
  std::string name;
  std::string namespace_;
  std::string uid;
  std::int64_t generation = 0;
  std::string resource_version;
  bool deleting = false;
  Labels labels;  // of the metadata; gateways select by them

  // Set where spec.source.type is WorkloadRef. Then only `autoscaling` has an effect, and decode()
  // refuses what else was set.
  std::optional<WorkloadRef> workload_ref;
  ContainerImage image;  // `ref` is empty with a workload_ref
  Transport transport;
  ServerConfig config;
  Runtime runtime;
  Sessions sessions;
  std::optional<Disruption> disruption;
  std::optional<Network> network;
  ProxyOverride proxy;
  std::optional<Autoscaling> autoscaling;

  Status status;  // as last seen, for comparing and for what must survive a restart
  bool operator==(const MCPServer&) const = default;
};

// "namespace/name", the key of a server everywhere.
std::string key(const MCPServer& server);

}  // namespace mcpfleet::fleet
