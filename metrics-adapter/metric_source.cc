#include "metrics-adapter/metric_source.h"

#include <algorithm>
#include <utility>

#include "base/time_text.h"
#include "metrics/series_answer.h"

namespace mcpfleet::adapter {
namespace {

using metrics::Instant;
using metrics::Value;

constexpr std::string_view kServerKey = "server";
const std::initializer_list<std::string_view> kSeriesKeys{"tool", "method"};

// "the server could not find the metric M for R[ NAME][ with selector S]", the wording of
// custom-metrics-apiserver's provider/errors.go, then our reason.
std::unexpected<Error> no_value(const MetricQuery& query, const std::string& reason) {
  const auto& path = query.path;
  std::string text =
      "the server could not find the metric " + path.metric + " for " + path.resource;
  if (path.name != "*")
    text += " " + (path.namespace_.empty() ? "" : path.namespace_ + "/") + path.name;
  if (!query.metric_labels.empty()) text += " with selector " + query.metric_labels_text;
  return fail(ErrorKind::NotFound, text + ": " + reason);
}

bool selects(const metrics::LabelSelector& selector, const Labels& labels) {
  if (selector.empty()) return true;
  return selector.matches([&labels](std::string_view key) { return labels.get(key); });
}

Result<metrics::Query> to_metrics_query(const MetricQuery& query, metrics::Metric metric) {
  metrics::Query result{metric, {}, query.metric_labels_text};
  if (query.metric_labels.empty()) return result;
  for (const auto& requirement : query.metric_labels.requirements())
    if (requirement.key != "tool" && requirement.key != "method")
      return fail(ErrorKind::Invalid, "metricLabelSelector: there is no label '" + requirement.key +
                                          "'; the labels are tool and method");
  result.only = [&selector = query.metric_labels](std::string_view method, std::string_view tool) {
    return selector.matches([&](std::string_view key) -> std::optional<std::string_view> {
      return key == "tool" ? tool : method;
    });
  };
  return result;
}

std::string known_metrics(std::string_view group, std::string_view resource) {
  std::string text;
  for (const auto name : metrics_of(group, resource))
    text += (text.empty() ? "" : ", ") + std::string(name);
  return text;
}

Error just_started() {
  return {ErrorKind::Unavailable,
          "the metrics adapter has just started and does not know all pods yet"};
}

// The one MCPServer whose pods a selector means, as every HPA of ours has it; empty: any.
std::string_view only_server(const metrics::LabelSelector& selector) {
  for (const auto& requirement : selector.requirements())
    if (requirement.key == kServerLabel && requirement.values.size() == 1 &&
        requirement.op == metrics::LabelSelector::Operator::In)
      return requirement.values.front();
  return {};
}

// The pods of a namespace that a path's name and the label selector mean.
std::vector<const PodEntry*> select_pods(const NamespaceView& space, const MetricQuery& query) {
  const std::vector<PodEntry>* among = &space.pods;
  const bool any_name = query.path.name == "*";
  if (const auto server = only_server(query.labels); any_name && !server.empty()) {
    const auto found = space.pods_of.find(server);
    if (found == space.pods_of.end()) return {};
    among = &found->second;
  }
  std::vector<const PodEntry*> chosen;
  for (const auto& entry : *among) {
    const bool named = any_name ? !entry.target->finished : entry.target->name == query.path.name;
    if (named && selects(query.labels, entry.target->labels)) chosen.push_back(&entry);
  }
  return chosen;
}

bool selects_server(const metrics::LabelSelector& selector, const ServerRecord& record) {
  return selects(selector, {{kServerKey, record.name}});
}

// What an external metric is of MCPServers.
MetricQuery to_server_query(const ExternalQuery& query) {
  MetricQuery result;
  result.path = {std::string(kExternalGroup),   "v1beta1", query.path.namespace_,
                 std::string(kServersResource), "*",       query.path.metric};
  result.metric_labels = query.labels.of(kSeriesKeys);
  result.metric_labels_text = query.labels_text;
  return result;
}

// Of no pods there are 0: what there is is known, whether it was scraped or not.
Result<Value> count_pods(PodCount count, const NamespaceView& space, const ServerRecord& record,
                         const MetricQuery& query, Instant now) {
  if (!query.metric_labels.empty())
    return fail(ErrorKind::Invalid, query.path.metric + " has no labels to select by");
  std::int64_t counted = 0;
  if (const auto pods = space.pods_of.find(record.name); pods != space.pods_of.end()) {
    const Rollouts rollouts(pods->second);
    counted = std::ranges::count_if(pods->second, [&](const PodEntry& entry) {
      return is_counted(count, *entry.target, rollouts);
    });
  }
  return Value{counted * 1000, now.wall, Duration{0}};
}

}  // namespace

metrics::PodState state_of(const PodEntry& entry, const PodHealth& health) {
  metrics::PodState state;
  state.namespace_ = entry.target->namespace_;
  state.name = entry.target->name;
  state.ready = entry.target->ready;
  state.deleting = entry.target->deleting;
  state.ready_since = entry.target->ready_since;
  state.view = health.view.get();
  state.failure = health.failure;
  state.failing_since = health.failing_since;
  return state;
}

KeptState kept_state_of(const PodEntry& entry, std::optional<Duration> window) {
  KeptState kept{entry.record->health.load(), nullptr, {}};
  kept.state = state_of(entry, *kept.health);
  if (!window || !kept.health->view) return kept;
  std::lock_guard lock(entry.record->window_mutex);
  kept.shorter = std::make_shared<const metrics::PodView>(entry.record->window.view(window));
  kept.state.view = kept.shorter.get();
  return kept;
}

void PodStates::add(const std::vector<PodEntry>& pods, std::optional<Duration> window) {
  for (const auto& entry : pods) {
    auto kept = kept_state_of(entry, window);
    healths.push_back(std::move(kept.health));
    if (kept.shorter) shorter.push_back(std::move(kept.shorter));
    of_pods.push_back(kept.state);
  }
}

std::unexpected<Error> no_value(const MetricQuery& query, const Error& error) {
  if (error.kind != ErrorKind::NotFound) return fail(error);
  return no_value(query, error.message);
}

std::vector<std::string_view> metrics_of(std::string_view group, std::string_view resource) {
  if (resource != kPodsResource && resource != kServersResource && resource != kNamespacesResource)
    return {};
  const auto names = metrics::metric_names();
  std::vector<std::string_view> all(names.begin(), names.end());
  if (resource != kServersResource) return all;
  all.push_back(kRecommendedReplicas);
  const auto counts = pod_count_names();
  if (group == kOwnGroup) all.insert(all.end(), counts.begin(), counts.end());
  return all;
}

Result<MetricAnswer> MetricSource::query(const MetricQuery& query, Instant now) const {
  const auto& path = query.path;
  const auto known = metrics_of(path.group, path.resource);
  const bool whole = path.resource == kNamespacesResource;
  if (known.empty() || path.namespace_.empty() != whole)
    return no_value(
        query,
        "metrics are served for namespaces, and for pods and mcpservers.mcpfleet.dev in a "
        "namespace");
  const bool ours = std::ranges::find(known, path.metric) != known.end();
  if (!ours && (path.resource != kPodsResource || path.metric == kRecommendedReplicas))
    return no_value(query, "the metrics of " + path.resource + " are " +
                               known_metrics(path.group, path.resource));
  if (auto checked = check_window(query); !checked) return fail(checked.error());
  if (!roster_.snapshot()->complete) return fail(just_started());
  if (!ours) return other_metric(query, now);
  if (whole) return of_namespace(query, now);
  return path.resource == kPodsResource ? pods(query, now) : servers(query, now);
}

// A metric of any name that the pods may expose.
Result<MetricAnswer> MetricSource::other_metric(const MetricQuery& query, Instant now) const {
  const auto known = demand_.ask(query.path.namespace_, query.path.metric, now.monotonic);
  if (!known) return no_value(query, known.error().message);
  auto answer = pods(query, now);
  if (answer) return answer;
  auto error = answer.error();
  if (query.path.metric.starts_with("mcp_"))
    error.message +=
        "; those of an MCP server are " + known_metrics(query.path.group, query.path.resource);
  if (!*known)
    error.message +=
        " (its series are kept only while somebody asks for them, which is so since just now)";
  return fail(std::move(error));
}

metrics::Terms MetricSource::terms_of(const MetricQuery& query) const {
  auto terms = terms_.terms;
  if (const auto hold = terms_.hold.find(query.path.metric); hold != terms_.hold.end())
    terms.hold = hold->second;
  terms.window = query.window.value_or(terms.window);
  return terms;
}

// What is of now is the same by whatever window.
Result<void> MetricSource::check_window(const MetricQuery& query) const {
  if (!query.window) return {};
  const auto longest = terms_.terms.window;
  if (*query.window < kLeastWindow || *query.window > longest)
    return fail(ErrorKind::Invalid, "window: must be from " + format_duration(kLeastWindow) +
                                        " to the adapter's own, " + format_duration(longest) +
                                        ", not " + format_duration(*query.window));
  const auto known = metrics_of(query.path.group, query.path.resource);
  if (std::ranges::find(known, query.path.metric) != known.end()) return {};
  return fail(ErrorKind::Invalid,
              "window: only the metrics of MCP servers have another than the "
              "adapter's own, which " +
                  query.path.metric + " is none of");
}

Explanation MetricSource::explain(const MetricQuery& query, Instant now) const {
  Explanation result{this->query(query, now), {}, terms_of(query), {}};
  const bool of_pods = query.path.resource == kPodsResource;
  const auto known = metrics_of(query.path.group, query.path.resource);
  if (!of_pods && std::ranges::find(known, query.path.metric) == known.end()) return result;
  if (query.path.metric == kRecommendedReplicas || !check_window(query)) return result;
  const auto snapshot = roster_.snapshot();
  const bool whole = query.path.resource == kNamespacesResource;
  const auto found = snapshot->namespaces.find(whole ? query.path.name : query.path.namespace_);
  if (found == snapshot->namespaces.end()) return result;
  const auto& space = found->second;
  std::vector<const PodEntry*> pods;
  const auto add = [&pods](const auto& of_server) {
    for (const auto& entry : of_server->second) pods.push_back(&entry);
  };
  if (of_pods) {
    pods = select_pods(space, query);
  } else if (whole) {
    for (auto each = space.pods_of.begin(); each != space.pods_of.end(); ++each) add(each);
  } else if (const auto of_server = space.pods_of.find(query.path.name);
             of_server != space.pods_of.end()) {
    add(of_server);
  }
  result.pods = inputs_of(pods, Rollouts(space.pods), query, now);
  return result;
}

std::vector<PodInput> MetricSource::inputs_of(std::span<const PodEntry* const> pods,
                                              const Rollouts& rollouts, const MetricQuery& query,
                                              Instant now) const {
  std::vector<PodInput> inputs;
  const auto value_of = value_of_pod(query, now);
  if (!value_of) return inputs;
  for (const auto* entry : pods)
    inputs.push_back(input_of(*entry, rollouts, query, *value_of, now));
  return inputs;
}

PodInput MetricSource::input_of(const PodEntry& entry, const Rollouts& rollouts,
                                const MetricQuery& query, const PodValue& value_of,
                                Instant now) const {
  auto kept = kept_state_of(entry, query.window);
  const auto& pod = *entry.target;
  PodInput input{entry.target,
                 kept.health,
                 kept.shorter ? kept.shorter : kept.health->view,
                 rollouts.is_outdated(pod),
                 false,
                 value_of(kept.state)};
  if (const auto count = parse_pod_count(query.path.metric)) {
    input.counted = is_counted(*count, pod, rollouts);
    input.value = Value{input.counted ? 1000 : 0, now.wall, Duration{0}};
  } else if (const auto metric = metrics::parse_metric(query.path.metric)) {
    input.counted = !pod.finished && metrics::is_counted(kept.state, *metric, terms_of(query), now);
  } else {
    input.counted = input.value.has_value();
  }
  return input;
}

Result<MetricAnswer> MetricSource::external(const ExternalQuery& query, Instant now) const {
  const auto of_servers = to_server_query(query);
  const auto of_object = query.labels.without(kSeriesKeys);
  for (const auto& requirement : of_object.requirements())
    if (requirement.key != kServerKey)
      return fail(ErrorKind::Invalid, "labelSelector: there is no label '" + requirement.key +
                                          "'; the labels are server, tool and method");
  const auto known = metrics_of(kExternalGroup, kServersResource);
  if (std::ranges::find(known, query.path.metric) == known.end())
    return no_value(of_servers,
                    "the metrics are " + known_metrics(kExternalGroup, kServersResource));
  if (!roster_.snapshot()->complete) return fail(just_started());
  if (auto lives = alive_for(of_servers, now); !lives) return fail(lives.error());
  MetricAnswer answer{roster_.snapshot(), {}};
  std::optional<Error> first;
  if (const auto space = answer.keep->namespaces.find(query.path.namespace_);
      space != answer.keep->namespaces.end()) {
    auto added = add_servers(
        space->second, of_servers, now,
        [&of_object](const ServerRecord& record) { return selects_server(of_object, record); },
        answer.items);
    if (!added) return fail(added.error());
    first = std::move(*added);
  }
  if (answer.items.empty())
    return no_value(
        of_servers,
        first ? first->message : "no MCPServer is selected in namespace " + query.path.namespace_);
  return answer;
}

ExternalExplanation MetricSource::explain_external(const ExternalQuery& query, Instant now) const {
  const auto of_servers = to_server_query(query);
  ExternalExplanation result{external(query, now), {}, terms_of(of_servers)};
  const auto snapshot = roster_.snapshot();
  const auto found = snapshot->namespaces.find(query.path.namespace_);
  const auto known = metrics_of(kExternalGroup, kServersResource);
  if (found == snapshot->namespaces.end() ||
      std::ranges::find(known, query.path.metric) == known.end())
    return result;
  if (!alive_for(of_servers, now)) return result;
  const auto& space = found->second;
  const auto of_object = query.labels.without(kSeriesKeys);
  const Rollouts rollouts(space.pods);
  for (const auto& [name, record] : space.servers) {
    if (!selects_server(of_object, *record)) continue;
    ServerInput input{record, server(space, *record, of_servers, now), {}};
    std::vector<const PodEntry*> pods;
    if (const auto of_server = space.pods_of.find(name); of_server != space.pods_of.end())
      for (const auto& entry : of_server->second) pods.push_back(&entry);
    if (query.path.metric != kRecommendedReplicas)
      input.pods = inputs_of(pods, rollouts, of_servers, now);
    result.servers.push_back(std::move(input));
  }
  return result;
}

Result<MetricSource::PodValue> MetricSource::value_of_pod(const MetricQuery& query,
                                                          Instant now) const {
  const auto terms = terms_of(query);
  if (const auto metric = metrics::parse_metric(query.path.metric)) {
    auto asked = to_metrics_query(query, *metric);
    if (!asked) return fail(asked.error());
    return [asked = std::move(*asked), terms, now](const metrics::PodState& pod) {
      return metrics::pod_value(pod, asked, terms, now);
    };
  }
  return [&query, terms, now](const metrics::PodState& pod) {
    return metrics::pod_series_value(
        pod, {query.path.metric, query.metric_labels, query.metric_labels_text}, terms, now);
  };
}

Result<MetricAnswer> MetricSource::pods(const MetricQuery& query, Instant now) const {
  const auto value_of = value_of_pod(query, now);
  if (!value_of) return fail(value_of.error());
  MetricAnswer answer{roster_.snapshot(), {}};
  const auto space = answer.keep->namespaces.find(query.path.namespace_);
  std::vector<const PodEntry*> chosen;
  if (space != answer.keep->namespaces.end()) chosen = select_pods(space->second, query);
  if (chosen.empty())
    return no_value(query,
                    query.path.name == "*"
                        ? "no pod that is scraped is selected in namespace " + query.path.namespace_
                        : "there is no such pod that is scraped");
  std::optional<Error> first;
  answer.items.reserve(chosen.size());
  for (const auto* entry : chosen) {
    auto value = (*value_of)(kept_state_of(*entry, query.window).state);
    if (value) {
      answer.items.push_back({entry->target->name, *value});
    } else if (!first) {
      first = value.error();
    }
  }
  if (answer.items.empty()) return no_value(query, *first);
  return answer;
}

// A floor that nobody looks after would hold for ever.
Result<void> MetricSource::alive_for(const MetricQuery& query, Instant now) const {
  if (!operator_lives_ || query.path.metric != kRecommendedReplicas) return {};
  if (auto lives = operator_lives_(now.monotonic); !lives) return no_value(query, lives.error());
  return {};
}

Result<MetricAnswer> MetricSource::servers(const MetricQuery& query, Instant now) const {
  if (auto lives = alive_for(query, now); !lives) return fail(lives.error());
  MetricAnswer answer{roster_.snapshot(), {}};
  const auto space = answer.keep->namespaces.find(query.path.namespace_);
  if (query.path.name != "*") {
    const bool there =
        space != answer.keep->namespaces.end() && space->second.servers.contains(query.path.name);
    if (!there) return no_value(query, "there is no such MCPServer");
    const auto& record = *space->second.servers.find(query.path.name)->second;
    auto value = server(space->second, record, query, now);
    if (!value) return no_value(query, value.error());
    answer.items.push_back({record.name, *value});
    return answer;
  }
  if (space == answer.keep->namespaces.end()) return answer;
  auto added = add_servers(
      space->second, query, now,
      [&query](const ServerRecord& record) { return selects(query.labels, record.labels); },
      answer.items);
  if (!added) return fail(added.error());
  return answer;
}

// Those with a value; the first reason of one that has none.
Result<std::optional<Error>> MetricSource::add_servers(
    const NamespaceView& space, const MetricQuery& query, Instant now,
    const std::function<bool(const ServerRecord&)>& selected,
    std::vector<MetricItem>& items) const {
  std::optional<Error> first;
  for (const auto& [name, record] : space.servers) {
    if (!selected(*record)) continue;
    auto value = server(space, *record, query, now);
    if (value) {
      items.push_back({record->name, *value});
    } else if (value.error().kind == ErrorKind::Invalid) {
      return fail(value.error());
    } else if (!first) {
      first = std::move(value.error());
    }
  }
  return first;
}

Result<MetricAnswer> MetricSource::of_namespace(const MetricQuery& query, Instant now) const {
  MetricAnswer answer{roster_.snapshot(), {}};
  const auto space = answer.keep->namespaces.find(query.path.name);
  if (space == answer.keep->namespaces.end() || space->second.servers.empty())
    return no_value(query, "there is no MCPServer in it");
  auto asked = to_metrics_query(query, *metrics::parse_metric(query.path.metric));
  if (!asked) return fail(asked.error());
  PodStates states;
  for (const auto& [server, pods] : space->second.pods_of) states.add(pods, query.window);
  auto value = metrics::server_value("namespace " + query.path.name, states.of_pods, *asked,
                                     terms_of(query), now);
  if (!value) return no_value(query, value.error());
  answer.items.push_back({space->first, *value});
  return answer;
}

Result<Value> MetricSource::server(const NamespaceView& space, const ServerRecord& record,
                                   const MetricQuery& query, Instant now) const {
  if (query.path.metric == kRecommendedReplicas) {
    if (!query.metric_labels.empty())
      return fail(ErrorKind::Invalid, "mcp_recommended_replicas has no labels to select by");
    if (!record.recommended_replicas)
      return fail(ErrorKind::NotFound,
                  "it has no recommendation yet (status.scaling.recommendedReplicas is empty): it "
                  "has no rules, or the operator has not evaluated them");
    return Value{*record.recommended_replicas * 1000, now.wall, Duration{0}};
  }
  if (const auto count = parse_pod_count(query.path.metric))
    return count_pods(*count, space, record, query, now);
  auto asked = to_metrics_query(query, *metrics::parse_metric(query.path.metric));
  if (!asked) return fail(asked.error());
  PodStates states;
  if (const auto pods = space.pods_of.find(record.name); pods != space.pods_of.end())
    states.add(pods->second, query.window);
  return metrics::server_value("server " + record.namespace_ + "/" + record.name, states.of_pods,
                               *asked, terms_of(query), now);
}

}  // namespace mcpfleet::adapter
