// Which changes of a status are worth an Event.
//
// Pure. Thread safety: free functions.
#pragma once

#include <string>
#include <vector>

#include "fleet/status.h"

namespace mcpfleet::op {

struct Announcement {
  bool warning = false;
  std::string reason;  // CamelCase
  std::string message;
  bool operator==(const Announcement&) const = default;
};

// Events for the step from the stored status to the one just written, in the order to say them.
std::vector<Announcement> announcements(const fleet::Status& before, const fleet::Status& after);
// Those that conditions alone give, as a gateway has them.
std::vector<Announcement> announcements(const std::vector<fleet::Condition>& before,
                                        const std::vector<fleet::Condition>& after);

}  // namespace mcpfleet::op
