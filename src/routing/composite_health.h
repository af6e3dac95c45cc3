// How all parts of a program do: each with its name, status, the time that its check took, and its
// last error.
//
// Pure: time is an argument. Thread safety: none; one owner.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace mcpfleet::routing {

enum class HealthStatus : std::uint8_t {
  Healthy,
  Degraded,   // it works, though a part that it can do without does not
  Unhealthy,  // a part that it needs does not work
};

// "healthy", "degraded", "unhealthy".
const char* to_string(HealthStatus status);

// What the check of a part found.
struct PartResult {
  HealthStatus status = HealthStatus::Healthy;
  std::string message = {};  // one sentence; where not healthy: why
  Duration took{0};
};

struct HealthPart {
  std::string name;
  bool needed = true;  // else it can only degrade the whole
  PartResult last = {};
  std::optional<MonotonicTime> checked = std::nullopt;  // nullopt: not yet, which is not healthy
  std::uint64_t checks = 0;
  std::uint64_t failures = 0;   // of them, that were not Healthy
  std::string last_error = {};  // the message of the last of those
  std::optional<MonotonicTime> last_error_at = std::nullopt;
};

class CompositeHealth {
 public:
  // A result counts for three intervals: what was not checked for longer is not healthy, for
  // nobody knows.
  static constexpr Duration kInterval = std::chrono::seconds(30);
  explicit CompositeHealth(Duration interval = kInterval) : interval_(interval) {}

  // A part of this name, once. Its number is for the functions below.
  std::size_t add(std::string name, bool needed);
  // A part to check now; ask until there is none. It is due again an interval later.
  std::optional<std::size_t> take_due(MonotonicTime now);
  MonotonicTime next_due() const;
  void told(std::size_t number, PartResult result, MonotonicTime now);

  // Of a part, and of the whole: as bad as a part that is needed; Degraded where another part is
  // not healthy.
  HealthStatus status(std::size_t number, MonotonicTime now) const;
  HealthStatus status(MonotonicTime now) const;
  std::size_t size() const { return parts_.size(); }
  const HealthPart& part(std::size_t number) const { return parts_[number].part; }

  // As JSON, for /health: {"status", "checks": {NAME: {"status", "message", "tookSeconds",
  // "ageSeconds", "failures", "lastError", "lastErrorAgeSeconds"}}}.
  std::string json(MonotonicTime now) const;

 private:
  struct Entry {
    HealthPart part;
    MonotonicTime due;
  };
  Duration interval_;
  std::vector<Entry> parts_;
};

}  // namespace mcpfleet::routing
