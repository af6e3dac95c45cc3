// Whether the operator, which writes the recommendations, is alive: by its Lease.
//
// Thread safety: check() from any thread; the rest is the reflector's.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "kube/lease.h"
#include "kube/reflector.h"

namespace mcpfleet::adapter {

// Receives the one Lease of collection(), nothing else.
class OperatorLease final : public kube::Sink {
 public:
  OperatorLease(std::string lease_namespace, std::string lease_name, const Clock& clock)
      : lease_namespace_(std::move(lease_namespace)),
        lease_name_(std::move(lease_name)),
        clock_(clock) {}

  // What a Reflector has to watch for it.
  kube::Collection collection() const;

  // An error says why what the operator last recommended is stale at `now`: NotFound, or
  // Unavailable before the Lease was first asked for.
  Result<void> check(MonotonicTime now) const;

  void list_begin() override;
  void upsert(std::string_view object_json) override;
  void list_end() override;
  void remove(std::string_view namespace_, std::string_view name) override;

 private:
  // Constant after construction.
  const std::string lease_namespace_;
  const std::string lease_name_;
  const Clock& clock_;
  // Used by the reflector's thread only.
  bool listing_ = false;
  bool listed_ = false;  // it was in the list that is arriving
  // Protected by mutex_.
  mutable std::mutex mutex_;
  bool known_ = false;
  kube::LeaseObservation seen_;  // without a record: there is no such Lease
};

}  // namespace mcpfleet::adapter
