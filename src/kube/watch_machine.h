// List, watch, and what to do after each thing that can happen: a state machine without I/O.
//
// A server that can streams its list as the beginning of a watch (WatchList), which costs both
// sides the memory of one object at a time; from another one the list comes in pages. Source:
// https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
// Thread safety: none; one owner.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/result.h"
#include "kube/object_version.h"

namespace mcpfleet::kube {

// What to do next, after waiting for `delay`.
struct WatchStep {
  enum class Action {
    WatchList,  // a watch that begins with the list
    List,       // a page of a list
    Watch,
  };
  Action action = Action::WatchList;
  std::string continue_token;  // of a List: empty for its first page
  // Of a Watch: where it goes on from. Of a WatchList: what it must not be older than; empty: the
  // newest that there is.
  std::string resource_version;
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

  // The WatchList under way is answered: the server accepts the request at least.
  void answered() { answered_ = true; }

  // Whether a list of this version may be taken. One that is older than what was told already is
  // the answer of a server that lags behind, and is asked for anew; but where nothing else comes
  // for long, the cluster itself has gone back (a restored backup).
  bool accepts(std::string_view resource_version);

  // A page of a list arrived, or all of a WatchList. `continue_token` empty: it was the last one.
  void listed(std::string resource_version, std::string continue_token);

  // An event or a bookmark of a watch moved on to this version.
  void progressed(std::string resource_version);

  // The step under way ended: without an error where the server closed a watch properly.
  // `retry_after` is what the server asked for; `jitter` is a random number in [0, 1).
  void ended(const std::optional<Error>& error, std::optional<Duration> retry_after, double jitter);

 private:
  bool cannot_stream(const std::optional<Error>& error);
  void list_again();

  // Constant after construction.
  const Backoff backoff_;
  // The state.
  WatchStep step_;
  std::string seen_;         // the newest version that was told
  bool streams_ = true;      // as far as we know, this server can answer a WatchList
  bool answered_ = false;    // the WatchList under way
  int unfinished_ = 0;       // WatchLists in a row that were answered and never came to their end
  int older_ = 0;            // lists in a row that were refused for their version
  int failures_ = 0;         // in a row, without progress between them
  bool progressed_ = false;  // since the watch under way began
};

}  // namespace mcpfleet::kube
