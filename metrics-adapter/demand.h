// Which metrics of other names than our own are asked for, and so which series of the pods are
// kept: those that a HorizontalPodAutoscaler names, and those of recent requests.
//
// Thread safety: any thread.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "metrics/series_window.h"

namespace mcpfleet::adapter {

// The metrics of pods that a HorizontalPodAutoscaler reads, without those of our own names.
struct AutoscalerMetrics {
  std::string namespace_;
  std::string name;
  std::set<std::string> metrics;

  bool kept() const { return !metrics.empty(); }
};

// From a HorizontalPodAutoscaler's JSON (autoscaling/v2). Error: Malformed.
Result<AutoscalerMetrics> decode_autoscaler(std::string_view json);

class Demand {
 public:
  using Autoscalers = std::vector<std::shared_ptr<const AutoscalerMetrics>>;

  // How long a metric is kept after the last request for it.
  static constexpr Duration kKept = std::chrono::minutes(10);
  // Names that requests alone keep, of one namespace.
  static constexpr std::size_t kMostAsked = 100;

  // `autoscalers` gives all of the moment; null: set_autoscalers() tells.
  explicit Demand(std::function<Autoscalers()> autoscalers = nullptr)
      : autoscalers_(std::move(autoscalers)) {}

  // A request asked for it. True: it is kept already. Error: Invalid for what cannot be a metric's
  // name; Unavailable where too many others were asked for.
  Result<bool> ask(const std::string& namespace_, const std::string& metric, MonotonicTime now);

  // All autoscalers of the moment.
  void set_autoscalers(const Autoscalers& autoscalers);
  // Some have changed: the next refresh() looks, so that a list of many is looked at once.
  void touch() { dirty_.store(true); }

  // Looks at the autoscalers where they changed, and forgets what nobody asked for lately.
  void refresh(MonotonicTime now);
  void forget_old(MonotonicTime now);

  // The series to keep in a namespace; null: none.
  std::shared_ptr<const metrics::WantedSeries> wanted(std::string_view namespace_) const;

 private:
  struct Space {
    std::map<std::string, MonotonicTime, std::less<>> asked;  // by metric: when last
    std::set<std::string, std::less<>> standing;              // of autoscalers
    std::shared_ptr<const metrics::WantedSeries> series;      // of both

    bool wants(const std::string& metric) const;
    void build();
  };

  const std::function<Autoscalers()> autoscalers_;
  std::atomic<bool> dirty_{false};
  mutable std::mutex mutex_;
  std::map<std::string, Space, std::less<>> spaces_;  // by namespace; protected by mutex_
};

}  // namespace mcpfleet::adapter
