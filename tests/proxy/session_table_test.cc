#include "proxy/session_table.h"

#include <gtest/gtest.h>

namespace mcpfleet::proxy {
namespace {

using std::chrono::minutes;

const MonotonicTime kStart{std::chrono::hours(1)};
constexpr Duration kIdle = minutes(30);

TEST(SessionTable, ForgetsWhatNobodyUsed) {
  SessionTable table;
  table.touch("a", kStart);
  table.touch("b", kStart);
  table.touch("b", kStart + minutes(20));
  table.expire(kStart + minutes(30), kIdle);
  EXPECT_EQ(table.size(), 1u);
  table.expire(kStart + minutes(50), kIdle);
  EXPECT_EQ(table.size(), 0u);
}

TEST(SessionTable, AnOpenStreamIsNotIdle) {
  SessionTable table;
  table.touch("a", kStart);
  table.hold("a", kStart);
  table.hold("a", kStart);
  table.release("a", kStart + minutes(1));
  table.expire(kStart + minutes(100), kIdle);
  EXPECT_EQ(table.size(), 1u);
  table.release("a", kStart + minutes(100));
  table.expire(kStart + minutes(129), kIdle);
  EXPECT_EQ(table.size(), 1u);
  table.expire(kStart + minutes(130), kIdle);
  EXPECT_EQ(table.size(), 0u);
}

TEST(SessionTable, RemovedSessionsStayAway) {
  SessionTable table;
  table.touch("a", kStart);
  table.hold("a", kStart);
  table.remove("a");
  table.release("a", kStart);
  EXPECT_EQ(table.size(), 0u);
}

TEST(SessionTable, IsBounded) {
  SessionTable table;
  for (std::size_t i = 0; i < SessionTable::kMaxSessions + 10; ++i)
    table.touch(std::to_string(i), kStart);
  EXPECT_EQ(table.size(), SessionTable::kMaxSessions);
}

}  // namespace
}  // namespace mcpfleet::proxy
