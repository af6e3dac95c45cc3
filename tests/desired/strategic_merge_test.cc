#include "desired/strategic_merge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mcpfleet::desired {
namespace {

using fleet::Json;

struct Case {
  const char* name;
  const char* original;
  const char* patch;
  const char* want;
};

const Case kCases[] = {
    {"nothing", R"({"a": 1})", R"({})", R"({"a": 1})"},
    {"maps are merged", R"({"a": {"b": 1, "c": 2}})", R"({"a": {"c": 3, "d": 4}})",
     R"({"a": {"b": 1, "c": 3, "d": 4}})"},
    {"another type replaces", R"({"a": {"b": 1}})", R"({"a": 7})", R"({"a": 7})"},
    {"a map replaces another type", R"({"a": 7})", R"({"a": {"b": null, "c": 1}})",
     R"({"a": {"c": 1}})"},
    {"null removes", R"({"a": 1, "b": {"c": 1, "d": 2}})",
     R"({"a": null, "b": {"c": null}, "z": null})", R"({"b": {"d": 2}})"},
    {"a removed map", R"({"a": {"b": 1}, "c": 1})", R"({"a": {"$patch": "delete"}})",
     R"({"c": 1})"},
    {"a removed map that is not there", R"({"c": 1})", R"({"a": {"$patch": "delete"}})",
     R"({"c": 1})"},
    {"a replaced map", R"({"a": {"b": 1, "c": 2}})", R"({"a": {"$patch": "replace", "d": 4}})",
     R"({"a": {"d": 4}})"},
    {"merge said", R"({"a": {"b": 1}})", R"({"a": {"$patch": "merge", "c": 2}})",
     R"({"a": {"b": 1, "c": 2}})"},
    {"no directive stays in what is new", R"({})",
     R"({"a": {"b": {"$patch": "replace", "c": 1}, "d": {"$patch": "delete"}}})",
     R"({"a": {"b": {"c": 1}}})"},

    {"containers by name, new ones behind",
     R"({"containers": [{"name": "x", "image": "i"}, {"name": "y", "image": "j"}]})",
     R"({"containers": [{"name": "z", "image": "n"}, {"name": "y", "tty": true}]})",
     R"({"containers": [{"name": "x", "image": "i"}, {"name": "y", "image": "j", "tty": true}, {"name": "z", "image": "n"}]})"},
    {"lists below lists",
     R"({"containers": [{"name": "x", "env": [{"name": "A", "value": "1"}], "args": ["a", "b"]}]})",
     R"({"containers": [{"name": "x", "env": [{"name": "B", "value": "2"}, {"name": "A", "value": "3"}], "args": ["c"]}]})",
     R"({"containers": [{"name": "x", "env": [{"name": "A", "value": "3"}, {"name": "B", "value": "2"}], "args": ["c"]}]})"},
    {"an entry is removed", R"({"volumes": [{"name": "a"}, {"name": "b"}]})",
     R"({"volumes": [{"name": "a", "$patch": "delete"}]})", R"({"volumes": [{"name": "b"}]})"},
    {"an entry that is not there is removed", R"({"volumes": [{"name": "b"}]})",
     R"({"volumes": [{"name": "a", "$patch": "delete"}]})", R"({"volumes": [{"name": "b"}]})"},
    {"a list is replaced", R"({"volumes": [{"name": "a"}, {"name": "b", "emptyDir": {}}]})",
     R"({"volumes": [{"$patch": "replace"}, {"name": "b"}]})", R"({"volumes": [{"name": "b"}]})"},
    {"a list is emptied", R"({"volumes": [{"name": "a"}]})",
     R"({"volumes": [{"$patch": "replace"}]})", R"({"volumes": []})"},
    {"a list is removed", R"({"volumes": [{"name": "a"}], "b": 1})", R"({"volumes": null})",
     R"({"b": 1})"},
    {"an empty list changes nothing", R"({"volumes": [{"name": "a"}]})", R"({"volumes": []})",
     R"({"volumes": [{"name": "a"}]})"},
    {"a list that is not there", R"({})",
     R"({"volumes": [{"name": "a", "emptyDir": null}, {"name": "b", "$patch": "delete"}]})",
     R"({"volumes": [{"name": "a"}]})"},

    {"initContainers", R"({"initContainers": [{"name": "a"}]})",
     R"({"initContainers": [{"name": "b"}]})",
     R"({"initContainers": [{"name": "a"}, {"name": "b"}]})"},
    {"ephemeralContainers", R"({"ephemeralContainers": [{"name": "a"}]})",
     R"({"ephemeralContainers": [{"name": "b"}]})",
     R"({"ephemeralContainers": [{"name": "a"}, {"name": "b"}]})"},
    {"imagePullSecrets", R"({"imagePullSecrets": [{"name": "a"}]})",
     R"({"imagePullSecrets": [{"name": "b"}, {"name": "a"}]})",
     R"({"imagePullSecrets": [{"name": "a"}, {"name": "b"}]})"},
    {"resourceClaims", R"({"resourceClaims": [{"name": "a"}]})",
     R"({"resourceClaims": [{"name": "b"}]})",
     R"({"resourceClaims": [{"name": "a"}, {"name": "b"}]})"},
    {"schedulingGates", R"({"schedulingGates": [{"name": "a"}]})",
     R"({"schedulingGates": [{"name": "b"}]})",
     R"({"schedulingGates": [{"name": "a"}, {"name": "b"}]})"},
    {"hostAliases by ip", R"({"hostAliases": [{"ip": "1", "hostnames": ["a"]}]})",
     R"({"hostAliases": [{"ip": "1", "hostnames": ["b"]}, {"ip": "2"}]})",
     R"({"hostAliases": [{"ip": "1", "hostnames": ["b"]}, {"ip": "2"}]})"},
    {"topologySpreadConstraints by topologyKey",
     R"({"topologySpreadConstraints": [{"topologyKey": "zone", "maxSkew": 1}]})",
     R"({"topologySpreadConstraints": [{"topologyKey": "zone", "maxSkew": 2}]})",
     R"({"topologySpreadConstraints": [{"topologyKey": "zone", "maxSkew": 2}]})"},
    {"ports by containerPort", R"({"ports": [{"containerPort": 1, "name": "a"}]})",
     R"({"ports": [{"containerPort": 1, "protocol": "TCP"}, {"containerPort": 2}]})",
     R"({"ports": [{"containerPort": 1, "name": "a", "protocol": "TCP"}, {"containerPort": 2}]})"},
    {"volumeMounts by mountPath", R"({"volumeMounts": [{"mountPath": "/a", "name": "x"}]})",
     R"({"volumeMounts": [{"mountPath": "/a", "name": "y"}, {"mountPath": "/b", "name": "x"}]})",
     R"({"volumeMounts": [{"mountPath": "/a", "name": "y"}, {"mountPath": "/b", "name": "x"}]})"},
    {"volumeDevices by devicePath", R"({"volumeDevices": [{"devicePath": "/a", "name": "x"}]})",
     R"({"volumeDevices": [{"devicePath": "/a", "name": "y"}]})",
     R"({"volumeDevices": [{"devicePath": "/a", "name": "y"}]})"},
    {"tolerations as a whole", R"({"tolerations": [{"key": "a"}]})",
     R"({"tolerations": [{"key": "b", "value": null}]})", R"({"tolerations": [{"key": "b"}]})"},
    {"envFrom as a whole", R"({"envFrom": [{"prefix": "A"}]})", R"({"envFrom": [{"prefix": "B"}]})",
     R"({"envFrom": [{"prefix": "B"}]})"},
    {"readinessGates as a whole", R"({"readinessGates": [{"conditionType": "a"}]})",
     R"({"readinessGates": [{"conditionType": "b"}]})",
     R"({"readinessGates": [{"conditionType": "b"}]})"},
};

TEST(StrategicMergeTest, Cases) {
  for (const auto& test : kCases) {
    const auto got = strategic_merge(Json::parse(test.original), Json::parse(test.patch), "t");
    ASSERT_TRUE(got) << test.name << ": " << got.error().message;
    EXPECT_EQ(*got, Json::parse(test.want)) << test.name;
  }
}

TEST(StrategicMergeTest, WhatIsNoPatchIsRefusedByItsPlace) {
  const struct {
    const char* patch;
    const char* want;
  } cases[] = {
      {R"({"containers": [{"image": "x"}]})",
       "t.containers[0].name is required, for the entries of this list are found by it"},
      {R"({"containers": [{"name": "x"}, "y"]})",
       "t.containers[1].name is required, for the entries of this list are found by it"},
      {R"({"a": {"b": {"$patch": "remove"}}})", "t.a.b.$patch must be merge, replace or delete"},
      {R"({"containers": [{"name": "x", "$patch": "replace"}]})",
       "t.containers[0].$patch replace must stand in an entry of its own, for it replaces the "
       "whole "
       "list"},
      {R"({"$setElementOrder/containers": []})",
       "t.$setElementOrder/containers is a directive that is not supported: only $patch is"},
      {R"({"a": {"$retainKeys": ["b"]}})",
       "t.a.$retainKeys is a directive that is not supported: only $patch is"},
      {R"({"tolerations": [{"key": "x", "$patch": "delete"}]})",
       "t.tolerations[0].$patch has no effect, for this list is replaced as a whole"},
  };
  for (const auto& test : cases) {
    const auto got = strategic_merge(Json::parse(R"({"containers": [{"name": "x"}]})"),
                                     Json::parse(test.patch), "t");
    ASSERT_FALSE(got) << test.patch;
    EXPECT_EQ(got.error().kind, ErrorKind::Invalid);
    EXPECT_EQ(got.error().message, test.want);
  }
}

}  // namespace
}  // namespace mcpfleet::desired
