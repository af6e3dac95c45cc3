// The scrapes of one pod over the last seconds, as increases.
//
// Counters are turned into increases as they arrive, so that a restart of the pod (counters that
// start again at zero) never shows as a fall. Memory: what changed in each scrape of the window.
// Thread safety: PodWindow is for one thread at a time; a PodView never changes.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "metrics/histogram.h"
#include "metrics/sample.h"
#include "metrics/series_window.h"

namespace mcpfleet::metrics {

// A moment by both clocks: ages are measured with the monotonic one, people are told the wall time.
struct Instant {
  WallTime wall;
  MonotonicTime monotonic;
};

// How far counters rose within a window.
struct Increase {
  double requests = 0;
  double errors = 0;
  Histogram durations;
  // Of pods that tell averages: the requests, and the seconds that they took by the average of that
  // moment.
  double told_requests = 0;
  double told_seconds = 0;

  void add(const Increase& other);
};

struct KindIncrease {
  std::string method;
  std::string tool;
  Increase by;
};

// What a pod's window says, at the time of its last successful scrape.
struct PodView {
  Instant at;           // of the last successful scrape
  Duration covered{0};  // what the increases below cover; 0: only one scrape so far
  bool has_mcp = true;  // the pod exposes metrics of an MCP server
  std::optional<double> in_flight;
  std::optional<double> sessions;
  bool draining = false;
  bool folds_tools = false;  // has more tools than it counts one by one (tool="_other")
  Increase total;
  // Those with an increase; all where the pod folds tools, so that one that is missing is known to
  // be folded.
  std::vector<KindIncrease> kinds;
  // Other series that somebody asked for; null: none are kept.
  std::shared_ptr<const SeriesStates> series;
};

class PodWindow {
 public:
  explicit PodWindow(Duration window) : window_(window) {}

  // Takes a successful scrape. `at` never goes back.
  //  - The first scrape is only the starting point, unless the process started within the window:
  //    its counters then count from zero at that time.
  //  - A kind of request that is new in a later scrape counts from zero at the scrape before.
  //  - A counter that fell, or a new process start, is a restart: all counters count from zero.
  //  - After a gap longer than the window everything starts over.
  void add(Instant at, Sample sample);

  // Of the last scrape that was taken.
  std::optional<Instant> last() const { return last_at_; }

  // Over the whole window, or `within` a shorter time before the last scrape: over the steps that
  // are at least half in it, and the last one whatever it covers.
  PodView view(std::optional<Duration> within = std::nullopt) const;

 private:
  struct KindStep {
    std::uint32_t kind = 0;  // index into names_
    double requests = 0;
    double errors = 0;
    double duration_sum = 0;
    bool told = false;  // the sum is by an average that the pod told
    std::vector<std::pair<std::uint8_t, std::uint64_t>> buckets;
  };
  // What rose from one scrape to the next.
  struct Step {
    MonotonicTime from;
    MonotonicTime to;
    std::vector<KindStep> kinds;
  };

  std::optional<MonotonicTime> start_within_window(Instant at, const Sample& sample) const;
  bool restarted(const Sample& sample) const;
  bool is_within(MonotonicTime from, MonotonicTime to, std::optional<Duration> within) const;
  void append_idle_kinds(PodView& view) const;
  void append_step(MonotonicTime from, MonotonicTime to, const Sample& sample, bool from_zero);
  static void take_told(const CallCounters& now, KindStep& step);
  std::uint32_t index_of(const CallCounters& kind);
  void forget_old(MonotonicTime now);

  Duration window_;
  std::optional<Instant> last_at_;
  Sample last_;
  std::vector<std::pair<std::string, std::string>> names_;  // method and tool of each kind
  std::deque<Step> steps_;
};

}  // namespace mcpfleet::metrics
