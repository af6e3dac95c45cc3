#include "operator/pod_usage.h"

#include <algorithm>

#include "base/quantity.h"
#include "base/time_text.h"
#include "desired/desired.h"
#include "fleet/json_text.h"
#include "kube/paths.h"

namespace mcpfleet::op {
namespace {

using fleet::Json;
using fleet::member;

constexpr std::size_t kMaxListBytes = 64 * 1024 * 1024;

std::optional<std::int64_t> quantity(const Json& resources, std::string_view name) {
  const Json& value = member(resources, name);
  if (value.is_number_integer()) return value.get<std::int64_t>() * 1000;
  if (!value.is_string()) return std::nullopt;
  const auto milli = parse_quantity_milli(value.get_ref<const std::string&>());
  return milli ? std::optional(*milli) : std::nullopt;
}

std::optional<PodUsage> usage_of(const Json& item) {
  const auto at = parse_rfc3339(fleet::text_of(item, "timestamp"));
  if (!at) return std::nullopt;
  for (const Json& container : fleet::list_of(item, "containers")) {
    if (fleet::text_of(container, "name") != desired::kServerContainer) continue;
    const Json& usage = member(container, "usage");
    const auto cpu = quantity(usage, "cpu");
    const auto memory = quantity(usage, "memory");
    if (cpu && memory) return PodUsage{*cpu, *memory, *at};
  }
  return std::nullopt;
}

std::optional<std::int64_t> request(const Json& resources, std::string_view name) {
  const auto requested = quantity(member(resources, "requests"), name);
  return requested ? requested : quantity(member(resources, "limits"), name);
}

}  // namespace

Result<PodUsages> decode_pod_usages(std::string_view text) {
  const auto list = fleet::parse_json(text, kMaxListBytes);
  if (!list || !list->is_object() || !member(*list, "items").is_array())
    return fail(ErrorKind::Malformed, "the resource metrics API answered no list");
  PodUsages usages;
  for (const Json& item : fleet::list_of(*list, "items"))
    if (const auto usage = usage_of(item))
      usages[fleet::text_of(member(item, "metadata"), "name")] = *usage;
  return usages;
}

Result<PodUsages> read_pod_usages(kube::Client& client, const std::string& namespace_) {
  auto text = client.get(kube::collection_path("metrics.k8s.io/v1beta1", namespace_, "pods") +
                         "?labelSelector=" + kube::escape(desired::kServerLabel));
  if (text) return decode_pod_usages(*text);
  return fail(text.error().kind,
              "the resource metrics API (metrics-server) does not answer: " + text.error().message);
}

ResourceRequests requests_of(const fleet::Runtime& runtime) {
  const auto resources = fleet::parse_json(runtime.resources, runtime.resources.size());
  if (!resources) return {};
  return {request(*resources, "cpu"), request(*resources, "memory")};
}

std::optional<Utilization> utilization(const PodUsages& usages,
                                       const std::vector<desired::ObservedPod>& pods,
                                       std::int64_t PodUsage::* resource, std::int64_t request) {
  std::optional<Utilization> result;
  int counted = 0;
  for (const auto& pod : pods) {
    const auto found = usages.find(pod.name);
    if (!pod.ready || pod.deleting || found == usages.end()) continue;
    if (!result) result = Utilization{0, found->second.at};
    result->percent += static_cast<double>(found->second.*resource);
    result->at = std::min(result->at, found->second.at);
    ++counted;
  }
  if (!result || request <= 0) return std::nullopt;
  result->percent *= 100.0 / (static_cast<double>(request) * counted);
  return result;
}

}  // namespace mcpfleet::op
