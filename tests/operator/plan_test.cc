#include "operator/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace mcpfleet::op {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A server with all four children, and an API server that holds what was written.
class PlanTest : public testing::Test {
 protected:
  PlanTest() {
    server_.name = "s";
    server_.namespace_ = "ns";
    server_.uid = "server-uid";
    input_.server = &server_;
    input_.secret_fingerprint = "key-1";
    for (const char* kind : {"Secret", "Service", "Deployment", "HPA"}) {
      desired_.objects.push_back(object(kind));
    }
  }

  static desired::Object object(const std::string& kind) {
    const json body = {{"kind", kind},
                       {"metadata", {{"name", "s"}, {"labels", {{"l", "1"}}}}},
                       {"spec", {{"x", 1}}}};
    return {"v1", kind, "s", "/" + kind, body.dump()};
  }

  // The API server takes a write.
  void store(const Write& write, const std::string& version = "1") {
    const json body = json::parse(write.object.body);
    json content = {{"metadata", body["metadata"]}, {"spec", body["spec"]}};
    Child& child = children_[write.object.path];
    child = {"ns",          "s",           write.object.kind + "-uid",
             version,       "server-uid",  "MCPServer",
             write.applied, content.dump()};
    input_.children[write.object.path] = &child;
  }

  Plan plan() { return make_plan(desired_, input_); }

  void store_all() {
    for (const auto& write : plan().writes) {
      if (write.object.kind != "Secret") store(write);
    }
  }

  static std::vector<std::string> kinds(const Plan& plan) {
    std::vector<std::string> result;
    for (const auto& write : plan.writes) result.push_back(write.object.kind);
    return result;
  }

  json spec_of(const std::string& kind) {
    return json::parse(children_["/" + kind].content)["spec"];
  }
  void edit(const std::string& kind, const std::function<void(json& content)>& change) {
    json content = json::parse(children_["/" + kind].content);
    change(content);
    children_["/" + kind].content = content.dump();
  }
  void want(const std::string& kind, const std::function<void(json& body)>& change) {
    for (auto& object : desired_.objects) {
      if (object.kind != kind) continue;
      json body = json::parse(object.body);
      change(body);
      object.body = body.dump();
    }
  }

  fleet::MCPServer server_;
  desired::Desired desired_;
  PlanInput input_;
  std::map<std::string, Child> children_;
};

TEST_F(PlanTest, MakesAllThatIsMissingTheSecretFirst) {
  const auto made = plan();
  EXPECT_THAT(kinds(made), ElementsAre("Secret", "Service", "Deployment", "HPA"));
  for (const auto& write : made.writes) {
    EXPECT_FALSE(write.exists);
    EXPECT_EQ(write.put_right, "");
  }
}

TEST_F(PlanTest, WritesNothingWhereNothingChanged) {
  store_all();
  const auto made = plan();
  EXPECT_THAT(made.writes, IsEmpty());
  EXPECT_THAT(made.removals, IsEmpty());
}

TEST_F(PlanTest, WritesWhatIsWantedNewAlsoWhereAFieldWasOnlyTakenAway) {
  want("Service", [](json& body) { body["spec"]["y"] = 2; });
  store_all();
  want("Service", [](json& body) { body["spec"].erase("y"); });
  const auto made = plan();
  EXPECT_THAT(kinds(made), ElementsAre("Service"));
  EXPECT_TRUE(made.writes[0].exists);
  EXPECT_EQ(made.writes[0].put_right, "");
}

TEST_F(PlanTest, PutsAnEditRightAndSaysWhich) {
  store_all();
  edit("HPA", [](json& content) { content["spec"]["x"] = 2; });
  const auto made = plan();
  ASSERT_THAT(kinds(made), ElementsAre("HPA"));
  EXPECT_EQ(made.writes[0].put_right, "spec.x had been changed");
}

TEST_F(PlanTest, LeavesFieldsOfOthersAlone) {
  store_all();
  edit("HPA", [](json& content) {
    content["spec"]["other"] = 1;
    content["metadata"]["annotations"]["a"] = "b";
  });
  EXPECT_THAT(plan().writes, IsEmpty());
}

TEST_F(PlanTest, AFieldThatTheApiServerHoldsInItsOwnWayIsWrittenOnce) {
  store_all();
  edit("HPA", [](json& content) { content["spec"]["x"] = "one"; });
  const auto made = plan();
  ASSERT_THAT(kinds(made), ElementsAre("HPA"));
  EXPECT_FALSE(holds(made.writes[0], children_["/HPA"]));
  input_.settled["/HPA"] = {made.writes[0].applied, children_["/HPA"].content};
  EXPECT_THAT(plan().writes, IsEmpty());
  edit("HPA", [](json& content) { content["spec"]["x"] = "two"; });
  EXPECT_THAT(kinds(plan()), ElementsAre("HPA"));
}

TEST_F(PlanTest, AChildThatWasDeletedIsMadeAgain) {
  store_all();
  input_.children.erase("/Service");
  input_.applied_before = true;
  const auto made = plan();
  ASSERT_THAT(kinds(made), ElementsAre("Service"));
  EXPECT_EQ(made.writes[0].put_right, "it was gone");
}

TEST_F(PlanTest, ANewSessionKeyGoesOutWithTheDeployment) {
  store_all();
  input_.secret_fingerprint = "key-2";
  EXPECT_THAT(kinds(plan()), ElementsAre("Secret", "Deployment"));
}

TEST_F(PlanTest, ReplicasAreComparedButAreNoWishOfTheirOwn) {
  want("Deployment", [](json& body) { body["spec"]["replicas"] = 3; });
  store_all();
  // The autoscaler took over and moved them: the field is left out, and that is no write.
  edit("Deployment", [](json& content) { content["spec"]["replicas"] = 7; });
  want("Deployment", [](json& body) { body["spec"].erase("replicas"); });
  EXPECT_THAT(plan().writes, IsEmpty());
  // Ours again: what stands there now must be what we saw.
  want("Deployment", [](json& body) { body["spec"]["replicas"] = 3; });
  children_["/Deployment"].resource_version = "42";
  const auto made = plan();
  ASSERT_THAT(kinds(made), ElementsAre("Deployment"));
  EXPECT_EQ(json::parse(made.writes[0].object.body)["metadata"]["resourceVersion"], "42");
}

TEST_F(PlanTest, RefusesAChildOfSomebodyElseAndTouchesNothing) {
  store_all();
  children_["/Service"].controller_uid = "";
  children_["/Service"].controller_kind = "";
  input_.children.erase("/HPA");
  const auto made = plan();
  ASSERT_TRUE(made.refusal);
  EXPECT_EQ(made.refusal->reason, desired::kNameTaken);
  EXPECT_THAT(made.refusal->message, HasSubstr("Service s exists and is controlled by nobody"));
  EXPECT_THAT(made.writes, IsEmpty());
}

TEST_F(PlanTest, WaitsForTheChildOfADeletedServerOfTheSameName) {
  store_all();
  children_["/Deployment"].controller_uid = "older-uid";
  const auto made = plan();
  EXPECT_FALSE(made.refusal);
  EXPECT_EQ(made.wait_for, "Deployment s");
  EXPECT_THAT(made.writes, IsEmpty());
}

TEST_F(PlanTest, RemovesWhatIsUnwantedWhereItIsOurs) {
  store_all();
  desired_.unwanted.push_back(desired_.objects.back());
  desired_.objects.pop_back();
  auto made = plan();
  ASSERT_EQ(made.removals.size(), 1U);
  EXPECT_EQ(made.removals[0].uid, "HPA-uid");
  children_["/HPA"].controller_uid = "somebody";
  EXPECT_THAT(plan().removals, IsEmpty());
}

}  // namespace
}  // namespace mcpfleet::op
