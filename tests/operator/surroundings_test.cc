#include "operator/surroundings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/kube/fake_client.h"

namespace mcpfleet::op {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

desired::Object object(const char* kind) { return {"v1", kind, "s", "/path", "{}"}; }

TEST(YieldToOthers, OursGoesWhileThereIsAnother) {
  desired::Desired desired;
  for (const char* kind : {"Service", "HorizontalPodAutoscaler", "ServiceMonitor"}) {
    desired.objects.push_back(object(kind));
  }
  const auto kinds = [](const std::vector<desired::Object>& objects) {
    std::vector<std::string> result;
    for (const auto& one : objects) result.push_back(one.kind);
    return result;
  };
  View view;
  yield_to_others(view, desired);
  EXPECT_THAT(desired.unwanted, IsEmpty());
  view.other_scalers = {"ScaledObject k"};
  yield_to_others(view, desired);
  EXPECT_THAT(kinds(desired.objects), ElementsAre("Service", "ServiceMonitor"));
  EXPECT_THAT(kinds(desired.unwanted), ElementsAre("HorizontalPodAutoscaler"));
  EXPECT_EQ(desired.unwanted[0].body, "");
}

TEST(View, IsCompleteWhenAllThatIsNeededExists) {
  View view;
  EXPECT_TRUE(view.complete());
  view.workload.emplace();
  EXPECT_FALSE(view.complete());
  view.workload->found = true;
  EXPECT_TRUE(view.complete());
  view.missing.emplace_back();
  EXPECT_FALSE(view.complete());
}

TEST(Surroundings, SeesTheWorkloadOnlyOfAServerThatNamesOne) {
  const ManualClock clock;
  kube::FakeClient client;  // knows nothing
  auto surroundings = Surroundings::create(client, clock, {}, [](const std::string&) {});
  ASSERT_TRUE(surroundings);
  fleet::MCPServer server;
  server.namespace_ = "ns";
  server.name = "s";
  auto view = (*surroundings)->look(server);
  ASSERT_TRUE(view);
  EXPECT_FALSE(view->workload);
  EXPECT_THAT(client.calls(), IsEmpty());
  server.workload_ref = {"Deployment", "web"};
  view = (*surroundings)->look(server);
  ASSERT_TRUE(view && view->workload);
  EXPECT_FALSE(view->complete());
  EXPECT_FALSE((*surroundings)->scaled_workload(server));
}

}  // namespace
}  // namespace mcpfleet::op
