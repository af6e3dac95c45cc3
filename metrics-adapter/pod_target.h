// A pod that is scraped: one of an MCPServer, or one that asks for it by annotation.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "metrics-adapter/labels.h"

namespace mcpfleet::adapter {

// Pods with this label are scraped; its value names their MCPServer.
inline constexpr std::string_view kServerLabel = "mcpfleet.dev/server";
// Any other pod with this annotation set to "true" is scraped, too.
inline constexpr std::string_view kScrapeAnnotation = "mcpfleet.dev/scrape";

struct PodTarget {
  std::string namespace_;
  std::string name;
  std::string uid;
  std::string server;     // empty: none of an MCPServer
  bool opted_in = false;  // by annotation
  Labels labels;
  std::string ip;  // empty until it has one
  std::uint16_t port = 19090;
  std::string path = "/metrics";
  bool ready = false;
  std::optional<WallTime> ready_since;  // while ready
  bool deleting = false;
  bool finished = false;   // Succeeded or Failed: it will never serve again
  bool was_ready = false;  // now or at some time before
  WallTime created;
  std::string workload;  // what makes its like, of every revision; empty: nobody

  // Which rollout of its workload it is of; empty: there are none. As long as `labels`.
  std::string_view revision() const;

  bool kept() const { return opted_in || !server.empty(); }
};

// From a Pod's JSON. Error: Malformed or Invalid, with the pod's name and the field.
Result<PodTarget> decode_pod(std::string_view json);

}  // namespace mcpfleet::adapter
