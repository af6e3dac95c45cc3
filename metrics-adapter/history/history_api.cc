#include "metrics-adapter/history/history_api.h"

#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/quantity.h"
#include "base/time_text.h"
#include "metrics-adapter/history/history_query.h"
#include "metrics-adapter/status_body.h"

namespace mcpfleet::adapter {
namespace {

using metrics::Aggregate;
using metrics::AggregateField;
using nlohmann::json;

// Of one answer; about half a megabyte of text.
constexpr std::size_t kMaxSamples = 5000;
constexpr std::array kAllFields{AggregateField::Count, AggregateField::Sum, AggregateField::Mean,
                                AggregateField::Min,   AggregateField::Max, AggregateField::Last};

std::string quantity(double value) {
  return format_quantity_milli(to_milli(value).value_or(kMaxMilli));
}

json field_json(const Aggregate& of, AggregateField field) {
  if (field == AggregateField::Count) return of.count;
  return quantity(field_of(of, field));
}

// Where there was no sample only the count is known, and it is 0.
json aggregate_json(const Aggregate& of, std::span<const AggregateField> fields) {
  auto object = json::object();
  for (const auto field : fields)
    if (of.count > 0 || field == AggregateField::Count)
      object[std::string(to_string(field))] = field_json(of, field);
  return object;
}

json labels_json(const metrics::HistoryKey& key) {
  auto labels = json::object();
  if (!key.method.empty()) labels["method"] = key.method;
  if (!key.tool.empty()) labels["tool"] = key.tool;
  return labels;
}

json samples_json(const std::vector<metrics::HistorySample>& samples) {
  auto list = json::array();
  for (const auto& sample : samples)
    list.push_back({{"timestamp", to_rfc3339(sample.at)}, {"value", quantity(sample.value)}});
  return list;
}

json minutes_json(const std::vector<metrics::MinuteAggregate>& minutes) {
  auto list = json::array();
  for (const auto& minute : minutes) {
    auto object = aggregate_json(minute.of, kAllFields);
    object["timestamp"] = to_rfc3339(minute.at);
    list.push_back(std::move(object));
  }
  return list;
}

json window_json(const metrics::WindowAggregate& window, std::span<const AggregateField> fields) {
  return {{"stepSeconds", window.step / std::chrono::seconds(1)},
          {"aggregates", aggregate_json(window.of, fields)}};
}

// One series of an answer: its aggregates, minutes or samples.
json series_json(const HistoryQuery& query, const metrics::ObjectHistory& object) {
  if (!query.aggregates.empty())
    return window_json(object.aggregate(query.metric, query.from, query.to, query.resolution),
                       query.aggregates);
  if (query.resolution == metrics::Resolution::Minute)
    return {{"minutes", minutes_json(object.minutes(query.metric, query.from, query.to))}};
  return {{"samples", samples_json(object.samples(query.metric, query.from, query.to))}};
}

std::size_t samples_in(const json& series) {
  return series.contains("samples") ? series["samples"].size()
                                    : series.value("minutes", json()).size();
}

json frame(const char* kind, const HistoryQuery& query) {
  return {{"kind", kind},
          {"apiVersion", std::string(kOwnGroup) + "/" + std::string(versions_of(kOwnGroup)[0])},
          {"metric", query.path.metric},
          {"from", to_rfc3339(query.from)},
          {"to", to_rfc3339(query.to)},
          {"resolution", query.resolution == metrics::Resolution::Raw ? "raw" : "1m"}};
}

http::Response json_response(const json& body) {
  return http::text_response(200, body.dump(2, ' ', false, json::error_handler_t::replace) + "\n",
                             "application/json");
}

std::string name_of(const MetricPath& path) {
  return path.resource + " " + path.namespace_ + "/" + path.name;
}

}  // namespace

bool is_past(const Target& target) { return remembered(target) || ranked(target); }

http::Response HistoryApi::answer(std::string_view method, const Target& target,
                                  WallTime now) const {
  if (!has_version(target.segments[1], target.segments[2]))
    return status_response(404, "the server could not find the requested resource");
  if (const auto inner = ranked(target)) return top(*inner, now);
  const auto inner = remembered(target);
  return method == "DELETE" ? reset(*inner, now) : history(*inner, now);
}

http::Response HistoryApi::history(const Target& target, WallTime now) const {
  const auto query = parse_history_query(target, book_.limits(), now);
  if (!query) return error_response(query.error());
  auto list = json::array();
  std::size_t samples = 0;
  book_.read([&](const metrics::History& history) {
    history.visit(query->selection(), [&](const auto& key, const auto& object) {
      if (samples > kMaxSamples) return;
      auto series = series_json(*query, object);
      samples += samples_in(series);
      series["labels"] = labels_json(key);
      list.push_back(std::move(series));
    });
  });
  if (samples > kMaxSamples)
    return error_response(
        {ErrorKind::TooLarge, "window: an answer has at most " + std::to_string(kMaxSamples) +
                                  " samples; ask for less time, fewer tools or resolution=1m"});
  if (list.empty())
    return error_response(
        {ErrorKind::NotFound, "there is no history of " + name_of(query->path) +
                                  (query->tags.empty() ? "" : " by method and tool as selected")});
  auto body = frame("MetricHistory", *query);
  body["describedObject"] = {{"resource", query->path.resource},
                             {"namespace", query->path.namespace_},
                             {"name", query->path.name}};
  body["series"] = std::move(list);
  return json_response(body);
}

http::Response HistoryApi::top(const Target& target, WallTime now) const {
  const auto query = parse_top_query(target, book_.limits(), now);
  if (!query) return error_response(query.error());
  const auto field = query->aggregates.front();
  const auto found = book_.read([&](const metrics::History& history) {
    return history.top(query->selection(), query->metric, query->from, query->to, query->resolution,
                       field, query->limit);
  });
  auto body = frame("MetricRanking", *query);
  body["namespace"] = query->path.namespace_;
  body["resource"] = query->path.resource;
  body["aggregate"] = to_string(field);
  body["items"] = json::array();
  for (const auto& item : found)
    body["items"].push_back({{"name", item.key.name},
                             {"labels", labels_json(item.key)},
                             {"value", field_json(item.window.of, field)},
                             {"count", item.window.of.count},
                             {"stepSeconds", item.window.step / std::chrono::seconds(1)}});
  return json_response(body);
}

http::Response HistoryApi::reset(const Target& target, WallTime now) const {
  const auto query = parse_reset_query(target);
  if (!query) return error_response(query.error());
  const auto count = book_.reset(query->selection(), query->metric, now);
  if (count == 0)
    return error_response({ErrorKind::NotFound, "there is no history of " + name_of(query->path)});
  return json_response({{"kind", "Status"},
                        {"apiVersion", "v1"},
                        {"metadata", json::object()},
                        {"status", "Success"},
                        {"message", "forgot " + query->path.metric + " of " +
                                        std::to_string(count) + " " + query->path.resource},
                        {"code", 200}});
}

}  // namespace mcpfleet::adapter
