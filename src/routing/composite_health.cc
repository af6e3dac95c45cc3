#include "routing/composite_health.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace mcpfleet::routing {
namespace {

// How many intervals a result counts for.
constexpr int kCounts = 3;

double seconds(Duration time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

const char* to_string(HealthStatus status) {
  switch (status) {
    case HealthStatus::Healthy:
      return "healthy";
    case HealthStatus::Degraded:
      return "degraded";
    case HealthStatus::Unhealthy:
      return "unhealthy";
  }
  return "?";
}

std::size_t CompositeHealth::add(std::string name, bool needed) {
  parts_.push_back(
      {.part = {.name = std::move(name), .needed = needed}, .due = MonotonicTime::min()});
  return parts_.size() - 1;
}

std::optional<std::size_t> CompositeHealth::take_due(MonotonicTime now) {
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    if (parts_[i].due > now) continue;
    parts_[i].due = now + interval_;
    return i;
  }
  return std::nullopt;
}

MonotonicTime CompositeHealth::next_due() const {
  auto next = MonotonicTime::max();
  for (const Entry& entry : parts_) next = std::min(next, entry.due);
  return next;
}

void CompositeHealth::told(std::size_t number, PartResult result, MonotonicTime now) {
  HealthPart& part = parts_[number].part;
  part.last = std::move(result);
  part.checked = now;
  ++part.checks;
  if (part.last.status == HealthStatus::Healthy) return;
  ++part.failures;
  part.last_error = part.last.message;
  part.last_error_at = now;
}

HealthStatus CompositeHealth::status(std::size_t number, MonotonicTime now) const {
  const HealthPart& part = parts_[number].part;
  if (!part.checked || now - *part.checked > kCounts * interval_) return HealthStatus::Unhealthy;
  return part.last.status;
}

HealthStatus CompositeHealth::status(MonotonicTime now) const {
  auto whole = HealthStatus::Healthy;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    auto one = status(i, now);
    if (!parts_[i].part.needed) one = std::min(one, HealthStatus::Degraded);
    whole = std::max(whole, one);
  }
  return whole;
}

std::string CompositeHealth::json(MonotonicTime now) const {
  auto checks = nlohmann::ordered_json::object();
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const HealthPart& part = parts_[i].part;
    nlohmann::ordered_json one{{"status", to_string(status(i, now))},
                               {"needed", part.needed},
                               {"message", part.checked ? part.last.message : "not checked yet"}};
    if (part.checked) {
      one["tookSeconds"] = seconds(part.last.took);
      one["ageSeconds"] = seconds(now - *part.checked);
    }
    one["failures"] = part.failures;
    if (part.last_error_at) {
      one["lastError"] = part.last_error;
      one["lastErrorAgeSeconds"] = seconds(now - *part.last_error_at);
    }
    checks[part.name] = std::move(one);
  }
  const nlohmann::ordered_json all{{"status", to_string(status(now))}, {"checks", checks}};
  return all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace mcpfleet::routing
