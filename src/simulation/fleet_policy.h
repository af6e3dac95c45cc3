// mcpfleet itself as a policy: the operator's deciding code, and the HPA that it makes.
//
// Each second the metrics adapter's values are given to the rules and the Scaler as the operator
// does it. With the actuator HPA what they ask for is a metric of the HPA that desired/ renders
// from the same MCPServer; with the actuator Operator it is written each 2 s. Thread safety: one
// thread at a time.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "fleet/mcp_server.h"
#include "scaling/autoscaler.h"
#include "scaling/policy.h"
#include "scaling/scaler.h"
#include "simulation/hpa_policy.h"
#include "simulation/policy.h"
#include "simulation/workload.h"

namespace mcpfleet::simulation {

struct FleetSettings {
  fleet::Autoscaling autoscaling;  // as decoded
  scaling::Policy policy;          // what it says, for the Scaler
  // Actuator HPA: the HPA of the server; absent with the actuator Operator.
  std::optional<HpaPolicy> hpa;
};

class FleetPolicy final : public ReplicaPolicy {
 public:
  FleetPolicy(FleetSettings settings, const PodShape& pod);

  int period() const override { return period_; }
  int phase() const override { return phase_; }
  int decide(const Seen& seen) override;

 private:
  static constexpr int kLoop = 2;  // seconds from one write of the Operator actuator to the next

  scaling::Facts facts(const Seen& seen) const;
  scaling::Sample sample(const fleet::Rule& rule, const Seen& seen) const;
  int rules_floor(const Seen& seen, WallTime now);

  FleetSettings settings_;
  PodShape pod_;
  scaling::AutoScaler rules_;
  scaling::Scaler scaler_;
  int period_ = 1;
  int phase_ = 0;
  bool recommends_;  // there is something to decide beside the HPA's own targets
};

// What the simulator cannot show of a server, a sentence each.
std::vector<std::string> left_out(const fleet::MCPServer& server);

// How mcpfleet would scale `server`. `phase`: the second of the HPA's first sync. Error: Invalid,
// where there is no spec.autoscaling or nothing in it that can be simulated.
Result<FleetSettings> fleet_settings(const fleet::MCPServer& server, scaling::Actuator actuator,
                                     const PodShape& pod, int phase);

}  // namespace mcpfleet::simulation
