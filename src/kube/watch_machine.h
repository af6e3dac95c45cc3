// List, watch, and what to do after each thing that can happen: a state machine without I/O.
//
// Source:
// https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
// Thread safety: none; one owner.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/result.h"

namespace mcpfleet::kube {

// What to do next, after waiting for `delay`.
struct WatchStep {
  enum class Action { List, Watch };
  Action action = Action::List;
  std::string continue_token;    // of a List: empty for its first page
  std::string resource_version;  // of a Watch: where it goes on from
  Duration delay{0};
  bool operator==(const WatchStep&) const = default;
};

class WatchMachine {
 public:
  // The ceiling keeps a recovered server from waiting long for us; jitter spreads a fleet of
  // watchers.
  explicit WatchMachine(Backoff backoff = {std::chrono::milliseconds(200), std::chrono::seconds(5)})
      : backoff_(backoff) {}

  WatchStep next() const { return step_; }

  // A page of a list arrived. `continue_token` empty: it was the last one.
  void listed(std::string resource_version, std::string continue_token);

  // An event or a bookmark of a watch moved on to this version.
  void progressed(std::string resource_version);

  // The list or watch under way ended: without an error where the server closed a watch properly.
  // `retry_after` is what the server asked for; `jitter` is a random number in [0, 1).
  void ended(const std::optional<Error>& error, std::optional<Duration> retry_after, double jitter);

 private:
  void list_again();

  // Constant after construction.
  const Backoff backoff_;
  // The state.
  WatchStep step_;
  int failures_ = 0;         // in a row, without progress between them
  bool progressed_ = false;  // since the watch under way began
};

}  // namespace mcpfleet::kube
