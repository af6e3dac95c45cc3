#include "metrics-adapter/prometheus/object_value.h"

#include <cmath>
#include <map>
#include <optional>

#include "base/quantity.h"

namespace mcpfleet::adapter::promql {
namespace {

std::string number_name(double value) {
  if (std::isnan(value)) return "NaN";
  return value > 0 ? "+Inf" : "-Inf";
}

using ByName = std::map<std::string_view, std::vector<const Sample*>, std::less<>>;

ByName by_name(const std::vector<Sample>& samples, std::string_view label) {
  ByName found;
  for (const auto& sample : samples)
    if (const auto name = sample.labels.find(std::string(label)); name != sample.labels.end())
      found[name->second].push_back(&sample);
  return found;
}

Result<metrics::Value> value_of(const std::string& name, const std::vector<const Sample*>& samples,
                                std::string_view label, const Freshness& freshness) {
  if (samples.size() == 1) return to_value(*samples.front(), freshness);
  return fail(ErrorKind::NotFound, "the query gives " + std::to_string(samples.size()) +
                                       " values for " + std::string(label) + "=" + name +
                                       " where it must give one, as by (<<.GroupBy>>) makes it");
}

}  // namespace

Result<metrics::Value> to_value(const Sample& sample, const Freshness& freshness) {
  const auto milli = to_milli(sample.value);
  if (!milli)
    return fail(ErrorKind::NotFound, "Prometheus' value is " + number_name(sample.value) +
                                         ", which is no quantity (a division by zero, or an "
                                         "average of nothing?)");
  const Duration age = freshness.now - sample.time;
  if (age > freshness.max_age)
    return fail(ErrorKind::NotFound, "Prometheus' value is " + metrics::format_age(age) +
                                         " old, and only " +
                                         metrics::format_age(freshness.max_age) + " are allowed");
  return metrics::Value{*milli, sample.time, Duration{0}};
}

Result<std::vector<ObjectValue>> pick_values(const std::vector<Sample>& samples,
                                             std::string_view label,
                                             std::span<const std::string> names,
                                             const Freshness& freshness) {
  if (samples.empty()) return fail(ErrorKind::NotFound, "Prometheus has no value");
  const auto found = by_name(samples, label);
  if (found.empty())
    return fail(ErrorKind::NotFound, "the query's values have no label " + std::string(label) +
                                         ", which by (<<.GroupBy>>) would keep");
  std::vector<ObjectValue> values;
  std::optional<Error> first;
  for (const auto& name : names) {
    const auto of_name = found.find(name);
    if (of_name == found.end()) continue;
    auto value = value_of(name, of_name->second, label, freshness);
    if (value) {
      values.push_back({name, *value});
    } else if (!first) {
      first = value.error();
    }
  }
  if (!values.empty()) return values;
  if (first) return fail(*first);
  return fail(ErrorKind::NotFound, "Prometheus has no value of these objects");
}

}  // namespace mcpfleet::adapter::promql
