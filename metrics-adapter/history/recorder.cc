#include "metrics-adapter/history/recorder.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "metrics-adapter/metric_source.h"

namespace mcpfleet::adapter {
namespace {

using metrics::HistoryKey;
using metrics::kMetricCount;
using metrics::Metric;
using metrics::Reading;

constexpr std::size_t kBetweenPauses = 50;  // objects: less than a millisecond

HistoryKey key_of(const ServerRecord& server) {
  return {std::string(kServersResource), server.namespace_, server.name, "", ""};
}

// What value_of(query) gives for each metric.
template <typename ValueOf>
Reading read_all(metrics::Query query, const ValueOf& value_of) {
  Reading reading;
  for (std::size_t i = 0; i < kMetricCount; ++i) {
    query.metric = static_cast<Metric>(i);
    if (const auto value = value_of(query)) reading[i] = static_cast<double>(value->milli) / 1000;
  }
  return reading;
}

// The methods and tools that were called in the window.
std::set<std::pair<std::string_view, std::string_view>> called_kinds(
    std::span<const metrics::PodState> states) {
  std::set<std::pair<std::string_view, std::string_view>> kinds;
  for (const auto& state : states)
    if (state.view != nullptr)
      for (const auto& kind : state.view->kinds)
        if (kind.by.requests > 0) kinds.emplace(kind.method, kind.tool);
  return kinds;
}

bool is_new(std::optional<std::int64_t>& last, WallTime now, Duration step) {
  const auto number = now.time_since_epoch() / step;
  return std::exchange(last, number) != number;
}

}  // namespace

void Recorder::record(metrics::Instant now) {
  const auto snapshot = roster_.snapshot();
  if (!snapshot->complete || !is_new(step_, now.wall, book_.limits().whole.step)) return;
  now_ = now;
  want_new(snapshot);
  const bool coarse = is_new(coarse_step_, now.wall, book_.limits().detail.step);
  for (const auto& [name, space] : snapshot->namespaces)
    if (!record_space(space, details_ && coarse)) return;
  if (is_new(minute_, now.wall, std::chrono::minutes(1))) book_.tidy(now.wall);
}

// A server that went and came back is asked for again: its past may be longer by then.
void Recorder::want_new(std::shared_ptr<const Snapshot> snapshot) {
  if (snapshot == seen_) return;
  std::set<HistoryKey> known;
  for (const auto& [name, space] : snapshot->namespaces)
    for (const auto& [server, record] : space.servers) {
      auto key = key_of(*record);
      if (!known_.contains(key)) book_.want(key);
      known.insert(std::move(key));
    }
  known_ = std::move(known);
  seen_ = std::move(snapshot);
}

// False: it was broken off.
bool Recorder::record_space(const NamespaceView& space, bool details) {
  for (const auto& [name, server] : space.servers) {
    record_server(*server, space, details);
    if (!goes_on()) return false;
  }
  if (!details) return true;
  for (const auto& entry : space.pods) {
    record_pod(entry);
    if (!goes_on()) return false;
  }
  return true;
}

// After each object.
bool Recorder::goes_on() {
  if (!pause_ || ++since_pause_ < kBetweenPauses) return true;
  since_pause_ = 0;
  return pause_();
}

void Recorder::record_server(const ServerRecord& server, const NamespaceView& space, bool details) {
  const auto pods = space.pods_of.find(server.name);
  if (pods == space.pods_of.end()) return;
  PodStates states;
  states.add(pods->second);
  const auto key = key_of(server);
  book_.record(key, now_.wall, read_all({}, [&](const metrics::Query& query) {
                 return metrics::server_value(server.name, states.of_pods, query, terms_, now_);
               }));
  if (details) record_tools(key, states.of_pods);
}

void Recorder::record_tools(const HistoryKey& server, std::span<const metrics::PodState> states) {
  for (const auto& [method, tool] : called_kinds(states)) {
    HistoryKey key = server;
    key.method = method;
    key.tool = tool;
    metrics::Query query;
    query.only = [method, tool](std::string_view its_method, std::string_view its_tool) {
      return its_method == method && its_tool == tool;
    };
    book_.record(key, now_.wall, read_all(query, [&](const metrics::Query& asked) {
                   return metrics::server_value(server.name, states, asked, terms_, now_);
                 }));
  }
}

void Recorder::record_pod(const PodEntry& entry) {
  const auto& target = *entry.target;
  if (target.finished) return;
  const auto health = entry.record->health.load();
  const auto state = state_of(entry, *health);
  book_.record({std::string(kPodsResource), target.namespace_, target.name, "", ""}, now_.wall,
               read_all({}, [&](const metrics::Query& query) {
                 return metrics::pod_value(state, query, terms_, now_);
               }));
}

}  // namespace mcpfleet::adapter
