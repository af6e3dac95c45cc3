#include "operator/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

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
    input_.owner = {"MCPServer", "server-uid", 1};
    input_.secret_fingerprint = "key-1";
    input_.sidecar_image = "sidecar:1";
    input_.keep_sidecar = true;
    for (const char* kind : {"Secret", "Service", "Deployment", "HPA"}) {
      desired_.objects.push_back(object(kind));
    }
  }

  static desired::Object object(const std::string& kind) {
    json body = {{"kind", kind},
                 {"metadata", {{"name", "s"}, {"labels", {{"l", "1"}}}}},
                 {"spec", {{"x", 1}}}};
    if (kind == "Deployment") {
      body["spec"]["template"]["spec"]["initContainers"] = {
          {{"name", "mcp-sidecar"}, {"image", "sidecar:1"}}};
    }
    return {"v1", kind, "s", "/" + kind, body.dump()};
  }

  // The API server takes a write.
  void store(const Write& write, const std::string& version = "1") {
    const json body = json::parse(write.object.body);
    Child& child = children_[write.object.path];
    child.namespace_ = "ns";
    child.name = "s";
    child.uid = write.object.kind + "-uid";
    child.resource_version = version;
    child.controller_uid = "server-uid";
    child.controller_kind = "MCPServer";
    child.applied = write.applied;
    child.content =
        json{{"metadata", body["metadata"]}, {"spec", body.value("spec", json::object())}}.dump();
    const json annotations = body["metadata"].value("annotations", json::object());
    child.pod_template = annotations.value(kPodTemplateAnnotation, "");
    child.sidecar_image = annotations.value(kSidecarImageAnnotation, "");
    if (body.contains("spec") && body["spec"].contains("replicas"))
      child.replicas = body["spec"]["replicas"].get<int>();
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
  children_["/HPA"].set_verified();  // what came of that apply is what there is
  EXPECT_THAT(plan().writes, IsEmpty());
  children_["/HPA"].content = R"({"metadata":{},"spec":{"x":"two"}})";
  EXPECT_THAT(kinds(plan()), ElementsAre("HPA"));
}

TEST_F(PlanTest, WhatWasComparedNeedsNoText) {
  want("Deployment", [](json& body) { body["spec"]["replicas"] = 3; });
  store_all();
  auto made = plan();
  ASSERT_EQ(made.verified.size(), 3U);
  EXPECT_EQ(made.verified[0], &desired_.objects[1]);
  for (auto& [path, child] : children_) child.set_verified();
  made = plan();
  EXPECT_THAT(made.writes, IsEmpty());
  EXPECT_THAT(made.verified, IsEmpty());
  // Replicas are known without it.
  children_["/Deployment"].replicas = 2;
  made = plan();
  ASSERT_THAT(kinds(made), ElementsAre("Deployment"));
  EXPECT_EQ(made.writes[0].put_right, "spec.replicas had been changed");
  children_["/Deployment"].replicas = 3;
  want("Service", [](json& body) { body["spec"]["x"] = 2; });
  EXPECT_THAT(kinds(plan()), ElementsAre("Service"));
}

TEST_F(PlanTest, ANewerSidecarWaitsForAnotherReasonToRoll) {
  const auto images = [](const Write& write) {
    const auto body = json::parse(write.object.body);
    const auto annotations = body["metadata"]["annotations"];
    const auto containers = body["spec"]["template"]["spec"]["initContainers"];
    return std::pair(containers[0]["image"].get<std::string>(),
                     annotations[kSidecarImageAnnotation].get<std::string>());
  };
  store_all();
  input_.sidecar_image = "sidecar:2";
  want("Deployment", [](json& body) {
    body["spec"]["template"]["spec"]["initContainers"][0]["image"] = "sidecar:2";
  });
  EXPECT_THAT(plan().writes, IsEmpty());
  // Not of the pods.
  want("Deployment", [](json& body) { body["spec"]["x"] = 2; });
  auto made = plan();
  ASSERT_THAT(kinds(made), ElementsAre("Secret", "Deployment"));
  EXPECT_EQ(images(made.writes[1]), std::pair(std::string("sidecar:1"), std::string("sidecar:1")));
  // Of the pods.
  want("Deployment", [](json& body) { body["spec"]["template"]["spec"]["y"] = 2; });
  made = plan();
  ASSERT_THAT(kinds(made), ElementsAre("Secret", "Deployment"));
  EXPECT_EQ(images(made.writes[1]), std::pair(std::string("sidecar:2"), std::string("sidecar:2")));
}

TEST_F(PlanTest, ANewerSidecarAtOnceWhereAskedFor) {
  store_all();
  input_.sidecar_image = "sidecar:2";
  input_.keep_sidecar = false;
  want("Deployment", [](json& body) {
    body["spec"]["template"]["spec"]["initContainers"][0]["image"] = "sidecar:2";
  });
  EXPECT_THAT(kinds(plan()), ElementsAre("Secret", "Deployment"));
}

TEST_F(PlanTest, AKeptSidecarThatSomebodyChangedIsPutRight) {
  store_all();
  input_.sidecar_image = "sidecar:2";
  want("Deployment", [](json& body) {
    body["spec"]["template"]["spec"]["initContainers"][0]["image"] = "sidecar:2";
  });
  edit("Deployment", [](json& content) {
    content["spec"]["template"]["spec"]["initContainers"][0]["image"] = "mine";
  });
  const auto made = plan();
  ASSERT_THAT(kinds(made), ElementsAre("Deployment"));
  EXPECT_EQ(made.writes[0].put_right,
            "spec.template.spec.initContainers[0].image had been changed");
  EXPECT_THAT(made.writes[0].object.body, HasSubstr("sidecar:1"));
}

TEST_F(PlanTest, ASecretThatIsSeenIsAChildLikeTheOthers) {
  want("Secret", [](json& body) {
    body.erase("spec");
    body["data"]["key"] = "c2VjcmV0";
  });
  input_.secrets_seen = true;
  for (const auto& write : plan().writes) store(write);
  children_["/Secret"].content = R"({"metadata":{"labels":{"l":"1"},"annotations":{")" +
                                 std::string(kAppliedAnnotation) + R"(":")" +
                                 children_["/Secret"].applied + R"("}}})";
  EXPECT_THAT(plan().writes, IsEmpty());
  input_.children.erase("/Secret");
  input_.applied_before = true;
  auto made = plan();
  ASSERT_THAT(kinds(made), ElementsAre("Secret"));
  EXPECT_EQ(made.writes[0].put_right, "it was gone");
  input_.children["/Secret"] = &children_["/Secret"];
  input_.secret_fingerprint = "key-2";
  EXPECT_THAT(kinds(plan()), ElementsAre("Secret", "Deployment"));
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
  children_["/Deployment"].replicas = 7;
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

TEST_F(PlanTest, CircumstancesAreTheSameWhileNothingHasToBeDone) {
  store_all();
  const desired::Context context{.sidecar_image = "sidecar:1", .replicas = 3};
  const auto before = circumstances(input_, digest_of(context, {}));
  children_["/HPA"].resource_version = "99";  // its status
  EXPECT_EQ(circumstances(input_, digest_of(context, {})), before);
  std::set<std::uint64_t> others{before};
  const auto differs = [&](const desired::Context& c, const std::vector<std::string>& scalers) {
    return others.insert(circumstances(input_, digest_of(c, scalers))).second;
  };
  auto another = context;
  another.replicas = 4;
  EXPECT_TRUE(differs(another, {}));
  another = context;
  another.config_fingerprint = "x";
  EXPECT_TRUE(differs(another, {}));
  EXPECT_TRUE(differs(context, {"HorizontalPodAutoscaler x"}));
  children_["/HPA"].content_hash = 7;
  EXPECT_TRUE(differs(context, {}));
  children_["/HPA"].controller_uid = "somebody";
  EXPECT_TRUE(differs(context, {}));
  children_["/Deployment"].replicas = 9;
  EXPECT_TRUE(differs(context, {}));
  input_.children.erase("/HPA");
  EXPECT_TRUE(differs(context, {}));
  input_.owner.generation = 2;
  EXPECT_TRUE(differs(context, {}));
  input_.owner.uid = "another";
  EXPECT_TRUE(differs(context, {}));
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
