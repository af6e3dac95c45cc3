#include "kube/watch_machine.h"

#include <algorithm>
#include <utility>

namespace mcpfleet::kube {

void WatchMachine::listed(std::string resource_version, std::string continue_token) {
  failures_ = 0;
  step_.delay = Duration(0);
  if (!continue_token.empty()) {
    step_.continue_token = std::move(continue_token);
    return;
  }
  progressed_ = false;
  step_ = {WatchStep::Action::Watch, "", std::move(resource_version), Duration(0)};
}

void WatchMachine::progressed(std::string resource_version) {
  failures_ = 0;
  progressed_ = true;
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
  ++failures_;
  // An expired version or continue token: what we hold cannot be continued.
  if (error && error->kind == ErrorKind::Gone) list_again();
  // A watch that goes on failing is begun anew from a list: its version may be one that this server
  // cannot serve and does not say so (a restored backup).
  constexpr int kFailuresBeforeRelist = 5;
  if (step_.action == WatchStep::Action::Watch && error && failures_ >= kFailuresBeforeRelist) {
    list_again();
  }
  const auto base = backoff_.delay(failures_);
  const auto spread = Duration(static_cast<Duration::rep>(
      static_cast<double>(base.count()) * (0.5 + 0.5 * std::clamp(jitter, 0.0, 1.0))));
  step_.delay = std::max(spread, retry_after.value_or(Duration(0)));
}

void WatchMachine::list_again() { step_ = {WatchStep::Action::List, "", "", Duration(0)}; }

}  // namespace mcpfleet::kube
