// How traffic is passed on: of a gateway's spec, and of spec.proxy of an MCPServer.
#include <set>

#include "fleet/decode_parts.h"

namespace mcpfleet::fleet {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

LoadBalancingPolicy decode_policy(const Field& field) {
  const std::string policy = field.one_of(
      "PowerOfTwoChoices",
      {"PowerOfTwoChoices", "RoundRobin", "Weighted", "LeastConnections", "FastestResponse"});
  if (policy == "RoundRobin") return LoadBalancingPolicy::RoundRobin;
  if (policy == "Weighted") return LoadBalancingPolicy::Weighted;
  if (policy == "LeastConnections") return LoadBalancingPolicy::LeastConnections;
  return policy == "FastestResponse" ? LoadBalancingPolicy::FastestResponse
                                     : LoadBalancingPolicy::PowerOfTwoChoices;
}

LoadBalancing decode_load_balancing(const Field& field) {
  field.object();
  LoadBalancing result{decode_policy(field["policy"]), {}};
  std::set<std::string> zones;
  for (const Field& item : field["weights"].items(32)) {
    item.object();
    for (const char* key : {"zone", "weight"})
      if (!item[key].present()) item[key].refuse("is required");
    result.weights.push_back({item["zone"].text("", 1, 63), item["weight"].integer(1, 1, 1000)});
    if (!zones.insert(result.weights.back().zone).second)
      item["zone"].refuse("must be unique, and \"" + result.weights.back().zone +
                          "\" is there twice");
  }
  return result;
}

HealthCheck decode_health(const Field& field) {
  field.object();
  HealthCheck health;
  const std::string type = field["type"].one_of("HTTP", {"TCP", "HTTP", "MCP"});
  if (type == "TCP") health.type = HealthCheckType::Tcp;
  if (type == "MCP") health.type = HealthCheckType::Mcp;
  health.interval = field["interval"].duration(health.interval, seconds(1), hours(1));
  health.timeout = field["timeout"].duration(health.timeout, milliseconds(100), minutes(1));
  health.unhealthy_threshold =
      field["unhealthyThreshold"].integer(health.unhealthy_threshold, 1, 100);
  health.healthy_threshold = field["healthyThreshold"].integer(health.healthy_threshold, 1, 100);
  if (health.timeout > health.interval) field["timeout"].refuse("must not be longer than interval");
  return health;
}

Ejection decode_ejection(const Field& field) {
  field.object();
  Ejection ejection;
  ejection.consecutive_failures =
      field["consecutiveFailures"].integer(ejection.consecutive_failures, 0, 1000);
  ejection.base_time = field["baseTime"].duration(ejection.base_time, seconds(1), hours(1));
  ejection.max_time = field["maxTime"].duration(ejection.max_time, seconds(1), hours(24));
  ejection.max_percent = field["maxPercent"].integer(ejection.max_percent, 0, 100);
  ejection.slow_start = field["slowStart"].duration(ejection.slow_start, seconds(0), hours(1));
  if (ejection.base_time > ejection.max_time)
    field["baseTime"].refuse("must not be longer than maxTime");
  return ejection;
}

Retries decode_retries(const Field& field) {
  field.object();
  const Retries fallback;
  return {field["attempts"].integer(fallback.attempts, 1, 10),
          field["backoff"].duration(fallback.backoff, milliseconds(10), minutes(1))};
}

RateLimit decode_rate(const Field& field) {
  field.object();
  for (const char* key : {"per", "calls"})
    if (!field[key].present()) field[key].refuse("is required");
  RateLimit rate;
  const std::string per = field["per"].one_of("Server", {"Server", "Tool", "Caller"});
  if (per == "Tool") rate.per = RateScope::Tool;
  if (per == "Caller") rate.per = RateScope::Caller;
  rate.tool = field["tool"].text("", 1, 128);
  rate.calls = field["calls"].integer(1, 1, 1'000'000);
  rate.period = field["period"].duration(rate.period, seconds(1), hours(24));
  if (!rate.tool.empty() && per == "Server")
    field["tool"].refuse("has no effect with per Server; write per: Tool");
  return rate;
}

// A field that is given, else nothing.
template <typename Decode>
auto if_given(const Field& field, const Decode& decode) -> std::optional<decltype(decode(field))> {
  if (!field.present()) return std::nullopt;
  return decode(field);
}

auto count(int least, int most) {
  return [least, most](const Field& given) { return given.integer(least, least, most); };
}

auto duration(Duration least, Duration most) {
  return [least, most](const Field& given) { return given.duration(least, least, most); };
}

LimitsOverride decode_limits(const Field& field) {
  field.object();
  return {if_given(field["maxInFlight"], count(1, 100'000)),
          if_given(field["maxSessions"], count(1, 1'000'000)),
          if_given(field["maxQueue"], count(0, 100'000)),
          if_given(field["queueTimeout"], duration(milliseconds(1), minutes(10))),
          if_given(field["rates"], [](const Field& given) {
            std::vector<RateLimit> rates;
            for (const Field& item : given.items(16)) rates.push_back(decode_rate(item));
            return rates;
          })};
}

TimeoutsOverride decode_timeouts(const Field& field) {
  field.object();
  return {if_given(field["connect"], duration(milliseconds(10), minutes(1))),
          if_given(field["call"], duration(seconds(0), hours(24))),
          if_given(field["write"], duration(seconds(1), hours(24))),
          if_given(field["read"], duration(seconds(0), hours(24))),
          if_given(field["idle"], duration(seconds(1), hours(24)))};
}

ConnectionPoolOverride decode_connection_pool(const Field& field) {
  field.object();
  const ConnectionPoolOverride pool{
      if_given(field["minConnections"], count(0, 1000)),
      if_given(field["maxConnections"], count(1, 100'000)),
      if_given(field["acquireTimeout"], duration(milliseconds(1), minutes(10))),
      if_given(field["healthInterval"], duration(seconds(1), hours(1)))};
  if (pool.min_connections && pool.max_connections && *pool.min_connections > *pool.max_connections)
    field["minConnections"].refuse("must not be more than maxConnections");
  return pool;
}

}  // namespace

ProxyOverride decode_proxy(const Field& field) {
  field.object();
  return {if_given(field["loadBalancing"], decode_load_balancing),
          decode_timeouts(field["timeouts"]), decode_limits(field["limits"]),
          decode_connection_pool(field["connectionPool"])};
}

TrafficSettings decode_traffic(const Field& spec) {
  TrafficSettings settings;
  settings.health = decode_health(spec["health"]);
  settings.ejection = decode_ejection(spec["ejection"]);
  settings.retries = decode_retries(spec["retries"]);
  return settings_for(std::move(settings), decode_proxy(spec));
}

}  // namespace mcpfleet::fleet
