#include "routing/server.h"

#include <utility>

namespace mcpfleet::routing {

Server::Server(ServerName name, ServerSettings settings)
    : pods(settings.traffic, settings.max_sessions_per_pod),
      sessions(pods, settings.traffic.limits.max_sessions, settings.session_idle),
      admission(settings.traffic.limits),
      rates(settings.traffic.limits.rates),
      name_(std::move(name)),
      settings_(std::move(settings)) {}

void Server::change(const ServerSettings& settings, MonotonicTime now) {
  if (settings == settings_) return;
  settings_ = settings;
  const auto& limits = settings.traffic.limits;
  pods.change(settings.traffic, settings.max_sessions_per_pod, now);
  sessions.change(limits.max_sessions, settings.session_idle);
  admission.change(limits);
  rates.change(limits.rates, now);
}

PodSet::Changes Server::update(std::span<const Endpoint> endpoints, MonotonicTime now) {
  auto changes = pods.update(endpoints, now);
  sessions.gone(changes.removed);
  return changes;
}

}  // namespace mcpfleet::routing
