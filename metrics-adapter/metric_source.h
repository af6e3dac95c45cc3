// The values behind the metrics API: pods and MCPServers by name, metric and selector.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "metrics-adapter/demand.h"
#include "metrics-adapter/pod_stage.h"
#include "metrics-adapter/prometheus/inquiry.h"
#include "metrics-adapter/request_path.h"
#include "metrics-adapter/roster.h"
#include "metrics/answer.h"
#include "metrics/label_selector.h"

namespace mcpfleet::adapter {

inline constexpr std::string_view kPodsResource = "pods";
inline constexpr std::string_view kServersResource = "mcpservers.mcpfleet.dev";
// A Namespace's own: the value over all pods of its MCPServers.
inline constexpr std::string_view kNamespacesResource = "namespaces";
inline constexpr std::array<std::string_view, 2> kResources{kPodsResource, kServersResource};
inline constexpr std::string_view kRecommendedReplicas = "mcp_recommended_replicas";
// The shortest time that may be asked for instead of the adapter's own window.
inline constexpr Duration kLeastWindow = std::chrono::seconds(2);

struct MetricQuery {
  MetricPath path;
  metrics::LabelSelector labels;         // of the objects
  metrics::LabelSelector metric_labels;  // of the series; those of mcp_… have method and tool
  std::string metric_labels_text;        // as received
  std::string labels_text;               // as received
  std::optional<Duration> window;        // instead of the adapter's own
};

// A metric of MCPServers by the selector of an external metric: key `server` is an MCPServer's
// name, `method` and `tool` are those of the series.
struct ExternalQuery {
  ExternalPath path;
  metrics::LabelSelector labels;
  std::string labels_text;  // as received
};

struct MetricItem {
  std::string_view name;  // into `keep` of the answer
  metrics::Value value;
};

struct MetricAnswer {
  std::shared_ptr<const Snapshot> keep;
  std::vector<MetricItem> items;
};

// What one pod adds to a value.
struct PodInput {
  std::shared_ptr<const PodTarget> target;
  std::shared_ptr<const PodHealth> health;
  std::shared_ptr<const metrics::PodView> view;  // that is reckoned with; null: none
  bool outdated = false;                         // of an older rollout
  bool counted = false;                          // it is in the value of its MCPServer
  Result<metrics::Value> value;                  // its own
};

struct Explanation {
  Result<MetricAnswer> answer;
  std::vector<PodInput> pods;
  metrics::Terms terms;
  std::optional<promql::Inquiry> prometheus;  // where the answer is from there
};

// An MCPServer of an external metric.
struct ServerInput {
  std::shared_ptr<const ServerRecord> server;
  Result<metrics::Value> value;
  std::vector<PodInput> pods;
};

struct ExternalExplanation {
  Result<MetricAnswer> answer;
  std::vector<ServerInput> servers;  // that are selected
  metrics::Terms terms;
};

// Whether the recommendations in the MCPServers' status are those of an operator that is alive; an
// error says why not. Any thread.
using Liveness = std::function<Result<void>(MonotonicTime now)>;

struct SourceTerms {
  metrics::Terms terms;
  // Metrics whose last value holds for longer than terms.max_age, by name: up to this age.
  std::map<std::string, Duration, std::less<>> hold;
};

// Answers from memory alone, without waiting for anything. A metric of pods that has none of our
// own names is asked for in `demand`, and has a value as soon as its series were scraped twice.
// Thread safety: any thread.
class MetricSource {
 public:
  MetricSource(const Roster& roster, Demand& demand, SourceTerms terms,
               Liveness operator_lives = nullptr)
      : roster_(roster),
        demand_(demand),
        terms_(std::move(terms)),
        operator_lives_(std::move(operator_lives)) {}

  // A name gives exactly one item or an error that explains. "*" gives those that have a value; for
  // pods, none at all is an error with the first one's reason, since an HPA shows its user that
  // text, and would else say only that no metrics were returned. Errors: NotFound, Invalid,
  // Unavailable (just started).
  Result<MetricAnswer> query(const MetricQuery& query, metrics::Instant now) const;
  // The same, and what it is made of. For one object by its name.
  Explanation explain(const MetricQuery& query, metrics::Instant now) const;
  // An item for each MCPServer of the namespace that is selected and has a value; none at all is an
  // error with the first one's reason. Errors as above.
  Result<MetricAnswer> external(const ExternalQuery& query, metrics::Instant now) const;
  // The same, and what it is made of.
  ExternalExplanation explain_external(const ExternalQuery& query, metrics::Instant now) const;

 private:
  metrics::Terms terms_of(const MetricQuery& query) const;
  using PodValue = std::function<Result<metrics::Value>(const metrics::PodState& pod)>;

  Result<void> check_window(const MetricQuery& query) const;
  // What each of some pods adds. Nothing where the query itself is wrong.
  std::vector<PodInput> inputs_of(std::span<const PodEntry* const> pods, const Rollouts& rollouts,
                                  const MetricQuery& query, metrics::Instant now) const;
  PodInput input_of(const PodEntry& entry, const Rollouts& rollouts, const MetricQuery& query,
                    const PodValue& value_of, metrics::Instant now) const;

  Result<MetricAnswer> pods(const MetricQuery& query, metrics::Instant now) const;
  Result<MetricAnswer> other_metric(const MetricQuery& query, metrics::Instant now) const;
  Result<PodValue> value_of_pod(const MetricQuery& query, metrics::Instant now) const;
  Result<MetricAnswer> of_namespace(const MetricQuery& query, metrics::Instant now) const;
  Result<void> alive_for(const MetricQuery& query, metrics::Instant now) const;
  Result<MetricAnswer> servers(const MetricQuery& query, metrics::Instant now) const;
  Result<std::optional<Error>> add_servers(const NamespaceView& space, const MetricQuery& query,
                                           metrics::Instant now,
                                           const std::function<bool(const ServerRecord&)>& selected,
                                           std::vector<MetricItem>& items) const;
  Result<metrics::Value> server(const NamespaceView& space, const ServerRecord& record,
                                const MetricQuery& query, metrics::Instant now) const;

  const Roster& roster_;
  Demand& demand_;
  const SourceTerms terms_;
  const Liveness operator_lives_;  // null: not asked
};

// A pod as the calculations want it; its views live as long as `entry` and `health`.
metrics::PodState state_of(const PodEntry& entry, const PodHealth& health);

// The same with what keeps it valid beside the entry. `window`: over this time before the last
// scrape instead of all that is kept.
struct KeptState {
  std::shared_ptr<const PodHealth> health;
  std::shared_ptr<const metrics::PodView> shorter;  // over `window`; null: there is none
  metrics::PodState state;
};
KeptState kept_state_of(const PodEntry& entry, std::optional<Duration> window);

// Those of several pods, and what keeps them valid beside the entries. A plain value.
struct PodStates {
  std::vector<std::shared_ptr<const PodHealth>> healths;
  std::vector<std::shared_ptr<const metrics::PodView>> shorter;
  std::vector<metrics::PodState> of_pods;

  void add(const std::vector<PodEntry>& pods, std::optional<Duration> window = std::nullopt);
};
// The error for people that there is no value, and why: the words of custom-metrics-apiserver, then
// `error`'s. Another kind than NotFound is passed on as it is.
std::unexpected<Error> no_value(const MetricQuery& query, const Error& error);

// Names of all metrics of a resource in an API group, for discovery; empty for an unknown resource.
// Our own group has those that are for recommenders, too.
std::vector<std::string_view> metrics_of(std::string_view group, std::string_view resource);

}  // namespace mcpfleet::adapter
