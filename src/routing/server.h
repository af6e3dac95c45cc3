// What a gateway knows of one MCPServer.
//
// Pure. Thread safety: none; one owner.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>

#include "base/clock.h"
#include "fleet/gateway_settings.h"
#include "routing/admission.h"
#include "routing/live_sessions.h"
#include "routing/pod_set.h"
#include "routing/rate_limits.h"
#include "routing/retry.h"

namespace mcpfleet::routing {

struct ServerSettings {
  fleet::TrafficSettings traffic;  // fleet::settings_for() of the gateway's and the server's
  std::uint32_t max_sessions_per_pod = 0;            // sessions.maxPerReplica; 0: any number
  Duration session_idle = std::chrono::minutes(30);  // sessions.idleTimeout
  bool operator==(const ServerSettings&) const = default;
};

struct ServerName {
  std::string ns;
  std::string name;
  bool operator==(const ServerName&) const = default;
};

class Server {
 public:
  Server(ServerName name, ServerSettings settings);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Other settings from now on. Nothing in flight, waiting or counted is lost; ask
  // admission.next() afterwards.
  void change(const ServerSettings& settings, MonotonicTime now);
  // The endpoints as they are now, and what follows for the sessions.
  PodSet::Changes update(std::span<const Endpoint> endpoints, MonotonicTime now);

  const ServerName& name() const { return name_; }
  const ServerSettings& settings() const { return settings_; }

  PodSet pods;
  LiveSessions sessions;
  Admission admission;
  RateLimits rates;
  RetryBudget retries;

 private:
  const ServerName name_;
  ServerSettings settings_;
};

}  // namespace mcpfleet::routing
