// Writes down what the metrics API would say, step by step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "base/clock.h"
#include "metrics-adapter/history/history_book.h"
#include "metrics-adapter/roster.h"
#include "metrics/answer.h"

namespace mcpfleet::adapter {

// Reads what the last scrapes left in the roster, so that neither scrapes nor answers wait for it.
// Of MCPServers each step, of pods and tools each coarse step. What has no value is a gap; a tool
// without calls in the window is one, too.
// Thread safety: one thread.
class Recorder {
 public:
  // What comes between some objects and the next ones, so that whoever answers about the present
  // has the processor in between; false: the rest is left out.
  using Pause = std::function<bool()>;

  Recorder(const Roster& roster, metrics::Terms terms, bool details, HistoryBook& book,
           Pause pause = nullptr)
      : roster_(roster), terms_(terms), details_(details), book_(book), pause_(std::move(pause)) {}

  // Records the step that `now` is in; nothing, where that was done already or not all pods are
  // known yet.
  void record(metrics::Instant now);

 private:
  bool record_space(const NamespaceView& space, bool details);
  bool goes_on();
  void record_server(const ServerRecord& server, const NamespaceView& space, bool details);
  void record_tools(const metrics::HistoryKey& server, std::span<const metrics::PodState> states);
  void record_pod(const PodEntry& entry);
  void want_new(std::shared_ptr<const Snapshot> snapshot);

  const Roster& roster_;
  const metrics::Terms terms_;
  const bool details_;
  HistoryBook& book_;
  const Pause pause_;  // null: none
  metrics::Instant now_;
  std::size_t since_pause_ = 0;              // objects
  std::optional<std::int64_t> step_;         // the last one
  std::optional<std::int64_t> coarse_step_;  // the last one
  std::optional<std::int64_t> minute_;       // the last one
  std::shared_ptr<const Snapshot> seen_;     // whose MCPServers' past was asked for
  std::set<metrics::HistoryKey> known_;      // these MCPServers
};

}  // namespace mcpfleet::adapter
