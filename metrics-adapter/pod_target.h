// A pod of an MCPServer, as far as its metrics are concerned.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace mcpfleet::adapter {

// Pods with this label are scraped; its value names their MCPServer.
inline constexpr std::string_view kServerLabel = "mcpfleet.dev/server";

using Labels = std::map<std::string, std::string, std::less<>>;

struct PodTarget {
  std::string namespace_;
  std::string name;
  std::string uid;
  std::string server;
  Labels labels;
  std::string ip;  // empty until it has one
  std::uint16_t port = 19090;
  std::string path = "/metrics";
  bool ready = false;
  std::optional<WallTime> ready_since;  // while ready
  bool deleting = false;
  bool finished = false;  // Succeeded or Failed: it will never serve again
};

// From a Pod's JSON. Error: Malformed or Invalid, with the pod's name and the field.
Result<PodTarget> decode_pod(std::string_view json);

}  // namespace mcpfleet::adapter
