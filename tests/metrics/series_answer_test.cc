#include "metrics/series_answer.h"

#include <gtest/gtest.h>

namespace mcpfleet::metrics {
namespace {

using std::chrono::seconds;

const Instant kNow{WallTime{seconds(1'767'225'600)}, MonotonicTime{std::chrono::hours(1)}};

// The answer for a pod that exposed `before` ten seconds ago and `now` now.
Result<Value> ask(std::string_view metric, const std::string& before, const std::string& now,
                  const char* selector = "", Duration age = {}) {
  SeriesWindow window(seconds(30));
  const auto wanted = std::make_shared<const WantedSeries>(series_for(metric));
  auto at = kNow.monotonic - seconds(10);
  for (const auto* text : {&before, &now}) {
    window.begin(at, wanted, 100);
    EXPECT_TRUE(parse_exposition(*text, {}, [&window](const SeriesView& series) -> Result<void> {
      window.take(series);
      return {};
    }));
    window.end();
    at = kNow.monotonic;
  }
  PodView view;
  view.at = {kNow.wall - age, kNow.monotonic - age};
  view.series = std::make_shared<const SeriesStates>(window.states());
  PodState pod;
  pod.namespace_ = "ns";
  pod.name = "p";
  pod.view = &view;
  const auto only = LabelSelector::parse(selector).value();
  return pod_series_value(pod, {metric, only, selector}, {}, kNow);
}

TEST(SeriesAnswerTest, ReadsAName) {
  const std::string jobs = "jobs_total{q=\"a\"} 10\njobs_total{q=\"b\"} 100\n";
  const std::string more = "jobs_total{q=\"a\"} 30\njobs_total{q=\"b\"} 150\n";
  const std::string none;
  const std::string early =
      "t_bucket{le=\"1\"} 0\nt_bucket{le=\"2\"} 0\nt_bucket{le=\"+Inf\"} 0\n"
      "t_sum 0\nt_count 0\n";
  const std::string late =
      "t_bucket{le=\"1\"} 50\nt_bucket{le=\"2\"} 90\n"
      "t_bucket{le=\"+Inf\"} 100\nt_sum 130\nt_count 100\n";
  const struct {
    const char* metric;
    const std::string& before;
    const std::string& now;
    const char* selector;
    std::int64_t milli;
    std::int64_t window;
  } cases[] = {
      {"jobs_total", jobs, more, "", 180'000, 0},
      {"jobs_total", jobs, more, "q=a", 30'000, 0},
      {"jobs_per_second", jobs, more, "", 7'000, 10},
      {"jobs_per_second", jobs, more, "q in (b)", 5'000, 10},
      {"jobs_total_per_second", jobs, more, "!zone", 7'000, 10},
      {"t_avg", early, late, "", 1'300, 10},
      {"t_p50", early, late, "", 1'000, 10},
      {"t_p70", early, late, "", 1'500, 10},
      {"t_p99", early, late, "", 2'000, 10},
      {"t_p999", early, late, "", 2'000, 10},
      {"t_per_second", none, "t_per_second 4", "", 4'000, 0},
  };
  for (const auto& test : cases) {
    const auto value = ask(test.metric, test.before, test.now, test.selector);
    ASSERT_TRUE(value) << test.metric << ": " << value.error().message;
    EXPECT_EQ(value->milli, test.milli) << test.metric << " " << test.selector;
    EXPECT_EQ(value->window, seconds(test.window)) << test.metric;
    EXPECT_EQ(value->timestamp, kNow.wall);
  }
}

TEST(SeriesAnswerTest, SaysWhyThereIsNone) {
  const std::string none;
  const struct {
    const char* metric;
    std::string before;
    std::string now;
    const char* selector;
    const char* want;
  } cases[] = {
      {"depth", none, "other 1", "", "pod ns/p exposes none of depth"},
      {"jobs_per_second", none, none, "",
       "pod ns/p exposes none of jobs, jobs_per_second, jobs_total"},
      {"depth", none, "depth{q=\"a\"} 1", "q=b", "pod ns/p exposes no series of depth with q=b"},
      {"depth", none, "depth NaN", "",
       "pod ns/p exposes depth as a value that is no finite number"},
      {"depth", none, "depth -Inf", "",
       "pod ns/p exposes depth as a value that is no finite number"},
      {"t_avg", "t_sum 1\nt_count 5", "t_sum 1\nt_count 5", "",
       "pod ns/p counted nothing in t_sum in the last 30s, so there is no t_avg"},
      {"t_p95", "t_bucket{le=\"1\"} 1", "t_bucket{le=\"1\"} 5", "",
       "pod ns/p counted nothing in t_bucket in the last 30s, so there is no t_p95"},
  };
  for (const auto& test : cases) {
    const auto value = ask(test.metric, test.before, test.now, test.selector);
    ASSERT_FALSE(value) << test.metric;
    EXPECT_EQ(value.error().kind, ErrorKind::NotFound);
    EXPECT_EQ(value.error().message, test.want);
  }
  EXPECT_EQ(ask("depth", none, "depth 1", "", seconds(14)).error().message,
            "no scrape of pod ns/p has succeeded for 14s");
}

TEST(SeriesAnswerTest, ACounterThatWasSeenOnceHasNoRate) {
  PodView view;
  SeriesWindow window(seconds(30));
  window.begin(kNow.monotonic, std::make_shared<const WantedSeries>(series_for("x_per_second")),
               10);
  ASSERT_TRUE(parse_exposition("x_total 5", {}, [&window](const SeriesView& s) -> Result<void> {
    window.take(s);
    return {};
  }));
  window.end();
  view.at = kNow;
  view.series = std::make_shared<const SeriesStates>(window.states());
  PodState pod;
  pod.namespace_ = "ns";
  pod.name = "p";
  pod.view = &view;
  EXPECT_EQ(pod_series_value(pod, {"x_per_second", {}, ""}, {}, kNow).error().message,
            "pod ns/p was scraped once only since x_total is kept: an increase needs two scrapes");
}

TEST(SeriesAnswerTest, KnowsNames) {
  for (const char* good : {"a", "a:b_c9", "_x"}) EXPECT_TRUE(is_metric_name(good)) << good;
  for (const char* bad : {"", "9a", "a-b", "a b", "ä"}) EXPECT_FALSE(is_metric_name(bad)) << bad;
  EXPECT_FALSE(is_metric_name(std::string(201, 'a')));
}

TEST(SeriesAnswerTest, OddNamesAreJustNames) {
  for (const char* name : {"x_p0", "x_p", "x_pabc", "x_p1234567", "_p95", "p95"})
    EXPECT_FALSE(series_for(name).empty()) << name;
  EXPECT_EQ(series_for("x_p0"), WantedSeries{"x_p0"});
  EXPECT_EQ(series_for("p95"), WantedSeries{"p95"});
}

}  // namespace
}  // namespace mcpfleet::metrics
