// The active check of one pod: when to look, and what the answers say.
//
// Pure: somebody else connects. Thread safety: none; one owner.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "fleet/gateway_settings.h"

namespace mcpfleet::routing {

// What a check found.
struct CheckResult {
  bool ok = false;
  Duration took{0};
  std::string error;  // where not ok: one sentence
  // What the pod told of itself, where the kind of check asks for that (a sidecar's /health).
  std::optional<std::uint32_t> sessions = std::nullopt;  // live ones, of all gateways
  std::optional<bool> draining = std::nullopt;           // whether it is about to end
};

class PodHealth {
 public:
  // A pod whose last answer was not as the ones before is looked at again after this time, or after
  // the interval where that is shorter: a pod that is down must not wait for three intervals.
  static constexpr Duration kConfirmInterval = std::chrono::seconds(3);

  // A pod is healthy until checks say otherwise: Kubernetes has just found it ready. The first
  // check is due after `share` (0 … 1) of the interval, so that not all are due at once.
  void begin(const fleet::HealthCheck& settings, double share, MonotonicTime now);
  // Other settings: the next check is due no later than they say.
  void change(const fleet::HealthCheck& settings, MonotonicTime now);

  bool healthy() const { return healthy_; }
  // When to check next; MonotonicTime::max() while a check is under way.
  MonotonicTime due() const { return checking_ ? MonotonicTime::max() : due_; }
  // A check is on its way. Each is followed by one told().
  void started() { checking_ = true; }
  // What it found. True: healthy() has changed.
  bool told(const fleet::HealthCheck& settings, const CheckResult& result, MonotonicTime now);

  std::uint64_t checks() const { return checks_; }
  std::uint64_t failures() const { return failures_; }
  std::optional<MonotonicTime> last_check() const { return last_check_; }
  Duration last_took() const { return last_took_; }
  const std::string& last_error() const { return last_error_; }  // empty: none yet

 private:
  bool healthy_ = true;
  bool checking_ = false;
  int against_ = 0;  // answers in a row that say the opposite of healthy_
  MonotonicTime due_ = MonotonicTime::max();
  std::uint64_t checks_ = 0;
  std::uint64_t failures_ = 0;
  std::optional<MonotonicTime> last_check_;
  Duration last_took_{0};
  std::string last_error_;
};

}  // namespace mcpfleet::routing
