#include "proxy/drain_state.h"

#include <gtest/gtest.h>

namespace mcpfleet::proxy {
namespace {

using std::chrono::seconds;

const MonotonicTime kStart{std::chrono::hours(1)};

TEST(DrainState, AcceptsDuringTheGraceAndEndsWhenNothingIsInFlight) {
  DrainState drain(seconds(5));
  EXPECT_FALSE(drain.draining());
  EXPECT_FALSE(drain.refuses_sessions(kStart));
  EXPECT_FALSE(drain.done(kStart, 0));
  drain.start(kStart, seconds(30));
  struct Case {
    int second;
    std::size_t in_flight;
    bool refuses, done;
  };
  for (const auto& [second, in_flight, refuses, done] :
       {Case{0, 0, false, false}, Case{4, 0, false, false}, Case{5, 0, true, true},
        Case{5, 1, true, false}, Case{29, 1, true, false}, Case{30, 1, true, true}}) {
    const auto now = kStart + seconds(second);
    EXPECT_TRUE(drain.draining());
    EXPECT_EQ(drain.refuses_sessions(now), refuses) << second;
    EXPECT_EQ(drain.done(now, in_flight), done) << second << " " << in_flight;
  }
}

TEST(DrainState, ASecondStartOnlyShortensIt) {
  DrainState drain(seconds(5));
  drain.start(kStart, seconds(30));
  drain.start(kStart + seconds(1), seconds(60));
  EXPECT_TRUE(drain.done(kStart + seconds(30), 1));
  drain.start(kStart + seconds(10), seconds(1));
  EXPECT_TRUE(drain.done(kStart + seconds(11), 1));
}

}  // namespace
}  // namespace mcpfleet::proxy
