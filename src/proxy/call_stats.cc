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

MonotonicTime second_of(MonotonicTime time) {
  return std::chrono::floor<std::chrono::seconds>(time);
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

void CallStats::end(Series& series, MonotonicTime start, MonotonicTime now, bool failed) {
  --in_flight_;
  const double seconds = std::chrono::duration<double>(now - start).count();
  for (auto* counted : {&series, &this_second(series, now)}) {
    counted->durations.observe(seconds);
    if (failed) ++counted->errors;
  }
}

CallStats::Series& CallStats::this_second(const Series& series, MonotonicTime now) {
  const auto second = second_of(now);
  if (past_.empty() || past_.back().from < second) {
    forget_past(now);
    past_.push_back({second, {}});
  }
  const auto [found, added] = past_.back().ended.try_emplace(&series);
  if (added) ++past_size_;
  return found->second;
}

void CallStats::forget_past(MonotonicTime now) {
  while (!past_.empty() && (past_.front().from < now - kPast || past_size_ > kMostPast)) {
    past_from_ = past_.front().from + std::chrono::seconds(1);
    past_size_ -= past_.front().ended.size();
    past_.pop_front();
  }
}

CallStats::Series CallStats::before(const Series& series, MonotonicTime then) const {
  Series since;
  for (auto second = past_.rbegin(); second != past_.rend() && second->from >= then; ++second) {
    const auto ended = second->ended.find(&series);
    if (ended == second->ended.end()) continue;
    since.errors += ended->second.errors;
    since.durations.merge(ended->second.durations);
  }
  const auto durations = series.durations.since(since.durations);
  // Of nothing the sum is nothing, and not what rounding left.
  if (!durations || durations->count() == 0) return {};
  return {series.errors - since.errors, *durations};
}

CallStats CallStats::at(MonotonicTime then) const {
  CallStats earlier;
  const auto second = second_of(then);
  for (const auto& [tool, series] : tools_) earlier.tools_.emplace(tool, before(series, second));
  for (const auto& [method, series] : methods_)
    earlier.methods_.emplace(method, before(series, second));
  return earlier;
}

// Calls visit(method, tool, series) for each.
template <typename Visit>
void CallStats::visit(const Visit& visit) const {
  for (const auto& [method, series] : methods_) visit(method, std::string_view(), series);
  for (const auto& [tool, series] : tools_) visit(kToolCall, std::string_view(tool), series);
}

void CallStats::each(const Visitor& visitor) const { visit(visitor); }

void CallStats::write(metrics::ExpositionWriter& out) const {
  const OfServer here{{}, {}, this};
  write(out, {&here, 1});
}

void CallStats::write(metrics::ExpositionWriter& out, std::span<const OfServer> servers) {
  using Type = metrics::ExpositionWriter::Type;
  using Labels = metrics::ExpositionWriter::Labels;
  const auto each = [&](auto&& write_one) {
    for (const auto& of : servers) {
      of.stats->visit([&](std::string_view method, std::string_view tool, const Series& series) {
        if (of.server.empty())
          write_one(Labels{{"method", method}, {"tool", tool}}, series);
        else
          write_one(
              Labels{
                  {"namespace", of.ns}, {"server", of.server}, {"method", method}, {"tool", tool}},
              series);
      });
    }
  };
  out.family("mcp_requests_total", "JSON-RPC requests of clients that ended.", Type::Counter);
  each([&](Labels labels, const Series& series) {
    out.sample("mcp_requests_total", labels, static_cast<double>(series.durations.count()));
  });
  out.family("mcp_request_errors_total",
             "Requests that ended with a JSON-RPC error, isError, an HTTP status of 500 or more, "
             "or without a whole answer.",
             Type::Counter);
  each([&](Labels labels, const Series& series) {
    out.sample("mcp_request_errors_total", labels, static_cast<double>(series.errors));
  });
  out.family("mcp_request_duration_seconds", "Time until the end of the answer.", Type::Histogram);
  each([&](Labels labels, const Series& series) {
    out.histogram("mcp_request_duration_seconds", labels, series.durations);
  });
  out.family("mcp_requests_in_flight", "Requests of clients that wait for their answer.",
             Type::Gauge);
  for (const auto& of : servers) {
    const auto value = static_cast<double>(of.stats->in_flight_);
    if (of.server.empty())
      out.sample("mcp_requests_in_flight", {}, value);
    else
      out.sample("mcp_requests_in_flight", {{"namespace", of.ns}, {"server", of.server}}, value);
  }
}

OpenCalls::OpenCalls(CallStats& stats, const std::vector<mcp::Message>& messages, MonotonicTime now)
    : stats_(stats), start_(now) {
  for (const auto& message : messages) {
    if (message.kind() != mcp::Message::Kind::Request || mcp::is_subscription(message.method))
      continue;
    open_.push_back({message.id, &stats.series(message.method, message.name),
                     mcp::may_be_refused(message.method)});
    stats.begin();
  }
}

OpenCalls::~OpenCalls() { end_all(true, SystemClock().monotonic()); }

void OpenCalls::answered(const mcp::Answer& answer, MonotonicTime now) {
  auto found = std::ranges::find(open_, answer.id, &Call::id);
  if (found == open_.end() && answer.id.empty() && open_.size() == 1) found = open_.begin();
  if (found == open_.end()) return;
  const bool failed = answer.failed && !found->may_be_refused;
  stats_.end(*found->series, start_, now, failed);
  failed_ = failed_ || failed;
  open_.erase(found);
}

void OpenCalls::refused(MonotonicTime now) {
  std::erase_if(open_, [&](const Call& call) {
    if (call.may_be_refused) stats_.end(*call.series, start_, now, false);
    return call.may_be_refused;
  });
}

void OpenCalls::end_all(bool failed, MonotonicTime now) {
  for (const auto& call : open_) stats_.end(*call.series, start_, now, failed);
  failed_ = failed_ || (failed && !open_.empty());
  open_.clear();
}

}  // namespace mcpfleet::proxy
