// Why a call or session is not taken: which limit, its value, and when to try again.
//
// Thread safety: plain values.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"

namespace mcpfleet::routing {

enum class Limit : std::uint8_t {
  Queue,           // as many calls in flight as there may be, and as many waiting
  QueueTime,       // waited as long as there may be waited
  Connections,     // as many connections of a pod in use as there may be, and as many waiting
  ConnectionTime,  // waited as long as there may be waited for one
  Sessions,        // live sessions of the server
  PodSessions,     // each pod has as many sessions as it may have
  ServerRate,      // calls a time: of the server,
  ToolRate,        // of a tool,
  CallerRate,      // of a caller
  NoPods,          // the server has none
  NoneReady,       // it has, but none that takes anything new
};

// Short stable name, for metrics and logs: "Queue", "ToolRate".
const char* to_string(Limit limit);

struct Refusal {
  Limit limit = Limit::Queue;
  // The limit's value: calls in flight (Queue), connections, sessions, calls a period; else 0.
  std::int64_t value = 0;
  Duration period{0};     // of a rate; of QueueTime and ConnectionTime how long was waited
  std::string tool = {};  // of a rate that is of one tool
  Duration retry_after{0};

  // 429 where the caller was too fast, 503 where there is too much to do.
  int status() const;
  // For the header Retry-After: whole seconds, rounded up, at least 1.
  std::int64_t retry_after_seconds() const;
  // One sentence for the one who called: "the server takes at most 10 calls of the tool search per
  // 1s; try again in 3 s".
  std::string message() const;

  bool operator==(const Refusal&) const = default;
};

}  // namespace mcpfleet::routing
