// What Prometheus' HTTP API answers. Pure.
//
// Source: https://prometheus.io/docs/prometheus/latest/querying/api/
// Thread safety: free functions without state.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "metrics-adapter/prometheus/naming.h"

namespace mcpfleet::adapter::promql {

struct Sample {
  std::map<std::string, std::string> labels;  // none for a scalar
  double value = 0;                           // may be NaN or infinite
  WallTime time;
};

// A vector or a scalar. Error: Malformed, or Invalid where the query gives something else.
Result<std::vector<Sample>> parse_query_answer(std::string_view body);

// By their names, the labels that series of that name have.
using SeriesLabels = std::map<std::string, LabelNames, std::less<>>;

// Of what may be a very long list only this is kept. Error: Malformed.
Result<SeriesLabels> parse_series_answer(std::string_view body);

// Why Prometheus refuses a request, from its body, such as "bad_data: parse error"; else, and where
// the body is no answer of Prometheus, empty.
std::string refusal(std::string_view body);

}  // namespace mcpfleet::adapter::promql
