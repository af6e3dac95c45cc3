#include "routing/endpoints.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace mcpfleet::routing {
namespace {

auto key(const Endpoint& endpoint) { return std::tie(endpoint.pod, endpoint.address); }

bool is_ipv6(const Endpoint& endpoint) { return endpoint.address.find(':') != std::string::npos; }

// The same pod once more: while it moves between slices one of them may be older.
void merge(Endpoint& endpoint, const Endpoint& other) {
  if (std::tie(other.ready, other.serving) > std::tie(endpoint.ready, endpoint.serving)) {
    endpoint.port = other.port;
    endpoint.zone = other.zone;
  }
  endpoint.ready |= other.ready;
  endpoint.serving |= other.serving;
  endpoint.terminating &= other.terminating;
}

void drop_second_family(std::vector<Endpoint>& endpoints) {
  std::set<std::string_view> with_ipv4;
  for (const Endpoint& endpoint : endpoints)
    if (!is_ipv6(endpoint)) with_ipv4.insert(endpoint.pod);
  if (with_ipv4.empty() || std::ranges::none_of(endpoints, is_ipv6)) return;
  std::vector<Endpoint> kept;
  for (const Endpoint& endpoint : endpoints)
    if (!is_ipv6(endpoint) || !with_ipv4.contains(endpoint.pod)) kept.push_back(endpoint);
  endpoints = std::move(kept);
}

}  // namespace

void EndpointSlices::set(std::string_view name, std::vector<Endpoint> endpoints) {
  slices_.insert_or_assign(std::string(name), std::move(endpoints));
}

void EndpointSlices::remove(std::string_view name) {
  const auto found = slices_.find(name);
  if (found != slices_.end()) slices_.erase(found);
}

std::vector<Endpoint> EndpointSlices::joined() const {
  std::vector<Endpoint> all;
  for (const auto& [name, endpoints] : slices_)
    all.insert(all.end(), endpoints.begin(), endpoints.end());
  std::ranges::stable_sort(all, {}, key);
  std::vector<Endpoint> joined;
  for (Endpoint& endpoint : all) {
    if (!joined.empty() && key(joined.back()) == key(endpoint)) {
      merge(joined.back(), endpoint);
    } else {
      joined.push_back(std::move(endpoint));
    }
  }
  drop_second_family(joined);
  return joined;
}

}  // namespace mcpfleet::routing
