// The scrapes of one pod over the last seconds, as increases.
//
// Counters are turned into increases as they arrive, so that a restart of the pod (counters that
// start again at zero) never shows as a fall. Memory: what changed in each scrape of the window, in
// some ten bytes a scrape for each kind of request, and in 25 with durations; see
// hack/bench adapter_memory.
// Thread safety: PodWindow is for one thread at a time; a PodView never changes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "metrics/histogram.h"
#include "metrics/packed_numbers.h"
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
  // A kind's place in names_.
  using Place = std::uint32_t;

  // The counters of one kind at the last scrape.
  struct Counters {
    Place place = 0;
    double requests = 0;
    double errors = 0;
    Histogram durations;
  };
  // How one kind rose from one scrape to the next.
  struct KindStep {
    Place place = 0;
    double requests = 0;
    double errors = 0;
    double duration_sum = 0;
    bool told = false;  // the sum is by an average that the pod told
    std::vector<std::pair<std::uint8_t, std::uint64_t>> buckets;
  };
  struct Name {
    std::string method;
    std::string tool;
    bool used = true;  // else the place is free
  };

  std::optional<MonotonicTime> start_within_window(Instant at, const Sample& sample) const;
  // Of a kind at the last scrape; null: it was not there.
  const Counters* find(const CallCounters& kind) const;
  bool restarted(const Sample& sample) const;
  bool is_within(MonotonicTime from, MonotonicTime to, std::optional<Duration> within) const;
  static void add_step(Increase& by, const KindStep& kind);
  void append_idle_kinds(PodView& view) const;
  void append_step(MonotonicTime from, MonotonicTime to, const Sample& sample, bool from_zero);
  static void take_told(const CallCounters& now, KindStep& step);
  void remember(Sample sample);
  Place place_of(const CallCounters& kind);
  void forget_old(MonotonicTime now);
  void free_places();

  static void pack_kind(PackedBytes& into, const KindStep& kind);
  static void read_kind(PackedReader& from, KindStep& kind);
  // Calls with each kind of each step for whose beginning and end `take` says true, the oldest step
  // first.
  template <typename Take, typename Visit>
  void visit_steps(const Take& take, const Visit& call) const;

  Duration window_;
  std::optional<Instant> last_at_;
  Sample last_;                       // without its calls
  std::vector<Counters> last_calls_;  // ordered by method, then tool
  std::vector<Name> names_;           // of the kinds in last_calls_ and steps_
  // The steps follow each other without a gap and end at last_at_. Of each: its length, how many
  // kinds it has, and these.
  PackedBytes steps_;
  MonotonicTime steps_from_;
};

}  // namespace mcpfleet::metrics
