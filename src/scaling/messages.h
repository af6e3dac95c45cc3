// The sentences of the rules. Internal to scaling. Pure, free functions.
#pragma once

#include <string>

#include "fleet/mcp_server.h"
#include "scaling/series.h"

namespace mcpfleet::scaling {

const char* symbol(fleet::Operator op);
// "mcp_request_duration_seconds_p95", "… of tool search".
std::string subject(const fleet::Rule& rule);
// "rule slow: mcp_request_duration_seconds_p95 averaged 0.412 over 30s > 0.2"; what holds as it is,
// what does not as "averaged 0.1 over 30s, not > 0.2", nothing to measure as "is idle".
std::string finding(const fleet::Rule& rule, const Window& window, bool met);
// "rule slow has no data: <why>".
std::string without_data(const fleet::Rule& rule, const Window& window, const std::string& why);
// "3 → 5 replicas".
std::string step(int from, int to);
// The rule's metric and its average for status.scaling.metrics, to two significant digits.
fleet::MetricReading reading(const fleet::Rule& rule, const Window& window);

}  // namespace mcpfleet::scaling
