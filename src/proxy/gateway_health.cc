#include "proxy/gateway_health.h"

#include <sys/resource.h>

#include <filesystem>

namespace mcpfleet::proxy {
namespace {

using routing::HealthStatus;
using routing::PartResult;

constexpr double kMostDescriptors = 0.9;  // of those that may be open

}  // namespace

GatewayHealth::GatewayHealth(const GatewayPlane& plane)
    : plane_(plane),
      routes_(composite_.add("routes", true)),
      pods_(composite_.add("pods", false)),
      files_(composite_.add("descriptors", true)) {}

void GatewayHealth::look(MonotonicTime now) {
  while (const auto part = composite_.take_due(now)) {
    const auto start = plane_.now();
    auto result = check(*part);
    result.took = plane_.now() - start;
    composite_.told(*part, std::move(result), now);
  }
}

PartResult GatewayHealth::check(std::size_t part) const {
  if (part == routes_) return check_routes();
  return part == pods_ ? check_pods() : check_files();
}

// Without news the last known servers and pods are served on.
PartResult GatewayHealth::check_routes() const {
  const auto& source = plane_.source;
  if (!source.complete)
    return {HealthStatus::Unhealthy, source.problem.empty()
                                         ? "the servers are not known yet"
                                         : "the servers are not known: " + source.problem};
  if (!source.problem.empty())
    return {HealthStatus::Degraded, "what is known may be old: " + source.problem};
  return {HealthStatus::Healthy, std::to_string(plane_.servers.size()) + " servers are known"};
}

PartResult GatewayHealth::check_pods() const {
  const auto now = plane_.now();
  std::size_t ready = 0;
  std::size_t up = 0;
  std::string without;
  for (const auto& [key, server] : plane_.servers) {
    const auto counts = server->routing->pods.counts(now);
    ready += counts.ready;
    up += counts.up;
    if (counts.ready > 0 && counts.up == 0) without = key;
  }
  const auto text = std::to_string(up) + " of " + std::to_string(ready) + " ready pods are healthy";
  if (!without.empty())
    return {HealthStatus::Degraded, text + "; " + without + " has none that is"};
  return {HealthStatus::Healthy, text};
}

PartResult GatewayHealth::check_files() const {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return {};
  std::error_code ec;
  std::size_t open = 0;
  for (std::filesystem::directory_iterator at("/proc/self/fd", ec), end; !ec && at != end;
       at.increment(ec))
    ++open;
  const auto most = static_cast<double>(limit.rlim_cur);
  const auto text =
      std::to_string(open) + " of " + std::to_string(limit.rlim_cur) + " descriptors are open";
  return {static_cast<double>(open) > kMostDescriptors * most ? HealthStatus::Unhealthy
                                                              : HealthStatus::Healthy,
          text};
}

std::pair<bool, std::string> GatewayHealth::report(MonotonicTime now) const {
  return {composite_.status(now) != HealthStatus::Unhealthy, composite_.json(now)};
}

}  // namespace mcpfleet::proxy
