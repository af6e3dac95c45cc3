#include "proxy/gateway_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/time_text.h"
#include "metrics/exposition_writer.h"
#include "proxy/process_metrics.h"

namespace mcpfleet::proxy {
namespace {

using Type = metrics::ExpositionWriter::Type;
using Json = nlohmann::ordered_json;
using Servers = std::vector<const GatewayServer*>;

double seconds(Duration time) { return std::chrono::duration<double>(time).count(); }

// By name, so that a scrape reads like the one before.
Servers servers_of(const GatewayPlane& plane) {
  Servers servers;
  for (const auto& [key, server] : plane.servers) servers.push_back(server.get());
  std::ranges::sort(servers, {}, [](const auto* one) { return one->text(); });
  return servers;
}

// Writes families of one sample a server, or a pod.
class ServerFamilies {
 public:
  ServerFamilies(metrics::ExpositionWriter& out, const Servers& servers)
      : out_(out), servers_(servers) {}

  template <typename Value>
  void of_server(std::string_view name, std::string_view help, Type type, const Value& value) {
    out_.family(name, help, type);
    for (const auto* one : servers_)
      out_.sample(name, {{"namespace", one->ns()}, {"server", one->name()}},
                  static_cast<double>(value(*one)));
  }

  template <typename Value>
  void of_pod(std::string_view name, std::string_view help, Type type, const Value& value) {
    out_.family(name, help, type);
    for (const auto* one : servers_) {
      one->routing->pods.each([&](routing::PodId, const routing::Pod& pod) {
        out_.sample(name,
                    {{"namespace", one->ns()}, {"server", one->name()}, {"pod", pod.endpoint.pod}},
                    static_cast<double>(value(pod)));
      });
    }
  }

 private:
  metrics::ExpositionWriter& out_;
  const Servers& servers_;
};

void write_servers(metrics::ExpositionWriter& out, const Servers& servers) {
  ServerFamilies families(out, servers);
  families.of_server("mcp_active_sessions", "Sessions that this gateway has seen used lately.",
                     Type::Gauge, [](const auto& s) { return s.routing->sessions.size(); });
  families.of_server("mcp_queue_depth", "Calls that wait for a place among those in flight.",
                     Type::Gauge, [](const auto& s) { return s.routing->admission.queued(); });
  families.of_server("mcp_repeated_requests_total", "Tries beyond the first of a call.",
                     Type::Counter, [](const auto& s) { return s.repeats; });
  families.of_server("mcp_lost_session_requests_total", "Requests of sessions whose pod is gone.",
                     Type::Counter, [](const auto& s) { return s.sessions_lost; });
  families.of_server("mcp_pod_ejections_total", "Times that a pod was left out for its failures.",
                     Type::Counter, [](const auto& s) { return s.ejections; });
  out.family("mcp_refused_requests_total", "Calls and sessions over a limit, by limit.",
             Type::Counter);
  for (const auto* one : servers)
    for (const auto& [limit, count] : one->refusals)
      out.sample(
          "mcp_refused_requests_total",
          {{"namespace", one->ns()}, {"server", one->name()}, {"limit", routing::to_string(limit)}},
          static_cast<double>(count));
  out.family("mcp_request_phase_seconds", "Where the time of calls goes.", Type::Histogram);
  for (const auto* one : servers)
    for (std::size_t i = 0; i < kPhaseNames.size(); ++i)
      out.histogram("mcp_request_phase_seconds",
                    {{"namespace", one->ns()}, {"server", one->name()}, {"phase", kPhaseNames[i]}},
                    one->phases[i]);
}

void write_pods(metrics::ExpositionWriter& out, const Servers& servers, MonotonicTime now) {
  ServerFamilies families(out, servers);
  families.of_pod("mcp_pod_requests_total", "Calls that a pod was asked.", Type::Counter,
                  [](const auto& pod) { return pod.stats.requests; });
  families.of_pod("mcp_pod_errors_total", "Of them, those that ended as errors.", Type::Counter,
                  [](const auto& pod) { return pod.stats.errors; });
  families.of_pod("mcp_pod_requests_in_flight", "Calls that a pod has not answered yet.",
                  Type::Gauge, [](const auto& pod) { return pod.stats.in_flight; });
  families.of_pod("mcp_pod_sessions", "Live sessions of a pod.", Type::Gauge,
                  [](const auto& pod) { return pod.stats.sessions; });
  families.of_pod("mcp_pod_average_seconds", "Recent average time of a pod's calls.", Type::Gauge,
                  [](const auto& pod) { return pod.stats.average_seconds; });
  families.of_pod("mcp_pod_up", "1 where a pod is ready, healthy and not left out.", Type::Gauge,
                  [now](const auto& pod) { return pod.endpoint.ready && pod.up(now) ? 1 : 0; });
}

Json json_of(const routing::Pod& pod, MonotonicTime now) {
  Json json{{"name", pod.endpoint.pod},
            {"address", pod.endpoint.address},
            {"zone", pod.endpoint.zone},
            {"ready", pod.endpoint.ready},
            {"terminating", pod.endpoint.terminating},
            {"draining", pod.draining},
            {"healthy", pod.health.healthy()},
            {"ejected", pod.ejection.ejected(now)},
            {"requests", pod.stats.requests},
            {"errors", pod.stats.errors},
            {"errorRate", pod.stats.error_ratio()},
            {"averageSeconds", pod.stats.mean_seconds()},
            {"recentAverageSeconds", pod.stats.average_seconds},
            {"inFlight", pod.stats.in_flight},
            {"sessions", pod.stats.sessions},
            {"checks", pod.health.checks()},
            {"failedChecks", pod.health.failures()},
            {"lastCheckError", pod.health.last_error()}};
  json["lastUseSeconds"] = pod.stats.last_use ? Json(seconds(now - *pod.stats.last_use)) : Json();
  return json;
}

Json json_of(const GatewayServer& server, MonotonicTime now) {
  const auto durations = server.stats.durations();
  const auto quantile = [&durations](double q) {
    const auto value = durations.quantile(q);
    return value ? Json(*value) : Json();
  };
  Json refusals = Json::object();
  for (const auto& [limit, count] : server.refusals) refusals[routing::to_string(limit)] = count;
  Json json{{"namespace", server.ns()},
            {"name", server.name()},
            {"requests", server.stats.requests()},
            {"errors", server.stats.errors()},
            {"p50Seconds", quantile(0.5)},
            {"p95Seconds", quantile(0.95)},
            {"p99Seconds", quantile(0.99)},
            {"inFlight", server.routing->admission.in_flight()},
            {"queued", server.routing->admission.queued()},
            {"sessions", server.routing->sessions.size()},
            {"refused", refusals},
            {"repeats", server.repeats},
            {"ejections", server.ejections},
            {"pods", Json::array()}};
  server.routing->pods.each(
      [&](routing::PodId, const routing::Pod& pod) { json["pods"].push_back(json_of(pod, now)); });
  return json;
}

}  // namespace

std::string metrics_text(const GatewayPlane& plane) {
  metrics::ExpositionWriter out;
  const auto servers = servers_of(plane);
  std::vector<CallStats::OfServer> stats;
  for (const auto* one : servers) stats.push_back({one->ns(), one->name(), &one->stats});
  CallStats::write(out, stats);
  write_servers(out, servers);
  write_pods(out, servers, plane.now());
  const auto single = [&](std::string_view name, std::string_view help, Type type, double value) {
    out.family(name, help, type);
    out.sample(name, {}, value);
  };
  const auto& pool = plane.pool.statistics();
  single("mcp_draining", "1 while the gateway prepares to end.", Type::Gauge,
         plane.drain.draining() ? 1 : 0);
  single("mcp_clients", "Connections of clients.", Type::Gauge,
         static_cast<double>(plane.sweeper.size()));
  single("mcp_pool_idle_connections", "Connections to pods that nobody uses.", Type::Gauge,
         static_cast<double>(plane.pool.idle()));
  single("mcp_pool_connections_total", "Connections to pods that were made.", Type::Counter,
         static_cast<double>(pool.made));
  single("mcp_pool_reused_total", "Times that a connection was used again.", Type::Counter,
         static_cast<double>(pool.reused));
  single("mcp_pool_stale_total", "Connections that a pod had closed.", Type::Counter,
         static_cast<double>(pool.stale));
  single("mcp_pool_expired_total", "Connections that nobody used for too long.", Type::Counter,
         static_cast<double>(pool.expired));
  write_process_metrics(out);
  return out.text();
}

std::string statistics_text(const GatewayPlane& plane) {
  const auto now = plane.now();
  Json json{{"gateway", plane.options.name},
            {"time", to_rfc3339(plane.clock.wall())},
            {"draining", plane.drain.draining()},
            {"clients", plane.sweeper.size()},
            {"servers", Json::array()}};
  for (const auto* one : servers_of(plane)) json["servers"].push_back(json_of(*one, now));
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace mcpfleet::proxy
