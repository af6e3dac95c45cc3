#include "metrics-adapter/demand.h"

#include <gtest/gtest.h>

namespace mcpfleet::adapter {
namespace {

using std::chrono::minutes;

std::shared_ptr<const AutoscalerMetrics> autoscaler(const char* namespace_, const char* metric) {
  return std::make_shared<const AutoscalerMetrics>(AutoscalerMetrics{namespace_, "h", {metric}});
}

TEST(DemandTest, KeepsWhatIsAskedForUntilNobodyAsks) {
  Demand demand;
  const MonotonicTime start{std::chrono::hours(1)};
  EXPECT_EQ(demand.wanted("ns"), nullptr);
  EXPECT_EQ(demand.ask("ns", "jobs_per_second", start), false);
  EXPECT_EQ(demand.ask("ns", "jobs_per_second", start + minutes(5)), true);
  ASSERT_NE(demand.wanted("ns"), nullptr);
  EXPECT_EQ(*demand.wanted("ns"), (metrics::WantedSeries{"jobs", "jobs_per_second", "jobs_total"}));
  EXPECT_EQ(demand.wanted("other"), nullptr);
  demand.forget_old(start + minutes(14));
  EXPECT_NE(demand.wanted("ns"), nullptr);
  demand.forget_old(start + minutes(16));
  EXPECT_EQ(demand.wanted("ns"), nullptr);
}

TEST(DemandTest, AutoscalersKeepTheirsForAsLongAsTheyAreThere) {
  Demand demand;
  const MonotonicTime start{std::chrono::hours(1)};
  demand.set_autoscalers({autoscaler("ns", "depth"), autoscaler("other", "x")});
  EXPECT_EQ(demand.ask("ns", "depth", start), true) << "known before anybody asked";
  demand.forget_old(start + std::chrono::hours(5));
  EXPECT_EQ(*demand.wanted("ns"), metrics::WantedSeries{"depth"});
  demand.set_autoscalers({autoscaler("other", "x")});
  demand.forget_old(start + std::chrono::hours(5));
  EXPECT_EQ(demand.wanted("ns"), nullptr);
  EXPECT_NE(demand.wanted("other"), nullptr);
}

TEST(DemandTest, LooksAtAutoscalersOnceAfterManyChanges) {
  int looks = 0;
  Demand demand([&looks] {
    ++looks;
    return Demand::Autoscalers{autoscaler("ns", "depth")};
  });
  const MonotonicTime start{std::chrono::hours(1)};
  demand.refresh(start);
  EXPECT_EQ(looks, 0);
  for (int i = 0; i < 100; ++i) demand.touch();
  demand.refresh(start);
  demand.refresh(start);
  EXPECT_EQ(looks, 1);
  EXPECT_NE(demand.wanted("ns"), nullptr);
}

TEST(DemandTest, IsBounded) {
  Demand demand;
  const MonotonicTime start{std::chrono::hours(1)};
  for (std::size_t i = 0; i < Demand::kMostAsked; ++i)
    EXPECT_EQ(demand.ask("ns", "m" + std::to_string(i), start), false);
  EXPECT_EQ(demand.ask("ns", "more", start).error().message,
            "more than 100 other metrics of the namespace were asked for in the last ten minutes");
  EXPECT_EQ(demand.ask("ns", "m7", start), true);
  EXPECT_EQ(demand.ask("ns", "a-b", start).error().message, "'a-b' is no metric's name");
}

TEST(DemandTest, ReadsAutoscalers) {
  const auto read = decode_autoscaler(
      R"({"metadata":{"namespace":"ns","name":"h"},"spec":{"metrics":[
          {"type":"Pods","pods":{"metric":{"name":"depth"}}},
          {"type":"Pods","pods":{"metric":{"name":"mcp_active_sessions"}}},
          {"type":"Object","object":{"metric":{"name":"other"}}},
          {"type":"Resource","resource":{"name":"cpu"}}]}})");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->metrics, std::set<std::string>{"depth"});
  EXPECT_TRUE(read->kept());
  EXPECT_FALSE(decode_autoscaler(R"({"metadata":{"namespace":"ns","name":"h"}})")->kept());
  EXPECT_FALSE(decode_autoscaler("{}"));
}

}  // namespace
}  // namespace mcpfleet::adapter
