// Rules and settings that tests start from.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "fleet/mcp_server.h"
#include "scaling/autoscaler.h"

namespace mcpfleet::scaling {

using fleet::Action;
using fleet::Autoscaling;
using fleet::Operator;
using fleet::Rule;
using std::chrono::milliseconds;
using std::chrono::seconds;

inline const WallTime kStart{seconds(1'767'225'600)};
inline constexpr const char* kP95 = "mcp_request_duration_seconds_p95";
inline constexpr const char* kInFlight = "mcp_requests_in_flight";

// p95 > 0.2 over 30 s: two more, rest 60 s.
inline Rule slow() {
  return {"slow",      kP95,       "", Operator::Greater, 0.2, Action::ScaleUp, {2, std::nullopt},
          seconds(30), seconds(60)};
}

// In flight < 1 over 30 s: one fewer, rest 60 s.
inline Rule calm() {
  return {"calm",      kInFlight,  "", Operator::Less, 1, Action::ScaleDown, {1, std::nullopt},
          seconds(30), seconds(60)};
}

inline Autoscaling between(int least, int most, std::vector<Rule> rules) {
  Autoscaling autoscaling;
  autoscaling.min_replicas = least;
  autoscaling.max_replicas = most;
  autoscaling.rules = std::move(rules);
  return autoscaling;
}

}  // namespace mcpfleet::scaling
