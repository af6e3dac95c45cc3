#include "metrics/answer.h"

#include <gtest/gtest.h>

#include "base/time_text.h"

namespace mcpfleet::metrics {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Instant kNow{WallTime{seconds(1'767'225'600)}, MonotonicTime{std::chrono::hours(5)}};

Instant ago(Duration age) { return {kNow.wall - age, kNow.monotonic - age}; }

Increase increase(double requests, double errors, double each_seconds) {
  Increase result;
  result.requests = requests;
  result.errors = errors;
  for (int i = 0; i < static_cast<int>(requests); ++i) result.durations.observe(each_seconds);
  return result;
}

// A view that was scraped `age` ago, over `covered`, with one tool.
PodView view_of(Duration age, Duration covered, const Increase& by) {
  PodView view;
  view.at = ago(age);
  view.covered = covered;
  view.in_flight = 3;
  view.sessions = 8;
  view.total = by;
  if (by.requests > 0) view.kinds.push_back({"tools/call", "search", by});
  return view;
}

PodState ready_pod(const PodView* view) {
  PodState pod;
  pod.namespace_ = "default";
  pod.name = "x-abc";
  pod.ready = true;
  pod.ready_since = kNow.wall - std::chrono::hours(1);
  pod.view = view;
  return pod;
}

Query query(Metric metric, std::string tool = "") {
  Query result{metric, {}, {}};
  if (!tool.empty()) {
    result.only_text = "tool=" + tool;
    result.only = [tool](std::string_view, std::string_view t) { return t == tool; };
  }
  return result;
}

TEST(AnswerTest, NamesAndMetricsFitTogether) {
  for (const auto name : metric_names()) {
    const auto metric = parse_metric(name);
    ASSERT_TRUE(metric) << name;
    EXPECT_EQ(to_string(*metric), name);
  }
  EXPECT_FALSE(parse_metric("mcp_recommended_replicas"));
  EXPECT_FALSE(parse_metric(""));
}

TEST(AnswerTest, ValuesOfOnePod) {
  const auto view = view_of(milliseconds(400), seconds(30), increase(60, 3, 0.2));
  const struct {
    Metric metric;
    std::int64_t low, high;
  } cases[] = {
      {Metric::RequestsPerSecond, 2000, 2000}, {Metric::RequestsInFlight, 3000, 3000},
      {Metric::ActiveSessions, 8000, 8000},    {Metric::ErrorRatio, 50, 50},
      {Metric::DurationAvg, 200, 200},         {Metric::DurationP50, 181, 256},
      {Metric::DurationP95, 181, 256},         {Metric::DurationP99, 181, 256},
  };
  for (const auto& test : cases) {
    const auto value = pod_value(ready_pod(&view), query(test.metric), {}, kNow);
    ASSERT_TRUE(value) << value.error().message;
    EXPECT_GE(value->milli, test.low) << to_string(test.metric);
    EXPECT_LE(value->milli, test.high) << to_string(test.metric);
    EXPECT_EQ(value->timestamp, view.at.wall);
  }
}

TEST(AnswerTest, IdleIsNotMissing) {
  const auto idle = view_of(seconds(0), seconds(30), {});
  const auto pod = ready_pod(&idle);
  EXPECT_EQ(pod_value(pod, query(Metric::RequestsPerSecond), {}, kNow)->milli, 0);
  EXPECT_EQ(pod_value(pod, query(Metric::RequestsPerSecond, "never"), {}, kNow)->milli, 0);
  EXPECT_EQ(pod_value(pod, query(Metric::ErrorRatio), {}, kNow)->milli, 0);
  EXPECT_EQ(pod_value(pod, query(Metric::DurationP95), {}, kNow).error(),
            (Error{ErrorKind::NotFound, "no requests in the last 30s, so there is no p95"}));
  EXPECT_EQ(pod_value(pod, query(Metric::DurationAvg, "add"), {}, kNow).error().message,
            "no requests with tool=add in the last 30s, so there is no avg");
}

TEST(AnswerTest, SaysWhatIsMissingAndSinceWhen) {
  const auto stale = view_of(seconds(14), seconds(30), increase(60, 0, 0.2));
  auto dead = ready_pod(&stale);
  dead.failure = "connection refused";
  dead.failing_since = kNow.monotonic - seconds(13);

  auto never = ready_pod(nullptr);
  never.failure = "line 1: a metric's name cannot start with '<'";
  never.failing_since = kNow.monotonic - milliseconds(2500);

  const auto young = view_of(milliseconds(400), Duration{0}, {});

  auto bare = view_of(Duration{0}, seconds(30), {});
  bare.sessions.reset();

  auto folding = view_of(Duration{0}, seconds(30), increase(4, 0, 1));
  folding.folds_tools = true;

  const struct {
    PodState pod;
    Query asked;
    const char* want;
  } cases[] = {
      {dead, query(Metric::RequestsPerSecond),
       "no scrape of pod default/x-abc has succeeded for 14s: connection refused"},
      {dead, query(Metric::RequestsInFlight),
       "no scrape of pod default/x-abc has succeeded for 14s: connection refused"},
      {never, query(Metric::RequestsPerSecond),
       "no scrape of pod default/x-abc has succeeded for 2.5s: line 1: a metric's name cannot "
       "start with '<'"},
      {ready_pod(nullptr), query(Metric::RequestsInFlight),
       "pod default/x-abc was not scraped yet"},
      {ready_pod(&young), query(Metric::RequestsPerSecond),
       "a rate needs two scrapes: pod default/x-abc was first scraped 0.4s ago"},
      {ready_pod(&bare), query(Metric::ActiveSessions),
       "pod default/x-abc does not expose mcp_active_sessions"},
      {ready_pod(&bare), query(Metric::ActiveSessions, "a"),
       "mcp_active_sessions is not kept by method and tool, so it cannot be selected with tool=a"},
      {ready_pod(&folding), query(Metric::RequestsPerSecond, "rare"),
       "requests with tool=rare are not counted by themselves: the server has more tools than are "
       "kept apart"},
  };
  for (const auto& test : cases) {
    const auto value = pod_value(test.pod, test.asked, {}, kNow);
    ASSERT_FALSE(value) << test.want;
    EXPECT_EQ(value.error().message, test.want);
  }
}

TEST(AnswerTest, AServerIsTheSumOfItsPods) {
  const auto fast = view_of(milliseconds(900), seconds(30), increase(90, 0, 0.01));
  const auto slow = view_of(milliseconds(100), seconds(10), increase(10, 5, 1.0));
  const PodState pods[] = {ready_pod(&fast), ready_pod(&slow)};
  const auto rate =
      server_value("server default/x", pods, query(Metric::RequestsPerSecond), {}, kNow);
  ASSERT_TRUE(rate);
  EXPECT_EQ(rate->milli, 4000) << "3 a second and, over its own 10 seconds, 1 a second";
  EXPECT_EQ(rate->timestamp, fast.at.wall) << "the oldest scrape in it";
  EXPECT_EQ(rate->window, seconds(30));
  const auto sum =
      server_value("server default/x", pods, query(Metric::RequestsInFlight), {}, kNow);
  EXPECT_EQ(sum->milli, 6000);
  EXPECT_EQ(sum->window, Duration{0});
  EXPECT_EQ(server_value("server default/x", pods, query(Metric::ErrorRatio), {}, kNow)->milli, 50);
  // Of the merged histogram: 90 fast and 10 slow calls. A mean of the two p50s would be 0.5 s.
  EXPECT_LT(server_value("server default/x", pods, query(Metric::DurationP50), {}, kNow)->milli,
            20);
  EXPECT_GT(server_value("server default/x", pods, query(Metric::DurationP95), {}, kNow)->milli,
            700);
}

TEST(AnswerTest, WhichPodsAServerMayDoWithout) {
  const auto fresh = view_of(Duration{0}, seconds(30), increase(30, 0, 0.1));
  const auto stale = view_of(seconds(11), seconds(30), increase(30, 0, 0.1));
  const auto first = view_of(Duration{0}, Duration{0}, {});
  auto unready = ready_pod(nullptr);
  unready.ready = false;
  auto deleting = ready_pod(&stale);
  deleting.deleting = true;
  auto just_ready = ready_pod(nullptr);
  just_ready.ready_since = kNow.wall - seconds(2);
  auto just_ready_and_scraped = ready_pod(&first);
  just_ready_and_scraped.ready_since = kNow.wall - seconds(2);
  auto just_ready_then_silent = ready_pod(&stale);
  just_ready_then_silent.ready_since = kNow.wall - seconds(2);
  const struct {
    const char* name;
    PodState other;
    bool want;
  } cases[] = {
      {"unready", unready, true},
      {"terminating and gone silent", deleting, true},
      {"new and not scraped", just_ready, true},
      {"new and scraped once", just_ready_and_scraped, true},
      {"ready again but silent", just_ready_then_silent, false},
      {"ready and stale", ready_pod(&stale), false},
      {"ready for long and never scraped", ready_pod(nullptr), false},
      {"ready for long, scraped once", ready_pod(&first), false},
  };
  for (const auto& test : cases) {
    const PodState pods[] = {ready_pod(&fresh), test.other};
    const auto value =
        server_value("server default/x", pods, query(Metric::RequestsPerSecond), {}, kNow);
    EXPECT_EQ(value.has_value(), test.want) << test.name;
    if (value) {
      EXPECT_EQ(value->milli, 1000) << test.name;
    }
  }
}

TEST(AnswerTest, AServerWithoutDataSaysWhy) {
  EXPECT_EQ(
      server_value("server default/x", {}, query(Metric::RequestsPerSecond), {}, kNow).error(),
      (Error{ErrorKind::NotFound, "server default/x has no pods"}));
  auto starting = ready_pod(nullptr);
  starting.ready = false;
  starting.failure = "connection refused";
  starting.failing_since = kNow.monotonic - seconds(3);
  const PodState pods[] = {starting, starting};
  EXPECT_EQ(
      server_value("server default/x", pods, query(Metric::RequestsInFlight), {}, kNow)
          .error()
          .message,
      "no pod of server default/x has data yet: no scrape of pod default/x-abc has succeeded for "
      "3s: connection refused (and 1 more)");
}

TEST(AnswerTest, WritesAges) {
  EXPECT_EQ(format_age(milliseconds(400)), "0.4s");
  EXPECT_EQ(format_age(seconds(3)), "3s");
  EXPECT_EQ(format_age(milliseconds(14'400)), "14s");
  EXPECT_EQ(format_age(seconds(300)), "5m");
  EXPECT_EQ(format_age(-seconds(1)), "0s");
}

}  // namespace
}  // namespace mcpfleet::metrics
