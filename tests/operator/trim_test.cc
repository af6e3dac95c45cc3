#include "operator/trim.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "desired/observed.h"

namespace mcpfleet::op {
namespace {

using nlohmann::json;

TEST(Trim, LeavesOutWhatIsNamedAndNothingElse) {
  const char* text = R"({"apiVersion": "v1", "count" : 3 , "none": null, "spec": {"a": [1, 2]},
      "metadata": {"name": "n \"q\"", "managedFields": [{"x": 1}], "labels": {}}, "status": {}})";
  json expected = json::parse(text);
  expected.erase("spec");
  expected["metadata"].erase("managedFields");
  EXPECT_EQ(json::parse(without(text, {"spec", "metadata.managedFields"})), expected);
  EXPECT_EQ(json::parse(without(text, {})), json::parse(text));
  // A name is a whole name.
  EXPECT_EQ(json::parse(without(text, {"meta.name", "metadata.nam"})), json::parse(text));
}

TEST(Trim, WhatIsNoObjectComesBackAsItWas) {
  for (const char* text : {"", "[]", "{", "x", R"({"metadata": )", R"({"a": "b})"}) {
    EXPECT_EQ(without(text, {"metadata.managedFields"}), text);
    EXPECT_FALSE(desired::decode_deployment(trim_deployment(text)).has_value() &&
                 !desired::decode_deployment(text).has_value());
  }
}

json deployment() {
  const auto owner = [](const char* manager, const char* subresource, const json& fields) {
    json entry{{"manager", manager}, {"operation", "Update"}, {"fieldsV1", fields}};
    if (*subresource != '\0') entry["subresource"] = subresource;
    return entry;
  };
  const json replicas{{"f:spec", {{"f:replicas", json::object()}}}};
  return {{"metadata",
           {{"name", "d"},
            {"namespace", "n"},
            {"uid", "u"},
            {"generation", 7},
            {"annotations", {{"mcpfleet.dev/runtime-replicas", "2"}}},
            {"ownerReferences", {{{"uid", "o"}, {"controller", true}}}},
            {"managedFields",
             {owner("mcp-operator", "", {{"f:spec", {{"f:template", json::object()}}}}),
              owner("kube-controller-manager", "scale", replicas),
              owner("kubelet", "status", {{"f:status", json::object()}})}}}},
          {"spec", {{"replicas", 4}, {"template", {{"spec", {{"containers", json::array()}}}}}}},
          {"status", {{"replicas", 3}, {"conditions", {{{"type", "Available"}}}}}}};
}

TEST(Trim, ADeploymentReadsTheSame) {
  for (const char* manager : {"kube-controller-manager", "kubectl", "mcp-operator"}) {
    json object = deployment();
    object["metadata"]["managedFields"][1]["manager"] = manager;
    const auto whole = desired::decode_deployment(object.dump());
    const auto trimmed = desired::decode_deployment(trim_deployment(object.dump()));
    ASSERT_TRUE(whole && trimmed);
    EXPECT_EQ(whole->replicas_owner, trimmed->replicas_owner) << manager;
    EXPECT_EQ(whole->runtime_replicas, trimmed->runtime_replicas);
    EXPECT_EQ(whole->controller_uid, trimmed->controller_uid);
    EXPECT_EQ(whole->spec_replicas, trimmed->spec_replicas);
    EXPECT_EQ(whole->generation, trimmed->generation);
    EXPECT_EQ(whole->replicas, trimmed->replicas);
    EXPECT_EQ(whole->conditions.size(), trimmed->conditions.size());
  }
  json nobody = deployment();
  nobody["metadata"] = json::object();
  EXPECT_TRUE(desired::decode_deployment(trim_deployment(nobody.dump())));
}

TEST(Trim, APodReadsTheSame) {
  const json pod{
      {"metadata",
       {{"name", "p"},
        {"namespace", "n"},
        {"labels", {{"mcpfleet.dev/server", "s"}, {"pod-template-hash", "h"}}},
        {"annotations", {{"a", "b"}}},
        {"managedFields", json::array()}}},
      {"spec", {{"containers", json::array()}}},
      {"status",
       {{"podIP", "10.0.0.1"},
        {"containerStatuses",
         {{{"name", "server"},
           {"state", {{"waiting", {{"reason", "ImagePullBackOff"}, {"message", "no"}}}}}}}}}}};
  const auto whole = desired::decode_pod(pod.dump());
  const auto trimmed = desired::decode_pod(trim_pod(pod.dump()));
  ASSERT_TRUE(whole && trimmed);
  EXPECT_EQ(*whole, *trimmed);
  ASSERT_TRUE(trimmed->problem);
}

}  // namespace
}  // namespace mcpfleet::op
