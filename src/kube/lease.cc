#include "kube/lease.h"

#include <nlohmann/json.hpp>

#include "base/time_text.h"

namespace mcpfleet::kube {
namespace {

using nlohmann::json;

std::string text(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

int number(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_integer() ? found->get<int>() : 0;
}

Result<std::optional<WallTime>> time(const json& object, const char* key) {
  const std::string written = text(object, key);
  if (written.empty()) return std::nullopt;
  auto parsed = parse_rfc3339(written);
  if (!parsed) {
    return fail(ErrorKind::Malformed,
                "a Lease's spec." + std::string(key) + ": " + parsed.error().message);
  }
  return *parsed;
}

json spec_of(const LeaseRecord& record) {
  json spec = {{"holderIdentity", record.holder},
               {"leaseDurationSeconds", record.duration.count()},
               {"leaseTransitions", record.transitions}};
  if (record.acquired) spec["acquireTime"] = to_rfc3339_micro(*record.acquired);
  if (record.renewed) spec["renewTime"] = to_rfc3339_micro(*record.renewed);
  return spec;
}

}  // namespace

Result<LeaseRecord> decode_lease(std::string_view text_of_lease) {
  const auto lease = json::parse(text_of_lease, nullptr, false);
  if (!lease.is_object() || !lease.contains("metadata") || !lease["metadata"].is_object()) {
    return fail(ErrorKind::Malformed, "a Lease is no object with metadata");
  }
  LeaseRecord record;
  record.resource_version = text(lease["metadata"], "resourceVersion");
  record.uid = text(lease["metadata"], "uid");
  const auto spec = lease.find("spec");
  if (spec == lease.end() || !spec->is_object()) return record;
  record.holder = text(*spec, "holderIdentity");
  record.duration = std::chrono::seconds(number(*spec, "leaseDurationSeconds"));
  record.transitions = number(*spec, "leaseTransitions");
  auto acquired = time(*spec, "acquireTime");
  if (!acquired) return fail(acquired.error());
  auto renewed = time(*spec, "renewTime");
  if (!renewed) return fail(renewed.error());
  record.acquired = *acquired;
  record.renewed = *renewed;
  return record;
}

std::string encode_lease(const LeaseRecord& record, std::string_view namespace_,
                         std::string_view name) {
  const json lease = {{"apiVersion", kLeaseApiVersion},
                      {"kind", "Lease"},
                      {"metadata", {{"name", name}, {"namespace", namespace_}}},
                      {"spec", spec_of(record)}};
  return lease.dump();
}

std::string encode_lease_patch(const LeaseRecord& record) {
  const json patch = {{"metadata", {{"resourceVersion", record.resource_version}}},
                      {"spec", spec_of(record)}};
  return patch.dump();
}

void LeaseObservation::observe(LeaseRecord record, MonotonicTime now) {
  observe_aged(std::move(record), now, Duration(0));
}

void LeaseObservation::observe_aged(LeaseRecord record, MonotonicTime now, Duration age) {
  // Somebody may have edited its labels.
  LeaseRecord same = record;
  if (record_) same.resource_version = record_->resource_version;
  if (record_ != same) changed_at_ = now - age;
  record_ = std::move(record);
}

MonotonicTime LeaseObservation::expires_at() const {
  return record_ ? changed_at_ + record_->duration : MonotonicTime::min();
}

}  // namespace mcpfleet::kube
