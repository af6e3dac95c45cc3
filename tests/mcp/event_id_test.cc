#include "mcp/event_id.h"

#include <gtest/gtest.h>

namespace mcpfleet::mcp {
namespace {

TEST(EventId, ReadsBackAsItWasWritten) {
  for (const EventId id : {EventId{1, 0}, EventId{7, 42}, EventId{UINT64_MAX, UINT64_MAX}})
    EXPECT_EQ(parse_event_id(event_id_text(id)), id);
  EXPECT_EQ(event_id_text({7, 42}), "7-42");
}

TEST(EventId, OfSomebodyElseIsNone) {
  for (const char* text : {"", "-", "7", "7-", "-7", "7-x", "7-1-2", " 7-1", "7--1", "+7-1",
                           "99999999999999999999-1", "abc"})
    EXPECT_EQ(parse_event_id(text), std::nullopt) << text;
}

}  // namespace
}  // namespace mcpfleet::mcp
