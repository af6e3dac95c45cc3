#include "metrics-adapter/operator_lease.h"

#include <algorithm>

#include "base/time_text.h"
#include "kube/paths.h"
#include "log/log.h"

namespace mcpfleet::adapter {
namespace {

using std::chrono::seconds;

}  // namespace

kube::Collection OperatorLease::collection() const {
  return {kube::collection_path(kube::kLeaseApiVersion, lease_namespace_, kube::kLeasePlural), "",
          "metadata.name=" + lease_name_};
}

Result<void> OperatorLease::check(MonotonicTime now) const {
  const std::string lease = "lease " + kube::make_key(lease_namespace_, lease_name_);
  std::lock_guard lock(mutex_);
  if (!known_) {
    return fail(
        ErrorKind::Unavailable,
        "the metrics adapter has just started and does not know the operator's " + lease + " yet");
  }
  if (!seen_.record()) {
    return fail(ErrorKind::NotFound, "the operator does not run (there is no " + lease +
                                         "), so its recommendation is stale");
  }
  if (!seen_.expired(now)) return {};
  const auto silent = std::chrono::floor<seconds>(now - seen_.changed_at());
  return fail(ErrorKind::NotFound, "the operator has not renewed its " + lease + " for " +
                                       format_duration(silent) +
                                       ", so its recommendation is stale");
}

void OperatorLease::list_begin() {
  listing_ = true;
  listed_ = false;
}

void OperatorLease::upsert(std::string_view object_json) {
  listed_ = true;
  auto record = kube::decode_lease(object_json);
  if (!record) {
    log::warn("the operator's lease cannot be read", {{"error", record.error().message}});
    return;
  }
  // What a watch tells has just happened; what a list shows may be old, and only its writer's clock
  // says how old.
  Duration age{0};
  if (listing_ && record->renewed) age = std::max(age, clock_.wall() - *record->renewed);
  std::lock_guard lock(mutex_);
  known_ = true;
  seen_.observe_aged(std::move(*record), clock_.monotonic(), age);
}

void OperatorLease::list_end() {
  listing_ = false;
  std::lock_guard lock(mutex_);
  known_ = true;
  if (!listed_) seen_ = {};
}

void OperatorLease::remove(std::string_view, std::string_view) {
  std::lock_guard lock(mutex_);
  seen_ = {};
}

}  // namespace mcpfleet::adapter
