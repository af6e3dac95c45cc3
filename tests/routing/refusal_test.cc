#include "routing/refusal.h"

#include <gtest/gtest.h>

namespace mcpfleet::routing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(RefusalTest, SaysWhichLimitItsValueAndWhenToTryAgain) {
  struct Case {
    Refusal refusal;
    int status;
    const char* name;
    const char* message;
  };
  const Case cases[] = {
      {{.limit = Limit::Queue, .value = 8, .retry_after = milliseconds(2100)},
       503,
       "Queue",
       "the server has 8 calls in flight, which is its limit, and no more may wait; try again in 3 "
       "s"},
      {{.limit = Limit::QueueTime, .value = 1, .period = seconds(30)},
       503,
       "QueueTime",
       "the server has 1 call in flight, which is its limit, and none of them ended for this one "
       "in 30s; try again in 1 s"},
      {{.limit = Limit::Connections, .value = 4},
       503,
       "Connections",
       "the server's pod has 4 connections in use, which is its limit, and no more calls may wait "
       "for one; try again in 1 s"},
      {{.limit = Limit::ConnectionTime, .value = 1, .period = milliseconds(500)},
       503,
       "ConnectionTime",
       "the server's pod has 1 connection in use, which is its limit, and none came free for this "
       "call in 500ms; try again in 1 s"},
      {{.limit = Limit::Sessions, .value = 100, .retry_after = seconds(5)},
       503,
       "Sessions",
       "the server has 100 sessions, which is its limit; try again in 5 s"},
      {{.limit = Limit::PodSessions, .value = 10},
       503,
       "PodSessions",
       "each pod of the server has 10 sessions, which is its limit; try again in 1 s"},
      {{.limit = Limit::ServerRate, .value = 10, .period = seconds(1)},
       429,
       "ServerRate",
       "the server takes at most 10 calls per 1s; try again in 1 s"},
      {{.limit = Limit::ServerRate, .value = 10, .period = seconds(1), .tool = "search"},
       429,
       "ServerRate",
       "the server takes at most 10 calls of the tool search per 1s; try again in 1 s"},
      {{.limit = Limit::ToolRate, .value = 1, .period = milliseconds(500), .tool = "search"},
       429,
       "ToolRate",
       "the server takes at most 1 call of the tool search per 500ms; try again in 1 s"},
      {{.limit = Limit::CallerRate, .value = 60, .period = seconds(60)},
       429,
       "CallerRate",
       "the server takes at most 60 calls from one caller per 60s; try again in 1 s"},
      {{.limit = Limit::NoPods, .retry_after = seconds(2)},
       503,
       "NoPods",
       "the server has no pods; try again in 2 s"},
      {{.limit = Limit::NoneReady, .retry_after = seconds(2)},
       503,
       "NoneReady",
       "no pod of the server is ready; try again in 2 s"},
  };
  for (const auto& test : cases) {
    EXPECT_EQ(test.refusal.status(), test.status) << test.name;
    EXPECT_STREQ(to_string(test.refusal.limit), test.name);
    EXPECT_EQ(test.refusal.message(), test.message);
  }
}

}  // namespace
}  // namespace mcpfleet::routing
