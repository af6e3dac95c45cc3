// Gathers what deciding looks at: metrics of MCPServers in bulk, once a round, and why one is
// missing.
//
// Thread safety: one thread at a time, which it lets wait for the API server.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "base/clock.h"
#include "operator/metric_reader.h"
#include "operator/pod_usage.h"
#include "operator/scalers.h"
#include "operator/world.h"
#include "scaling/facts.h"

namespace mcpfleet::op {

// A metric of a server that is not in the bulk answer: idle where its calls are counted and there
// is nothing to take a latency or a ratio of, else missing because of `why`. Pure.
scaling::Sample absent_sample(const std::string& metric, bool calls_are_counted, std::string why);

// What deciding needs of a server besides its rules' metrics, by Signal. Pure.
std::array<bool, scaling::kSignals> needed_signals(const fleet::MCPServer& server);

class Gatherer {
 public:
  Gatherer(kube::Client& client, const World& world, const Clock& clock)
      : client_(client), reader_(client), world_(world), clock_(clock) {}

  // What was read in the round before is old; of servers other than these nothing is remembered.
  void begin_round(const std::vector<std::shared_ptr<const ServerEntry>>& servers);

  // Of all servers of a namespace; one request a round.
  const Result<MetricValues>& read(const MetricQuery& query);

  // What is remembered of a load, for the forecast; nothing: it is not to be had now. Empty: there
  // is none.
  std::optional<std::vector<PastMinute>> past(const fleet::MCPServer& server,
                                              scaling::Signal signal);

  // For rules and recommenders. `now`: the time of the round.
  Tick gather(const fleet::MCPServer& server, WallTime now);

 private:
  struct Explanation {
    std::string text;
    MonotonicTime until;
  };
  struct Usages {
    Result<PodUsages> of_pods;
    MonotonicTime until;
  };

  void tell_change(const std::string& what, bool well, const std::string& error);
  scaling::Sample sample(const fleet::MCPServer& server, const fleet::Rule& rule);
  bool calls_are_counted(const fleet::MCPServer& server, const std::string& tool);
  std::string explain(const fleet::MCPServer& server, const MetricQuery& query);
  scaling::Measurement measure(const fleet::MCPServer& server, scaling::Signal signal, Tick& tick);
  scaling::Measurement measure_usage(const fleet::MCPServer& server, scaling::Signal signal,
                                     Tick& tick);
  const Result<PodUsages>& usages(const std::string& namespace_);

  kube::Client& client_;
  MetricReader reader_;
  const World& world_;
  const Clock& clock_;
  std::map<MetricQuery, Result<MetricValues>> answers_;  // of this round
  std::set<std::string> failing_;
  std::map<std::tuple<std::string, std::string>, std::optional<WallTime>> last_read_;
  std::map<std::tuple<std::string, std::string, std::string>, Explanation> explained_;
  std::map<std::string, Usages> usages_;  // by namespace
};

}  // namespace mcpfleet::op
