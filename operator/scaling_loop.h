// Once a second: reads the metrics that rules look at, in bulk, and evaluates the rules.
//
// It writes nothing itself: where a decision changes, the server's key goes to the work queue, and
// the reconciler stores decision and recommendation in one write.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "operator/metric_reader.h"
#include "operator/scalers.h"
#include "operator/surroundings.h"
#include "operator/world.h"

namespace mcpfleet::op {

// Active sessions by server, as last read; for the status.
class SessionCounts {
 public:
  std::optional<std::int64_t> of(const std::string& key) const;
  void set(const std::string& namespace_, const MetricValues& values);

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::int64_t> counts_;  // by server key
};

// A metric of a server that is not in the bulk answer: idle where its calls are counted and there
// is nothing to take a latency or a ratio of, else missing because of `why`. Pure.
scaling::Sample absent_sample(const std::string& metric, bool calls_are_counted, std::string why);

class ScalingLoop {
 public:
  // Starts the thread. `changed` gets the key of a server whose status should say something new.
  ScalingLoop(kube::Client& client, const World& world, const Surroundings& surroundings,
              Scalers& scalers, SessionCounts& sessions, const Clock& clock,
              std::function<void(const std::string& key)> changed);
  ~ScalingLoop();
  ScalingLoop(const ScalingLoop&) = delete;
  ScalingLoop& operator=(const ScalingLoop&) = delete;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mcpfleet::op
