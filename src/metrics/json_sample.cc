#include "metrics/json_sample.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace mcpfleet::metrics {
namespace {

using nlohmann::json;

constexpr int kDeepest = 8;
// Beyond this a double no longer counts by ones.
constexpr double kLargest = 9'007'199'254'740'992;

Result<json> parse(std::string_view body) {
  bool deep = false;
  const auto keep = [&deep](int depth, json::parse_event_t, const json&) {
    deep = deep || depth > kDeepest;
    return depth <= kDeepest;
  };
  auto parsed = json::parse(body, keep, false);
  if (deep)
    return fail(ErrorKind::Malformed,
                "the JSON is nested deeper than " + std::to_string(kDeepest) + " levels");
  if (parsed.is_discarded()) return fail(ErrorKind::Malformed, "broken JSON");
  if (!parsed.is_object()) return fail(ErrorKind::Malformed, "the JSON is no object");
  return parsed;
}

// nullopt: it is not there.
Result<std::optional<double>> number(const json& object, const char* key, double most) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return std::nullopt;
  const double value = found->is_number() ? found->get<double>() : -1;
  if (!std::isfinite(value) || value < 0 || value > most)
    return fail(ErrorKind::Malformed, std::string(key) + " must be a number that is not negative");
  return value;
}

Result<CallCounters> read_tool(const std::string& name, const json& object) {
  if (!object.is_object()) return fail(ErrorKind::Malformed, "must be an object");
  CallCounters kind;
  kind.method = "tools/call";
  kind.tool = name;
  const auto requests = number(object, "total_requests", kLargest);
  const auto mean = number(object, "avg_duration", kLargest);
  const auto success = number(object, "success_rate", 100);
  for (const auto* read : {&requests, &mean, &success})
    if (!*read) return fail(read->error());
  kind.requests = requests->value_or(0);
  kind.told_mean = *mean;
  if (*success) kind.told_error_ratio = 1 - **success / 100;
  return kind;
}

Result<void> read_tools(const json& tools, const ExpositionLimits& limits, Sample& sample) {
  if (!tools.is_object()) return fail(ErrorKind::Malformed, "performance must be an object");
  if (tools.size() > kMaxKinds)
    return fail(ErrorKind::TooLarge,
                "performance has more than " + std::to_string(kMaxKinds) + " tools");
  for (const auto& [name, object] : tools.items()) {
    if (name.size() > limits.max_label_length)
      return fail(ErrorKind::TooLarge, "performance has a tool whose name is longer than " +
                                           std::to_string(limits.max_label_length) + " bytes");
    auto kind = read_tool(name, object);
    if (!kind) return fail(kind.error().context("performance." + name));
    sample.calls.push_back(std::move(*kind));
  }
  return {};
}

}  // namespace

bool looks_like_json(std::string_view body) {
  const auto first = body.find_first_not_of(" \t\r\n");
  return first != body.npos && body[first] == '{';
}

Result<Sample> read_json_sample(std::string_view body, const ExpositionLimits& limits) {
  if (body.size() > limits.max_bytes)
    return fail(ErrorKind::TooLarge,
                "the metrics are larger than " + std::to_string(limits.max_bytes) + " bytes");
  auto parsed = parse(body);
  if (!parsed) return fail(parsed.error());
  Sample sample;
  const auto tools = parsed->find("performance");
  const auto concurrency = parsed->find("concurrency");
  sample.has_mcp = tools != parsed->end() || concurrency != parsed->end();
  if (tools != parsed->end())
    if (auto read = read_tools(*tools, limits, sample); !read) return fail(read.error());
  if (concurrency != parsed->end() && concurrency->is_object()) {
    auto current = number(*concurrency, "current_concurrent", kLargest);
    if (!current) return fail(current.error().context("concurrency"));
    sample.in_flight = *current;
  }
  return sample;
}

}  // namespace mcpfleet::metrics
