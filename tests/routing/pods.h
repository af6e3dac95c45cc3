// Pods for tests: "a" at 10.0.0.1, "b" at 10.0.0.2, and so on, all of them ready.
#pragma once

#include <string>
#include <vector>

#include "routing/pod_set.h"

namespace mcpfleet::routing {

inline constexpr MonotonicTime kStart{std::chrono::hours(1)};

inline Endpoint ready(int number) {
  return {.pod = std::string(1, static_cast<char>('a' + number)),
          .address = "10.0.0." + std::to_string(number + 1),
          .port = 19080,
          .ready = true,
          .serving = true};
}

inline Endpoint terminating(int number) {
  auto endpoint = ready(number);
  endpoint.ready = false;
  endpoint.terminating = true;
  return endpoint;
}

inline Endpoint unready(int number) {
  auto endpoint = ready(number);
  endpoint.ready = endpoint.serving = false;
  return endpoint;
}

inline std::vector<Endpoint> ready_pods(int count) {
  std::vector<Endpoint> endpoints;
  for (int i = 0; i < count; ++i) endpoints.push_back(ready(i));
  return endpoints;
}

inline PodId id_of(const PodSet& pods, int number) {
  const auto endpoint = ready(number);
  return pods.find(endpoint.pod, endpoint.address).value_or(PodId{});
}

inline std::string name_of(const PodSet& pods, PodId id) {
  const Pod* pod = pods.get(id);
  return pod == nullptr ? "" : pod->endpoint.pod;
}

}  // namespace mcpfleet::routing
