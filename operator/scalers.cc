#include "operator/scalers.h"

#include <algorithm>

namespace mcpfleet::op {

void Scalers::evaluate(Entry& entry, const fleet::MCPServer& server, int observed_replicas,
                       WallTime now) {
  entry.generation = server.generation;
  entry.last = entry.scaler.evaluate(*server.autoscaling, observed_replicas, now);
  if (!entry.last.decision) return;
  const auto& outcomes = entry.last.outcomes;
  const auto found = std::find_if(outcomes.begin(), outcomes.end(), [&](const auto& outcome) {
    return outcome.rule == entry.last.decision->rule;
  });
  entry.cause = found == outcomes.end() ? std::nullopt : std::optional(*found);
}

Scalers::Entry& Scalers::entry_of(const fleet::MCPServer& server, int observed_replicas,
                                  WallTime now) {
  auto& entry = entries_[fleet::key(server)];
  if (entry.uid != server.uid) {
    entry = Entry{};
    entry.uid = server.uid;
    entry.scaler = scaling::AutoScaler(server.status.scaling.value_or(fleet::ScalingStatus{}));
    evaluate(entry, server, observed_replicas, now);
  } else if (entry.generation != server.generation) {
    evaluate(entry, server, observed_replicas, now);
  }
  return entry;
}

RulesView Scalers::view(const fleet::MCPServer& server, int observed_replicas, WallTime now) {
  std::lock_guard lock(mutex_);
  const Entry& entry = entry_of(server, observed_replicas, now);
  return {entry.scaler.status(), entry.last.readings, entry.last.problems, entry.last.limited,
          entry.cause};
}

bool Scalers::tick(const fleet::MCPServer& server, const std::vector<Measured>& measured,
                   int observed_replicas, WallTime now) {
  std::lock_guard lock(mutex_);
  Entry& entry = entry_of(server, observed_replicas, now);
  const auto status = entry.scaler.status();
  const auto problems = entry.last.problems;
  for (const auto& reading : measured) {
    entry.scaler.record(*server.autoscaling, reading.metric, reading.tool, reading.sample, now);
  }
  evaluate(entry, server, observed_replicas, now);
  return entry.scaler.status() != status || entry.last.problems.empty() != problems.empty();
}

void Scalers::forget(const std::string& key) {
  std::lock_guard lock(mutex_);
  entries_.erase(key);
}

}  // namespace mcpfleet::op
