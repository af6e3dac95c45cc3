// Once a second: reads in bulk what rules and recommenders look at, and decides.
//
// Where a decision changes, the server's key goes to the work queue, and the reconciler stores
// decision and recommendation in one write. Replicas are written here where
// spec.autoscaling.actuator is Operator, and nowhere else in the operator.
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
#include "operator/telemetry.h"
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

class ScalingLoop {
 public:
  // Starts the thread. `changed` gets the key of a server whose status should say something new.
  ScalingLoop(kube::Client& client, const World& world, const Surroundings& surroundings,
              Scalers& scalers, SessionCounts& sessions, Telemetry& telemetry, const Clock& clock,
              std::function<void(const std::string& key)> changed);
  ~ScalingLoop();
  ScalingLoop(const ScalingLoop&) = delete;
  ScalingLoop& operator=(const ScalingLoop&) = delete;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mcpfleet::op
