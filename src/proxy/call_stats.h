// Counts and times the JSON-RPC requests of clients, by method and tool.
//
// Thread safety: none; all of it belongs to the proxy's one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <span>
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
  // How far at() reaches back, unless more than kMostPast series ended something in that time, each
  // second's counted by themselves.
  static constexpr Duration kPast = std::chrono::minutes(5);
  static constexpr std::size_t kMostPast = 2'000;

  struct Series {
    std::uint64_t errors = 0;
    metrics::Histogram durations;  // its count is the number of requests
  };

  // Where requests of this method and tool are counted. The reference stays valid.
  Series& series(std::string_view method, std::string_view tool);

  void begin() { ++in_flight_; }
  // A request of `series` that began at `start` ended at `now`, which never goes back.
  void end(Series& series, MonotonicTime start, MonotonicTime now, bool failed);

  std::uint64_t in_flight() const { return in_flight_; }

  // The counters as they were at the beginning of the second that `then` is in; not those in
  // flight. A reader that begins now sees by them what one that has read all along saw.
  CallStats at(MonotonicTime then) const;
  // Whether at() still knows.
  bool reaches(MonotonicTime then) const { return then >= past_from_; }

  // Calls visitor(method, tool, series) for each; `tool` is empty but for tools/call.
  using Visitor = std::function<void(std::string_view, std::string_view, const Series&)>;
  void each(const Visitor& visitor) const;

  // Writes mcp_requests_total, mcp_request_errors_total, mcp_request_duration_seconds and
  // mcp_requests_in_flight.
  void write(metrics::ExpositionWriter& out) const;
  // The same of several servers, with the labels namespace and server.
  struct OfServer {
    std::string_view ns;
    std::string_view server;
    const CallStats* stats;
  };
  static void write(metrics::ExpositionWriter& out, std::span<const OfServer> servers);

 private:
  // What ended in one second.
  struct Second {
    MonotonicTime from;
    std::map<const Series*, Series> ended;
  };

  template <typename Visit>
  void visit(const Visit& visit) const;
  Series& this_second(const Series& series, MonotonicTime now);
  void forget_past(MonotonicTime now);
  Series before(const Series& series, MonotonicTime then) const;

  std::map<std::string, Series, std::less<>> tools_;         // of tools/call
  std::map<std::string_view, Series, std::less<>> methods_;  // of the rest
  std::uint64_t in_flight_ = 0;
  std::deque<Second> past_;
  std::size_t past_size_ = 0;                       // series of all of its seconds
  MonotonicTime past_from_ = MonotonicTime::min();  // all that ended since is in past_
};

// The requests that came in one HTTP request, but subscriptions, until each is answered. Whatever
// is unanswered when this is destroyed ends as an error.
class OpenCalls {
 public:
  OpenCalls(CallStats& stats, const std::vector<mcp::Message>& messages, MonotonicTime now);
  ~OpenCalls();
  OpenCalls(const OpenCalls&) = delete;
  OpenCalls& operator=(const OpenCalls&) = delete;

  bool empty() const { return open_.empty(); }
  // One of them ended as an error.
  bool failed() const { return failed_; }
  // One answer went by. An answer without an id belongs to the only open request, if it is so.
  void answered(const mcp::Answer& answer, MonotonicTime now);
  // The server answered with an HTTP status of 4xx, and no JSON-RPC error that says whose it is.
  void refused(MonotonicTime now);
  // Ends all that is left.
  void end_all(bool failed, MonotonicTime now);

 private:
  struct Call {
    std::string id;
    CallStats::Series* series;
    bool may_be_refused = false;  // then an error is none for the metrics
  };

  CallStats& stats_;
  std::vector<Call> open_;
  MonotonicTime start_;
  bool failed_ = false;
};

}  // namespace mcpfleet::proxy
