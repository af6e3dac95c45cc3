#include "kube/watch_machine.h"

#include <algorithm>
#include <utility>

namespace mcpfleet::kube {
namespace {

// A watch that goes on failing is begun anew from a list: its version may be one that this server
// cannot serve and does not say so (a restored backup).
constexpr int kFailuresBeforeRelist = 5;
// About half a minute with the back-off.
constexpr int kOlderListsBeforeBelief = 8;
// One may be a connection that went dead half way.
constexpr int kUnfinishedBeforePages = 2;

}  // namespace

bool WatchMachine::accepts(std::string_view resource_version) {
  if (!version_less(resource_version, seen_)) return true;
  return ++older_ > kOlderListsBeforeBelief;
}

void WatchMachine::listed(std::string resource_version, std::string continue_token) {
  failures_ = 0;
  step_.delay = Duration(0);
  if (!continue_token.empty()) {
    step_.continue_token = std::move(continue_token);
    return;
  }
  progressed_ = false;
  unfinished_ = 0;
  older_ = 0;
  seen_ = resource_version;
  step_ = {WatchStep::Action::Watch, "", std::move(resource_version), Duration(0)};
}

void WatchMachine::progressed(std::string resource_version) {
  failures_ = 0;
  progressed_ = true;
  seen_ = resource_version;
  step_.resource_version = std::move(resource_version);
}

void WatchMachine::ended(const std::optional<Error>& error, std::optional<Duration> retry_after,
                         double jitter) {
  const bool quiet_end = !error && progressed_;
  progressed_ = false;
  if (quiet_end) {
    step_.delay = Duration(0);
    return;
  }
  if (step_.action == WatchStep::Action::WatchList && cannot_stream(error)) {
    streams_ = false;
    list_again();
    return;
  }
  ++failures_;
  const bool watching = step_.action == WatchStep::Action::Watch;
  // An expired version or continue token: what we hold cannot be continued.
  const bool gone = error && error->kind == ErrorKind::Gone;
  if (gone || (watching && error && failures_ >= kFailuresBeforeRelist)) list_again();
  // The version itself may be the trouble.
  if (step_.action == WatchStep::Action::WatchList && failures_ >= kFailuresBeforeRelist) {
    step_.resource_version.clear();
  }
  const auto base = backoff_.delay(failures_);
  const auto spread = Duration(static_cast<Duration::rep>(
      static_cast<double>(base.count()) * (0.5 + 0.5 * std::clamp(jitter, 0.0, 1.0))));
  step_.delay = std::max(spread, retry_after.value_or(Duration(0)));
}

// What a server answers that does not know WatchList: it refuses the parameters, or it overlooks
// them and never tells the end of the list.
bool WatchMachine::cannot_stream(const std::optional<Error>& error) {
  if (error && error->kind == ErrorKind::Invalid) return true;
  const bool unfinished = answered_ && (!error || error->kind == ErrorKind::Timeout);
  answered_ = false;
  if (unfinished) ++unfinished_;
  return unfinished_ >= kUnfinishedBeforePages;
}

void WatchMachine::list_again() {
  if (streams_) {
    step_ = {WatchStep::Action::WatchList, "", seen_, Duration(0)};
  } else {
    step_ = {WatchStep::Action::List, "", "", Duration(0)};
  }
}

}  // namespace mcpfleet::kube
