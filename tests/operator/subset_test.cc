#include "operator/subset.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace mcpfleet::op {
namespace {

using nlohmann::json;

TEST(FirstDifference, NoneWhereTheApiServerSaysTheSameItsOwnWay) {
  const struct {
    const char* name;
    const char* desired;
    const char* observed;
  } kCases[] = {
      {"equal", R"({"a":{"b":[1,"x"]}})", R"({"a":{"b":[1,"x"]}})"},
      {"fields of others", R"({"a":1})", R"({"a":1,"b":2})"},
      {"empty values left out", R"({"a":"","b":[],"c":{},"d":null,"e":false,"f":0,"g":{"h":""}})",
       "{}"},
      {"quantities", R"({"requests":{"cpu":"0.5","memory":"1024Mi"}})",
       R"({"requests":{"cpu":"500m","memory":"1Gi"}})"},
      {"a quantity as a number", R"({"limits":{"cpu":2}})", R"({"limits":{"cpu":"2"}})"},
      {"tolerance", R"({"scaleUp":{"tolerance":"0"}})", R"({"scaleUp":{"tolerance":"0"}})"},
      {"containers in another order and with more of them",
       R"({"containers":[{"name":"a","image":"1"},{"name":"b","image":"2"}]})",
       R"({"containers":[{"name":"x"},{"name":"b","image":"2"},{"name":"a","image":"1","tty":true}]})"},
      {"a port of two protocols",
       R"({"ports":[{"port":53,"protocol":"UDP"},{"port":53,"protocol":"TCP"}]})",
       R"({"ports":[{"port":53,"protocol":"UDP"},{"port":53,"protocol":"TCP"}]})"},
      {"a protocol left out", R"({"ports":[{"containerPort":53}]})",
       R"({"ports":[{"containerPort":53,"protocol":"TCP"}]})"},
      {"rules of a network",
       R"({"ingress":[{"from":[{"podSelector":{}}]},{"ports":[{"port":1}]}]})",
       R"({"ingress":[{"from":[{"podSelector":{}}]},{"ports":[{"port":1,"protocol":"TCP"}]}]})"},
      {"owner references", R"({"ownerReferences":[{"uid":"1","name":"n"}]})",
       R"({"ownerReferences":[{"uid":"2","name":"m"},{"uid":"1","name":"n"}]})"},
  };
  for (const auto& c : kCases) {
    const auto difference = first_difference(json::parse(c.desired), json::parse(c.observed));
    EXPECT_EQ(difference, std::nullopt) << c.name << ": " << difference.value_or("");
  }
}

TEST(FirstDifference, NamesTheField) {
  const struct {
    const char* name;
    const char* desired;
    const char* observed;
    const char* want;
  } kCases[] = {
      {"value", R"({"spec":{"a":{"b":1}}})", R"({"spec":{"a":{"b":2}}})", "spec.a.b"},
      {"missing", R"({"spec":{"a":"x"}})", R"({"spec":{}})", "spec.a"},
      {"zero is not one", R"({"a":0})", R"({"a":1})", "a"},
      {"false is not true", R"({"a":false})", R"({"a":true})", "a"},
      {"text is not a quantity everywhere", R"({"env":[{"name":"A","value":"1000m"}]})",
       R"({"env":[{"name":"A","value":"1"}]})", "env[0].value"},
      {"quantities differ", R"({"limits":{"cpu":"1"}})", R"({"limits":{"cpu":"2"}})", "limits.cpu"},
      {"a keyed entry is gone", R"({"containers":[{"name":"a"}]})",
       R"({"containers":[{"name":"b"}]})", "containers[0]"},
      {"a keyed entry changed", R"({"containers":[{"name":"a","image":"1"}]})",
       R"({"containers":[{"name":"a","image":"2"}]})", "containers[0].image"},
      {"an added peer", R"({"ingress":[{"from":[{"podSelector":{}}]}]})",
       R"({"ingress":[{"from":[{"podSelector":{}},{"namespaceSelector":{}}]}]})",
       "ingress[0].from"},
      {"an added rule", R"({"egress":[{"ports":[{"port":53}]}]})",
       R"({"egress":[{"ports":[{"port":53}]},{}]})", "egress"},
      {"another protocol", R"({"ports":[{"port":53,"protocol":"UDP"}]})",
       R"({"ports":[{"port":53,"protocol":"TCP"}]})", "ports[0]"},
      {"ports go by name", R"({"ports":[{"name":"mcp","port":80}]})",
       R"({"ports":[{"name":"mcp","port":81}]})", "ports[0].port"},
      {"arguments are one value", R"({"args":["a"]})", R"({"args":["a","b"]})", "args"},
      {"order of arguments", R"({"args":["a","b"]})", R"({"args":["b","a"]})", "args[0]"},
      {"an added metric of an HPA", R"({"metrics":[{"type":"Pods"}]})",
       R"({"metrics":[{"type":"Pods"},{"type":"Object"}]})", "metrics"},
      {"an emptied list that is not empty", R"({"args":[]})", R"({"args":["a"]})", "args"},
      {"kinds", R"({"a":{"b":1}})", R"({"a":[1]})", "a"},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(first_difference(json::parse(c.desired), json::parse(c.observed)), c.want) << c.name;
  }
}

}  // namespace
}  // namespace mcpfleet::op
