#include "operator/gatherer.h"

#include <utility>

#include "log/log.h"
#include "scaling/explain.h"
#include "scaling/series.h"

namespace mcpfleet::op {
namespace {

using scaling::Measurement;
using scaling::Signal;
using std::chrono::seconds;

constexpr const char* kRate = "mcp_requests_per_second";
// The Scaler forms its own windows of it.
constexpr seconds kRateWindow{3};
// How often a server without a value is asked why.
constexpr seconds kExplainInterval{10};
// metrics-server knows something new every 15 s.
constexpr seconds kUsageInterval{5};

bool needs_calls(const std::string& metric) {
  return metric.starts_with("mcp_request_duration_seconds") || metric == "mcp_error_ratio";
}

std::string metric_of(const fleet::MCPServer& server, Signal signal) {
  if (signal != Signal::Latency) return scaling::metric_name(signal);
  const auto& latency = server.autoscaling->targets.latency;
  const auto quantile = latency ? latency->quantile : fleet::Quantile::P95;
  const char* suffix = quantile == fleet::Quantile::P50   ? "_p50"
                       : quantile == fleet::Quantile::P99 ? "_p99"
                                                          : "_p95";
  return scaling::metric_name(signal) + std::string(suffix);
}

}  // namespace

scaling::Sample absent_sample(const std::string& metric, bool calls_are_counted, std::string why) {
  if (needs_calls(metric) && calls_are_counted) return scaling::Sample::idle();
  return scaling::Sample::missing(std::move(why));
}

std::array<bool, scaling::kSignals> needed_signals(const fleet::MCPServer& server) {
  const auto& autoscaling = *server.autoscaling;
  const auto& targets = autoscaling.targets;
  // An HPA tracks targets by itself.
  const bool alone = !fleet::wants_hpa(autoscaling);
  const bool loads = alone || autoscaling.panic || autoscaling.forecast;
  std::array<bool, scaling::kSignals> needed{};
  const auto need = [&needed](Signal signal, bool is) { needed[scaling::index(signal)] = is; };
  need(Signal::RequestsPerSecond, (loads && targets.requests_per_second_milli) || targets.latency);
  need(Signal::Concurrency, (loads && targets.concurrency_milli) || targets.latency);
  need(Signal::Sessions, loads && targets.sessions_milli);
  need(Signal::Latency, targets.latency.has_value());
  need(Signal::CpuUtilization, alone && targets.cpu_utilization);
  need(Signal::MemoryUtilization, alone && targets.memory_utilization);
  return needed;
}

void Gatherer::begin_round(const std::vector<std::shared_ptr<const ServerEntry>>& servers) {
  answers_.clear();
  std::set<std::string> keys;
  for (const auto& server : servers) keys.insert(fleet::key(server->server));
  std::erase_if(last_read_, [&](const auto& e) { return !keys.contains(std::get<0>(e.first)); });
  std::erase_if(explained_, [&](const auto& e) { return !keys.contains(std::get<0>(e.first)); });
}

const Result<MetricValues>& Gatherer::read(const MetricQuery& query) {
  const auto known = answers_.find(query);
  if (known != answers_.end()) return known->second;
  auto values = reader_.read_all(query);
  tell_change(query.namespace_ + " " + query.metric, values.has_value(),
              values ? "" : values.error().message);
  return answers_.emplace(query, std::move(values)).first->second;
}

// Once when something begins to fail, once when it is well again.
void Gatherer::tell_change(const std::string& what, bool well, const std::string& error) {
  if (well == !failing_.contains(what)) return;
  if (well) {
    failing_.erase(what);
    log::info("metrics can be read again", {{"metrics", what}});
  } else {
    failing_.insert(what);
    log::warn("metrics cannot be read", {{"metrics", what}, {"error", error}});
  }
}

std::optional<std::vector<PastMinute>> Gatherer::past(const fleet::MCPServer& server,
                                                      Signal signal) {
  const MetricQuery query{server.namespace_, metric_of(server, signal), "", {}};
  auto minutes = reader_.past(server.name, query);
  if (minutes) return std::move(*minutes);
  if (minutes.error().kind == ErrorKind::NotFound) return std::vector<PastMinute>{};
  log::debug("the past cannot be read", {{"server", fleet::key(server)},
                                         {"metric", query.metric},
                                         {"error", minutes.error().message}});
  return std::nullopt;
}

Tick Gatherer::gather(const fleet::MCPServer& server, WallTime now) {
  Tick tick;
  const std::string key = fleet::key(server);
  std::set<std::tuple<std::string, std::string>> seen;
  for (const auto& rule : server.autoscaling->rules) {
    auto& last = last_read_[{key, rule.name}];
    if (!scaling::due(rule, last, now) || !seen.insert({rule.metric, rule.tool}).second) continue;
    last = now;
    tick.measured.push_back({rule.metric, rule.tool, sample(server, rule)});
  }
  const auto needed = needed_signals(server);
  for (std::size_t i = 0; i < needed.size(); ++i) {
    const auto signal = static_cast<Signal>(i);
    if (needed[i]) tick.facts[signal] = measure(server, signal, tick);
  }
  return tick;
}

scaling::Sample Gatherer::sample(const fleet::MCPServer& server, const fleet::Rule& rule) {
  const MetricQuery query{server.namespace_, rule.metric, rule.tool, {}};
  const auto& values = read(query);
  if (!values) return scaling::Sample::missing(values.error().message);
  if (const auto found = values->find(server.name); found != values->end())
    return scaling::Sample::of(found->second.value);
  const bool counted = needs_calls(rule.metric) && calls_are_counted(server, rule.tool);
  return absent_sample(rule.metric, counted, counted ? "" : explain(server, query));
}

bool Gatherer::calls_are_counted(const fleet::MCPServer& server, const std::string& tool) {
  const auto& rates = read({server.namespace_, kRate, tool, {}});
  return rates && rates->contains(server.name);
}

std::string Gatherer::explain(const fleet::MCPServer& server, const MetricQuery& query) {
  auto& known = explained_[{fleet::key(server), query.metric, query.tool}];
  if (known.text.empty() || clock_.monotonic() >= known.until) {
    known.text = reader_.explain(server.name, query);
    if (known.text.empty()) known.text = "the metrics API has no value for " + query.metric;
    known.until = clock_.monotonic() + kExplainInterval;
  }
  return known.text;
}

Measurement Gatherer::measure(const fleet::MCPServer& server, Signal signal, Tick& tick) {
  if (signal == Signal::CpuUtilization || signal == Signal::MemoryUtilization)
    return measure_usage(server, signal, tick);
  MetricQuery query{server.namespace_, metric_of(server, signal), "", {}};
  if (signal == Signal::RequestsPerSecond) query.window = kRateWindow;
  const auto& values = read(query);
  if (!values) {
    tick.why_missing = values.error().message;
    return Measurement::missing();
  }
  if (const auto found = values->find(server.name); found != values->end())
    return Measurement::of(found->second.value, found->second.at, 0, found->second.over);
  if (needs_calls(query.metric) && calls_are_counted(server, ""))
    return Measurement::idle(clock_.wall());
  tick.why_missing = explain(server, query);
  return Measurement::missing();
}

const Result<PodUsages>& Gatherer::usages(const std::string& namespace_) {
  auto known = usages_.find(namespace_);
  if (known != usages_.end() && clock_.monotonic() < known->second.until)
    return known->second.of_pods;
  auto read = read_pod_usages(client_, namespace_);
  tell_change(namespace_ + " CPU and memory", read.has_value(), read ? "" : read.error().message);
  return usages_
      .insert_or_assign(namespace_, Usages{std::move(read), clock_.monotonic() + kUsageInterval})
      .first->second.of_pods;
}

Measurement Gatherer::measure_usage(const fleet::MCPServer& server, Signal signal, Tick& tick) {
  if (server.workload_ref)
    return Measurement::missing("the operator measures it only of its own pods");
  const bool cpu = signal == Signal::CpuUtilization;
  const auto requests = requests_of(server.runtime);
  const auto request = cpu ? requests.cpu_milli : requests.memory_milli;
  if (!request) return Measurement::missing("spec.runtime.resources requests none");
  const auto& known = usages(server.namespace_);
  if (!known) {
    tick.why_missing = known.error().message;
    return Measurement::missing();
  }
  const auto used = utilization(*known, world_.pods.of(fleet::key(server)),
                                cpu ? &PodUsage::cpu_milli : &PodUsage::memory_milli, *request);
  if (!used) return Measurement::missing("metrics-server knows none of its ready pods yet");
  return Measurement::of(used->percent, used->at);
}

}  // namespace mcpfleet::op
