#include "tools/kubectl-mcp/top_table.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "desired/reasons.h"
#include "fleet/decode.h"
#include "tools/kubectl-mcp/text.h"
#include "tools/kubectl-mcp/value_text.h"

namespace mcpfleet::kubectl {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kLeastReason = 12;  // fewer columns tell nothing
constexpr std::size_t kGoodReason = 34;   // for which long names are cut
constexpr std::size_t kShortName = 16;
constexpr std::size_t kLeastName = 8;
constexpr std::size_t kMostName = 32;
constexpr std::size_t kMostNamespace = 20;

struct Column {
  const char* title;
  std::string (*cell)(const TopRow& row, WallTime now);
  bool number = true;
  std::size_t width = 0;
};

std::string cell(const char* metric, const std::optional<double>& value) {
  return value ? metric_text(metric, *value) : "-";
}

std::string replicas_cell(const TopRow& row) {
  const std::string text = std::to_string(row.ready) + "/" + std::to_string(row.replicas);
  if (!row.recommended || *row.recommended == row.replicas) return text;
  return text + " → " + std::to_string(*row.recommended);
}

std::string reason_cell(const TopRow& row, WallTime now) {
  if (row.reason.empty()) return "-";
  // In the order of what may be cut off last.
  std::string text = row.reason;
  if (row.decided) text += ", " + age_text(age_of(*row.decided, now)) + " ago";
  return row.by.empty() || row.by == "none" ? text : text + " (" + row.by + ")";
}

std::vector<Column> layout_of(const TableOptions& options) {
  std::vector<Column> result;
  if (options.namespaces) {
    result.push_back(
        {"NAMESPACE", [](const TopRow& row, WallTime) { return row.namespace_; }, false});
  }
  result.push_back({"NAME", [](const TopRow& row, WallTime) { return row.name; }, false});
  result.push_back({"RATE", [](const TopRow& row, WallTime) {
                      return cell("mcp_requests_per_second", row.rate);
                    }});
  result.push_back({"P95", [](const TopRow& row, WallTime) {
                      return cell("mcp_request_duration_seconds_p95", row.p95);
                    }});
  result.push_back({"ERRORS", [](const TopRow& row, WallTime) {
                      return cell("mcp_error_ratio", row.error_ratio);
                    }});
  result.push_back({"IN-FLIGHT", [](const TopRow& row, WallTime) {
                      return cell("mcp_requests_in_flight", row.in_flight);
                    }});
  result.push_back({"SESSIONS", [](const TopRow& row, WallTime) {
                      return cell("mcp_active_sessions", row.sessions);
                    }});
  result.push_back(
      {"REPLICAS", [](const TopRow& row, WallTime) { return replicas_cell(row); }, false});
  result.push_back({"REASON", reason_cell, false});
  return result;
}

std::size_t width_of(const std::vector<Column>& layout) {
  std::size_t sum = 0;
  for (const auto& column : layout) sum += column.width + kGap;
  return sum - kGap;
}

// Cuts NAMESPACE and NAME, but not below `least`, until there is room for `wanted` columns more.
void shrink_names(std::vector<Column>& layout, const TableOptions& options, std::size_t least,
                  std::size_t wanted) {
  for (std::size_t i = 0; i < (options.namespaces ? 2U : 1U); ++i) {
    const std::size_t needed = width_of(layout) + wanted;
    if (needed <= options.width || layout[i].width <= least) continue;
    layout[i].width -= std::min(needed - options.width, layout[i].width - least);
  }
}

// As wide as what is in them, but names are cut where they would take the room of what is asked
// for; REASON gets what is left, or goes.
void fit(std::vector<Column>& layout, const std::vector<TopRow>& rows,
         const TableOptions& options) {
  for (auto& column : layout) {
    column.width = columns(column.title);
    for (const auto& row : rows) {
      column.width = std::max(column.width, columns(column.cell(row, options.now)));
    }
  }
  auto& name = layout[options.namespaces ? 1 : 0];
  name.width = std::min(name.width, kMostName);
  if (options.namespaces) layout[0].width = std::min(layout[0].width, kMostNamespace);
  Column reason = layout.back();
  layout.pop_back();
  shrink_names(layout, options, kShortName, kGoodReason + kGap);
  const std::size_t taken = width_of(layout) + kGap;
  if (taken + kLeastReason <= options.width) {
    reason.width = options.width - taken;
    layout.push_back(reason);
  } else {
    shrink_names(layout, options, kLeastName, 0);
  }
}

std::string line_of(const std::vector<Column>& layout, const TopRow* row,
                    const TableOptions& options) {
  std::string line;
  for (const auto& column : layout) {
    const std::string text =
        cut(row == nullptr ? column.title : column.cell(*row, options.now), column.width);
    line += (line.empty() ? "" : std::string(kGap, ' ')) +
            (column.number ? right(text, column.width) : left(text, column.width));
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return cut(line, options.width);
}

// What a server suffers from that has decided nothing yet.
std::string first_trouble(const fleet::Status& status) {
  const auto* ready = fleet::find_condition(status, desired::kReady);
  const bool bad = ready != nullptr && ready->status == fleet::ConditionStatus::False;
  return bad ? ready->reason : "";
}

void set_decision(const fleet::ScalingStatus& scaling, TopRow& row) {
  if (scaling.recommended_replicas > 0) row.recommended = scaling.recommended_replicas;
  if (scaling.would_be) row.recommended = scaling.would_be;
  if (!scaling.decisions.empty()) {
    const auto& decision = scaling.decisions.front();
    row.reason = decision.reason;
    row.decided = decision.time;
    row.by = decision.rule.empty() ? decision.by : decision.rule;
  } else if (scaling.last_decision) {
    row.reason = scaling.last_decision->reason;
    row.decided = scaling.last_decision->time;
    row.by = scaling.last_decision->rule;
  }
}

}  // namespace

Result<TopRow> decode_row(std::string_view json) {
  const auto server = fleet::decode_identity(json);
  if (!server) return fail(server.error());
  TopRow row{.namespace_ = server->namespace_,
             .name = server->name,
             .ready = server->status.ready_replicas,
             .replicas = server->status.replicas};
  if (server->status.scaling) set_decision(*server->status.scaling, row);
  if (row.reason.empty()) row.reason = first_trouble(server->status);
  return row;
}

void sort_rows(std::vector<TopRow>& rows, Sort sort) {
  const auto value = [sort](const TopRow& row) -> std::optional<double> {
    switch (sort) {
      case Sort::Rate:
        return row.rate;
      case Sort::P95:
        return row.p95;
      case Sort::InFlight:
        return row.in_flight;
      case Sort::Sessions:
        return row.sessions;
      case Sort::Name:
        break;
    }
    return std::nullopt;
  };
  // An absent value is less than any.
  std::ranges::sort(rows, [&](const TopRow& a, const TopRow& b) {
    const auto of_a = value(a);
    const auto of_b = value(b);
    if (of_a != of_b) return of_a > of_b;
    if (sort == Sort::Name && a.name != b.name) return a.name < b.name;
    return std::tie(a.namespace_, a.name) < std::tie(b.namespace_, b.name);
  });
}

std::string top_table(const std::vector<TopRow>& rows, const TableOptions& options) {
  if (rows.empty()) return {};
  auto layout = layout_of(options);
  fit(layout, rows, options);
  const std::string head = line_of(layout, nullptr, options);
  std::string text = options.colour ? "\x1b[1m" + head + "\x1b[0m\n" : head + "\n";
  const bool all = rows.size() <= options.most_rows;
  const auto count =
      all ? rows.size() : options.most_rows - std::min<std::size_t>(options.most_rows, 1);
  for (std::size_t i = 0; i < count; ++i) {
    text += line_of(layout, &rows[i], options) + "\n";
  }
  if (!all) text += "… and " + std::to_string(rows.size() - count) + " more\n";
  return text;
}

}  // namespace mcpfleet::kubectl
