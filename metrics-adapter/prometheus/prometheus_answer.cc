#include "metrics-adapter/prometheus/prometheus_answer.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "metrics-adapter/json_fields.h"

namespace mcpfleet::adapter::promql {
namespace {

using nlohmann::json;

std::unexpected<Error> malformed(const char* what) {
  return fail(ErrorKind::Malformed, std::string("Prometheus' answer ") + what);
}

// "1.5", "NaN", "+Inf", "-Inf"
std::optional<double> parse_number(const std::string& text) {
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "+Inf") return std::numeric_limits<double>::infinity();
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

// Some centuries: beyond them the time would not fit.
constexpr double kMaxSeconds = 9e9;

// [1767225600.123, "1.5"]
Result<Sample> read_pair(const json& pair) {
  if (!pair.is_array() || pair.size() != 2 || !pair[0].is_number() || !pair[1].is_string())
    return malformed("has a value that is no pair of a time and a text");
  const auto value = parse_number(pair[1].get_ref<const std::string&>());
  const auto seconds = pair[0].get<double>();
  if (!value) return malformed("has a value that is no number");
  if (!(std::abs(seconds) < kMaxSeconds)) return malformed("has a time that cannot be");
  Sample sample;
  sample.value = *value;
  sample.time = WallTime{std::chrono::duration_cast<Duration>(
      std::chrono::milliseconds(std::llround(seconds * 1000)))};
  return sample;
}

Result<Sample> read_sample(const json& entry) {
  if (!entry.is_object() || !entry.contains("metric") || !entry["metric"].is_object())
    return malformed("has a sample without its labels");
  if (!entry.contains("value"))
    return fail(ErrorKind::Invalid,
                "the query gives native histograms, which are no single values");
  auto sample = read_pair(entry["value"]);
  if (!sample) return sample;
  for (const auto& [label, value] : entry["metric"].items()) {
    if (!value.is_string()) return malformed("has a label that is no text");
    sample->labels.emplace(label, value.get<std::string>());
  }
  return sample;
}

// Reads {"status":"success","data":[{"__name__":"x","label":"value"},…]} while it goes by.
class SeriesReader final : public nlohmann::json_sax<json> {
 public:
  SeriesLabels take() { return std::move(found_); }
  bool is_complete() const { return success_ && listed_; }

  bool null() override { return scalar(); }
  bool boolean(bool) override { return scalar(); }
  bool number_integer(number_integer_t) override { return scalar(); }
  bool number_unsigned(number_unsigned_t) override { return scalar(); }
  bool number_float(number_float_t, const string_t&) override { return scalar(); }
  bool binary(binary_t&) override { return false; }
  bool string(string_t& text) override {
    if (depth_ == 1 && key_ == "status") success_ = text == "success";
    if (in_series() && key_ == "__name__") name_ = std::move(text);
    return true;
  }
  bool start_object(std::size_t) override {
    ++depth_;
    if (in_series()) {
      name_.clear();
      labels_.clear();
    }
    return !in_data_ || depth_ == kSeriesDepth;
  }
  bool key(string_t& name) override {
    key_ = std::move(name);
    if (in_series() && key_ != "__name__") labels_.push_back(key_);
    return true;
  }
  bool end_object() override {
    if (in_series() && !name_.empty())
      found_[std::move(name_)].insert(labels_.begin(), labels_.end());
    --depth_;
    return true;
  }
  bool start_array(std::size_t) override {
    if (in_data_) return false;
    ++depth_;
    in_data_ = depth_ == 2 && key_ == "data";
    listed_ = listed_ || in_data_;
    return true;
  }
  bool end_array() override {
    if (depth_ == 2) in_data_ = false;
    --depth_;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const json::exception&) override {
    return false;
  }

 private:
  static constexpr int kSeriesDepth = 3;
  bool in_series() const { return in_data_ && depth_ == kSeriesDepth; }
  bool scalar() const { return !in_data_; }

  SeriesLabels found_;
  bool success_ = false;
  bool listed_ = false;
  int depth_ = 0;
  bool in_data_ = false;
  std::string key_;
  std::string name_;                 // of the series that is read
  std::vector<std::string> labels_;  // of it
};

}  // namespace

Result<std::vector<Sample>> parse_query_answer(std::string_view body) {
  const auto answer = json::parse(body, nullptr, false);
  if (text_of(answer, "status") != "success") return malformed("is not one of its API");
  const auto data = answer.find("data");
  if (data == answer.end() || !data->is_object() || !data->contains("result"))
    return malformed("has no result");
  const auto type = text_of(*data, "resultType");
  const auto& result = (*data)["result"];
  std::vector<Sample> samples;
  if (type == "scalar") {
    auto sample = read_pair(result);
    if (!sample) return fail(sample.error());
    samples.push_back(std::move(*sample));
    return samples;
  }
  if (type != "vector")
    return fail(ErrorKind::Invalid, "the query gives a " + type + ", not one value of each series");
  if (!result.is_array()) return malformed("has a result that is no list");
  for (const auto& entry : result) {
    auto sample = read_sample(entry);
    if (!sample) return fail(sample.error());
    samples.push_back(std::move(*sample));
  }
  return samples;
}

Result<SeriesLabels> parse_series_answer(std::string_view body) {
  SeriesReader reader;
  if (!json::sax_parse(body, &reader) || !reader.is_complete())
    return malformed("is not one of its API");
  return reader.take();
}

std::string refusal(std::string_view body) {
  const auto answer = json::parse(body, nullptr, false);
  if (text_of(answer, "status") != "error") return {};
  return text_of(answer, "errorType") + ": " + text_of(answer, "error");
}

}  // namespace mcpfleet::adapter::promql
