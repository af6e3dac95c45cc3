// Events of objects, as `kubectl describe` shows them.
//
// The same thing said again about the same object is one Event with a higher count, also across a
// restart: its name follows from what it says. Thread safety: any thread.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "kube/client.h"

namespace mcpfleet::kube {

struct ObjectReference {
  std::string api_version;
  std::string kind;
  std::string namespace_;
  std::string name;
  std::string uid;
};

enum class EventType { Normal, Warning };

class EventRecorder {
 public:
  virtual ~EventRecorder() = default;
  // Never blocks and never fails: an Event that cannot be written is logged and forgotten. `reason`
  // is one CamelCase word, `message` a sentence (cut at 1,000 bytes).
  virtual void record(const ObjectReference& object, EventType type, std::string reason,
                      std::string message) = 0;
};

// Writes core/v1 Events on a thread of its own; at most 1,000 wait. Events that repeat within 10 s
// are counted and written with the next one. The destructor drops what waits.
std::unique_ptr<EventRecorder> start_event_recorder(Client& client, const Clock& clock,
                                                    std::string component);

}  // namespace mcpfleet::kube
