#include "proxy/gateway_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/time_text.h"
#include "metrics/exposition_writer.h"
#include "proxy/call_report.h"
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
  families.of_server("mcp_queue_depth",
                     "Calls that wait: for a place among those in flight, or for a connection.",
                     Type::Gauge, [](const auto& s) { return s.waiting(); });
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

// function(pool, namespace, server, pod) of each pod's connections.
template <typename Function>
void each_pool(const Servers& servers, const Function& function) {
  for (const auto* one : servers)
    one->routing->pods.each([&](routing::PodId id, const routing::Pod& pod) {
      const auto found = one->pools.find(pool_key(id));
      if (found != one->pools.end())
        function(*found->second, one->ns(), one->name(), pod.endpoint.pod);
    });
}

// Writes families of one sample a pool, or of one for each of some values of a label.
class PoolFamilies {
 public:
  PoolFamilies(metrics::ExpositionWriter& out, const Servers& servers)
      : out_(out), servers_(servers) {}

  template <typename Value>
  void of_pool(std::string_view name, std::string_view help, Type type, const Value& value) {
    out_.family(name, help, type);
    each_pool(servers_, [&](const auto& pool, const auto& ns, const auto& server, const auto& pod) {
      out_.sample(name, {{"namespace", ns}, {"server", server}, {"pod", pod}},
                  static_cast<double>(value(pool)));
    });
  }

  template <typename Names, typename Value>
  void of_each(std::string_view name, std::string_view help, Type type, std::string_view label,
               const Names& names, const Value& value) {
    out_.family(name, help, type);
    each_pool(servers_, [&](const auto& pool, const auto& ns, const auto& server, const auto& pod) {
      for (std::size_t i = 0; i < names.size(); ++i)
        out_.sample(name,
                    {{"namespace", ns}, {"server", server}, {"pod", pod}, {label, names.at(i)}},
                    static_cast<double>(value(pool, i)));
    });
  }

 private:
  metrics::ExpositionWriter& out_;
  const Servers& servers_;
};

void write_pools(metrics::ExpositionWriter& out, const Servers& servers) {
  PoolFamilies families(out, servers);
  constexpr std::array<const char*, 3> kStates{"in_use", "beside", "idle"};
  families.of_each("mcp_pool_connections",
                   "Connections to a pod: used by calls, beside them by streams and what else is "
                   "no call, or unused.",
                   Type::Gauge, "state", kStates, [](const auto& pool, std::size_t state) {
                     return std::array{pool.in_use(), pool.beside(), pool.idle()}.at(state);
                   });
  families.of_pool("mcp_pool_waiting", "Calls that wait for a connection to a pod.", Type::Gauge,
                   [](const auto& pool) { return pool.waiting(); });
  families.of_pool("mcp_pool_acquired_total", "Calls that got a connection.", Type::Counter,
                   [](const auto& pool) { return pool.acquired(); });
  families.of_pool("mcp_pool_timeouts_total", "Calls that waited too long for one.", Type::Counter,
                   [](const auto& pool) { return pool.timeouts(); });
  families.of_pool("mcp_pool_made_total", "Connections that were made, or could not be.",
                   Type::Counter, [](const auto& pool) { return pool.statistics().made; });
  families.of_pool("mcp_pool_reused_total", "Times that a connection was used again.",
                   Type::Counter, [](const auto& pool) { return pool.statistics().reused; });
  families.of_each("mcp_pool_closed_total", "Connections that were closed, by why.", Type::Counter,
                   "reason", kClosedNames, [](const auto& pool, std::size_t why) {
                     return pool.statistics().closed.at(why);
                   });
}

Json json_of(const PodPool& pool) {
  Json closed = Json::object();
  for (std::size_t i = 0; i < kClosedNames.size(); ++i)
    closed[kClosedNames.at(i)] = pool.statistics().closed.at(i);
  return {{"inUse", pool.in_use()},
          {"beside", pool.beside()},
          {"idle", pool.idle()},
          {"waiting", pool.waiting()},
          {"acquired", pool.acquired()},
          {"timeouts", pool.timeouts()},
          {"made", pool.statistics().made},
          {"reused", pool.statistics().reused},
          {"closed", closed}};
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
  Json refusals = Json::object();
  for (const auto& [limit, count] : server.refusals) refusals[routing::to_string(limit)] = count;
  Json json{{"namespace", server.ns()}, {"name", server.name()}};
  json.update(call_report(server.stats));
  json.update({{"inFlight", server.routing->admission.in_flight()},
               {"queued", server.waiting()},
               {"sessions", server.routing->sessions.size()},
               {"refused", refusals},
               {"repeats", server.repeats},
               {"ejections", server.ejections},
               {"pods", Json::array()}});
  server.routing->pods.each([&](routing::PodId id, const routing::Pod& pod) {
    json["pods"].push_back(json_of(pod, now));
    const auto pool = server.pools.find(pool_key(id));
    if (pool != server.pools.end()) json["pods"].back()["pool"] = json_of(*pool->second);
  });
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
  write_pools(out, servers);
  const auto single = [&](std::string_view name, std::string_view help, Type type, double value) {
    out.family(name, help, type);
    out.sample(name, {}, value);
  };
  single("mcp_draining", "1 while the gateway prepares to end.", Type::Gauge,
         plane.drain.draining() ? 1 : 0);
  single("mcp_clients", "Connections of clients.", Type::Gauge,
         static_cast<double>(plane.sweeper.size()));
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
