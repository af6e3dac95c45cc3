// Which pods and MCPServers there are, and what each pod's scrapes say; laid out for answering.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "metrics-adapter/pod_target.h"
#include "metrics-adapter/server_record.h"
#include "metrics/window.h"

namespace mcpfleet::adapter {

// What is known of a pod's metrics. Never changes; replaced as a whole after each scrape.
struct PodHealth {
  std::shared_ptr<const metrics::PodView> view;  // of the last successful scrape; null: none yet
  std::string failure;                           // of the last scrape; empty: it succeeded
  std::optional<MonotonicTime> failing_since;
};

// One pod for as long as it lives (a pod of the same name with another uid is another one).
struct PodRecord {
  explicit PodRecord(Duration covers) : window(covers) {}

  // Any thread.
  std::atomic<std::shared_ptr<const PodHealth>> health{std::make_shared<const PodHealth>()};
  std::atomic<std::size_t> kept_series{0};
  // Set while a scrape is under way; who set it may use what follows.
  std::atomic<bool> busy{false};
  bool asked_past = false;    // the first scrape asks for what was before it
  bool told_failing = false;  // the log says that it fails
  bool told_refused = false;  // the log says that some of its series are not kept
  metrics::PodWindow window;  // protected by window_mutex: any thread may look
  std::mutex window_mutex;
  std::unique_ptr<metrics::SeriesWindow> series;  // null: none is kept
  // Used by the Scraper's own thread only.
  bool has_turn = false;
  std::shared_ptr<const PodTarget> target;  // null: there is nothing to scrape
};

struct PodEntry {
  std::shared_ptr<const PodTarget> target;
  std::shared_ptr<PodRecord> record;
};

// Lets maps with string keys be searched without making a string.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};

// All of one namespace.
struct NamespaceView {
  std::vector<PodEntry> pods;  // ordered by name
  // Of each MCPServer's pods those that have not finished.
  std::unordered_map<std::string, std::vector<PodEntry>, TextHash, std::equal_to<>> pods_of;
  std::map<std::string, std::shared_ptr<const ServerRecord>, std::less<>> servers;
};

struct Snapshot {
  std::unordered_map<std::string, NamespaceView, TextHash, std::equal_to<>> namespaces;
  bool complete = false;  // pods and MCPServers have all been listed once
};

// Thread safety: snapshot() and touch() from any thread; refresh() from one.
class Roster {
 public:
  using Pods = std::function<std::vector<std::shared_ptr<const PodTarget>>()>;
  using Servers = std::function<std::vector<std::shared_ptr<const ServerRecord>>()>;

  // The functions give all objects of the moment, ordered by key; `synced` is true once these are
  // all there are.
  Roster(Pods pods, Servers servers, std::function<bool()> synced, Duration window)
      : pods_(std::move(pods)),
        servers_(std::move(servers)),
        synced_(std::move(synced)),
        window_(window) {}

  // Something changed: the next refresh() looks.
  void touch() { dirty_.store(true); }

  // Builds the snapshot anew where something changed; true if it did.
  bool refresh();

  std::shared_ptr<const Snapshot> snapshot() const { return snapshot_.load(); }

 private:
  const Pods pods_;
  const Servers servers_;
  const std::function<bool()> synced_;
  const Duration window_;
  std::atomic<bool> dirty_{true};
  std::atomic<std::shared_ptr<const Snapshot>> snapshot_{std::make_shared<const Snapshot>()};
  // Used by refresh() only.
  std::unordered_map<std::string_view, std::shared_ptr<PodRecord>> records_;  // by a target's uid
};

}  // namespace mcpfleet::adapter
