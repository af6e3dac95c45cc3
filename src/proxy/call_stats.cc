#include "proxy/call_stats.h"

#include <algorithm>

#include "mcp/methods.h"
#include "metrics/exposition_writer.h"

namespace mcpfleet::proxy {
namespace {

constexpr std::string_view kToolCall = "tools/call";
constexpr std::string_view kOtherTool = "_other";
constexpr std::size_t kMaxToolName = 128;

// A scraper refuses a whole exposition for one label that is not UTF-8.
bool is_utf8(std::string_view text) {
  int follow = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (follow > 0) {
      if ((byte & 0xC0) != 0x80) return false;
      --follow;
    } else if (byte >= 0x80) {
      follow = (byte >= 0xC2 && byte <= 0xDF)   ? 1
               : (byte & 0xF0) == 0xE0          ? 2
               : (byte >= 0xF0 && byte <= 0xF4) ? 3
                                                : -1;
      if (follow < 0) return false;
    }
  }
  return follow == 0;
}

double seconds_between(MonotonicTime from, MonotonicTime to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

CallStats::Series& CallStats::series(std::string_view method, std::string_view tool) {
  const auto label = mcp::method_label(method);
  if (label != kToolCall) return methods_[label];
  auto found = tools_.find(tool);
  if (found != tools_.end()) return found->second;
  const bool fits = tools_.size() < kMaxTools && tool.size() <= kMaxToolName && is_utf8(tool);
  return tools_[std::string(fits ? tool : kOtherTool)];
}

void CallStats::end(Series& series, double seconds, bool failed) {
  --in_flight_;
  series.durations.observe(seconds);
  if (failed) ++series.errors;
}

void CallStats::write(metrics::ExpositionWriter& out) const {
  using Type = metrics::ExpositionWriter::Type;
  const auto each = [&](auto&& write_one) {
    for (const auto& [method, series] : methods_) write_one(method, std::string_view(), series);
    for (const auto& [tool, series] : tools_) write_one(kToolCall, std::string_view(tool), series);
  };
  out.family("mcp_requests_total", "JSON-RPC requests of clients that ended.", Type::Counter);
  each([&](std::string_view method, std::string_view tool, const Series& series) {
    out.sample("mcp_requests_total", {{"method", method}, {"tool", tool}},
               static_cast<double>(series.durations.count()));
  });
  out.family("mcp_request_errors_total",
             "Requests that ended with a JSON-RPC error, isError, an HTTP status of 500 or more, "
             "or without a whole answer.",
             Type::Counter);
  each([&](std::string_view method, std::string_view tool, const Series& series) {
    out.sample("mcp_request_errors_total", {{"method", method}, {"tool", tool}},
               static_cast<double>(series.errors));
  });
  out.family("mcp_request_duration_seconds", "Time until the end of the answer.", Type::Histogram);
  each([&](std::string_view method, std::string_view tool, const Series& series) {
    out.histogram("mcp_request_duration_seconds", {{"method", method}, {"tool", tool}},
                  series.durations);
  });
  out.family("mcp_requests_in_flight", "Requests of clients that wait for their answer.",
             Type::Gauge);
  out.sample("mcp_requests_in_flight", {}, static_cast<double>(in_flight_));
}

OpenCalls::OpenCalls(CallStats& stats, const std::vector<mcp::Message>& messages, MonotonicTime now)
    : stats_(stats), start_(now) {
  for (const auto& message : messages) {
    if (message.kind() != mcp::Message::Kind::Request) continue;
    open_.push_back({message.id, &stats.series(message.method, message.name)});
    stats.begin();
  }
}

OpenCalls::~OpenCalls() { end_all(true, SystemClock().monotonic()); }

void OpenCalls::answered(const mcp::Answer& answer, MonotonicTime now) {
  auto found = std::ranges::find(open_, answer.id, &Call::id);
  if (found == open_.end() && answer.id.empty() && open_.size() == 1) found = open_.begin();
  if (found == open_.end()) return;
  stats_.end(*found->series, seconds_between(start_, now), answer.failed);
  open_.erase(found);
}

void OpenCalls::end_all(bool failed, MonotonicTime now) {
  for (const auto& call : open_) stats_.end(*call.series, seconds_between(start_, now), failed);
  open_.clear();
}

}  // namespace mcpfleet::proxy
