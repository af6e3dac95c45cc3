// Kubernetes quantities, such as "100", "1500m", "1.5", "2Gi" or "1e3", as exact thousandths.
// Source: k8s.io/apimachinery pkg/api/resource.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mcpfleet {

// The largest number of thousandths that we ever write: a HorizontalPodAutoscaler reads values in
// thousandths as int64 and takes an overflow for 0.
inline constexpr std::int64_t kMaxMilli = 9'200'000'000'000'000;

// Reads a quantity into thousandths; parts finer than 1/1000 round up, as Kubernetes does; values
// beyond ±kMaxMilli are clamped. Error: Invalid.
Result<std::int64_t> parse_quantity_milli(std::string_view text);

// Canonical text: no fraction digits, the largest exact decimal suffix: 1500 -> "1500m", 1'000'000
// -> "1k".
std::string format_quantity_milli(std::int64_t milli);

// A measured value as thousandths, rounded to nearest and clamped; NaN and infinities have no
// quantity and are an error (Invalid), because a reader would take them for zero.
Result<std::int64_t> to_milli(double value);

}  // namespace mcpfleet
