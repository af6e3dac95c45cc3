// The table of `kubectl mcp top`. Pure: from decoded values to text.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "tools/kubectl-mcp/options.h"

namespace mcpfleet::kubectl {

struct TopRow {
  std::string namespace_;
  std::string name;
  int ready = 0;
  int replicas = 0;
  std::optional<int> recommended;  // absent: nothing is recommended
  std::string reason;              // of the last decision, in short; empty: there is none
  std::string by;                  // the rule or recommender behind it
  std::optional<WallTime> decided;
  // Absent: the metrics API has no value.
  std::optional<double> rate;  // calls a second
  std::optional<double> p95;   // seconds
  std::optional<double> error_ratio;
  std::optional<double> in_flight;
  std::optional<double> sessions;
  bool operator==(const TopRow&) const = default;
};

// Counts and the last decision of an MCPServer, without live values. Error: Malformed.
Result<TopRow> decode_row(std::string_view json);

// The greatest first, what has no value last; by name in the order of the alphabet.
void sort_rows(std::vector<TopRow>& rows, Sort sort);

struct TableOptions {
  bool namespaces = false;  // with a column NAMESPACE
  std::size_t width = 100;  // columns of the terminal
  std::size_t most_rows =
      ~std::size_t{0};  // those that have room; the others are counted in a last line
  bool colour = false;
  WallTime now{};
};

// A head and a line for each row, in their order; no line is longer than the width. Empty without
// rows.
std::string top_table(const std::vector<TopRow>& rows, const TableOptions& options);

}  // namespace mcpfleet::kubectl
