// A coordination.k8s.io/v1 Lease as leader election uses it, and how long it is good for.
//
// Source: https://kubernetes.io/docs/concepts/architecture/leases/ and client-go's
// tools/leaderelection. Pure. Thread safety: plain values and free functions.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace mcpfleet::kube {

inline constexpr const char* kLeaseApiVersion = "coordination.k8s.io/v1";
inline constexpr const char* kLeasePlural = "leases";

struct LeaseRecord {
  std::string holder;  // empty: nobody holds it
  std::chrono::seconds duration{0};
  std::optional<WallTime> acquired;
  std::optional<WallTime> renewed;
  int transitions = 0;
  std::string resource_version;  // as stored; not part of what is written of it
  std::string uid;
  bool operator==(const LeaseRecord&) const = default;
};

// Absent fields are empty. Error: Malformed.
Result<LeaseRecord> decode_lease(std::string_view text_of_lease);

// The Lease `namespace_`/`name` with this record, to create it.
std::string encode_lease(const LeaseRecord& record, std::string_view namespace_,
                         std::string_view name);

// A merge patch to this record that only fits the stored version that the record names: where
// somebody wrote meanwhile it is a Conflict.
std::string encode_lease_patch(const LeaseRecord& record);

// When a Lease was last seen to change, by the observer's own monotonic clock: nothing depends on
// the clocks of two machines telling the same time.
class LeaseObservation {
 public:
  // The record as it is stored at `now`. A record that did not change is no sign of life.
  void observe(LeaseRecord record, MonotonicTime now);
  // The same, where the last change was that long before `now`.
  void observe_aged(LeaseRecord record, MonotonicTime now, Duration age);

  // The last record; nothing before the first observation.
  const std::optional<LeaseRecord>& record() const { return record_; }
  MonotonicTime changed_at() const { return changed_at_; }
  // When it stops to be good, unless it changes.
  MonotonicTime expires_at() const;
  bool expired(MonotonicTime now) const { return now >= expires_at(); }

 private:
  std::optional<LeaseRecord> record_;
  MonotonicTime changed_at_{};
};

}  // namespace mcpfleet::kube
