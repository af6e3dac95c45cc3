// Counts and times the JSON-RPC requests of clients, by method and tool.
//
// Thread safety: none; all of it belongs to the proxy's one thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "mcp/answer_scanner.h"
#include "mcp/message_scanner.h"
#include "metrics/histogram.h"

namespace mcpfleet::metrics {
class ExpositionWriter;
}

namespace mcpfleet::proxy {

class CallStats {
 public:
  // Clients choose the names of tools that they call, so the number of series is bounded.
  static constexpr std::size_t kMaxTools = 128;

  struct Series {
    std::uint64_t errors = 0;
    metrics::Histogram durations;  // its count is the number of requests
  };

  // Where requests of this method and tool are counted. The reference stays valid.
  Series& series(std::string_view method, std::string_view tool);

  void begin() { ++in_flight_; }
  void end(Series& series, double seconds, bool failed);

  std::uint64_t in_flight() const { return in_flight_; }

  // Writes mcp_requests_total, mcp_request_errors_total, mcp_request_duration_seconds and
  // mcp_requests_in_flight.
  void write(metrics::ExpositionWriter& out) const;

 private:
  std::map<std::string, Series, std::less<>> tools_;         // of tools/call
  std::map<std::string_view, Series, std::less<>> methods_;  // of the rest
  std::uint64_t in_flight_ = 0;
};

// The requests that came in one HTTP request, until each is answered. Whatever is unanswered when
// this is destroyed ends as an error.
class OpenCalls {
 public:
  OpenCalls(CallStats& stats, const std::vector<mcp::Message>& messages, MonotonicTime now);
  ~OpenCalls();
  OpenCalls(const OpenCalls&) = delete;
  OpenCalls& operator=(const OpenCalls&) = delete;

  bool empty() const { return open_.empty(); }
  // One answer went by. An answer without an id belongs to the only open request, if it is so.
  void answered(const mcp::Answer& answer, MonotonicTime now);
  // Ends all that is left.
  void end_all(bool failed, MonotonicTime now);

 private:
  struct Call {
    std::string id;
    CallStats::Series* series;
  };

  CallStats& stats_;
  std::vector<Call> open_;
  MonotonicTime start_;
};

}  // namespace mcpfleet::proxy
