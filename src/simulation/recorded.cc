// Traces that a metrics adapter remembers.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/quantity.h"
#include "base/time_text.h"
#include "simulation/trace.h"

namespace mcpfleet::simulation {
namespace {

using nlohmann::json;

struct Reading {
  WallTime at;
  double rate;  // calls a second
};

std::optional<Reading> read_sample(const json& sample, const char* value) {
  if (!sample.is_object() || !sample.contains("timestamp")) return std::nullopt;
  const auto& time = sample["timestamp"];
  if (!time.is_string()) return std::nullopt;
  const auto at = parse_rfc3339(time.get_ref<const std::string&>());
  if (!at || !sample.contains(value) || !sample[value].is_string()) return std::nullopt;
  const auto milli = parse_quantity_milli(sample[value].get_ref<const std::string&>());
  if (!milli || *milli < 0) return std::nullopt;
  return Reading{*at, std::min(kMaxArrivals, static_cast<double>(*milli) / 1000)};
}

// The samples of the first series: all calls of the server.
Result<std::vector<Reading>> read_series(const json& body, const std::string& file) {
  const auto refuse = [&](const std::string& sentence) {
    return fail(ErrorKind::Invalid, file + ": " + sentence);
  };
  if (body.value("metric", "") != "mcp_requests_per_second")
    return refuse("metric must be mcp_requests_per_second in a history that is to be replayed");
  if (!body.contains("series") || !body["series"].is_array() || body["series"].size() != 1)
    return refuse("series must be a list of one, the calls of one server");
  const json& series = body["series"][0];
  const bool raw = series.contains("samples");
  const json list = raw ? series["samples"] : series.value("minutes", json());
  std::vector<Reading> readings;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (!raw && list[i].is_object() && !list[i].contains("avg")) continue;  // a minute without any
    const auto reading = read_sample(list[i], raw ? "value" : "avg");
    if (!reading || (!readings.empty() && reading->at <= readings.back().at))
      return refuse("series[0]." + std::string(raw ? "samples[" : "minutes[") + std::to_string(i) +
                    "] must have a later timestamp than the one before, and a quantity");
    readings.push_back(*reading);
  }
  if (readings.empty()) return refuse("series[0] has no samples");
  return readings;
}

}  // namespace

Result<Trace> parse_history(std::string_view text, const std::string& file) {
  const json body = json::parse(text, nullptr, false);
  if (!body.is_object())
    return fail(ErrorKind::Invalid, file + ": it must be CSV, or the JSON of a history");
  const auto readings = read_series(body, file);
  if (!readings) return fail(readings.error());
  using std::chrono::floor;
  using std::chrono::seconds;
  const auto begin = floor<seconds>(readings->front().at);
  // A sample stands for as long as is usual in this history, and no longer: then it is a gap.
  auto usual = seconds(std::chrono::minutes(1));
  for (std::size_t i = 1; i < readings->size(); ++i)
    usual =
        std::min(usual, floor<seconds>((*readings)[i].at) - floor<seconds>((*readings)[i - 1].at));
  const auto step = std::max(usual, seconds(1)).count();
  Trace trace{file, {}};
  for (const Reading& reading : *readings) {
    const auto second = (floor<seconds>(reading.at) - begin).count();
    if (second + step > kMaxTraceSeconds)
      return fail(ErrorKind::Invalid, file + ": it must not be longer than 7 days");
    trace.arrivals.resize(
        static_cast<std::size_t>(std::max<std::int64_t>(second, std::ssize(trace.arrivals))));
    trace.arrivals.resize(static_cast<std::size_t>(second + step), reading.rate);
  }
  return trace;
}

}  // namespace mcpfleet::simulation
