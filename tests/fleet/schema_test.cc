// Holds the schemas in crds/ and the decoders together: each field, limit, enum and default of a
// schema is its decoder's too.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "fleet/decode.h"
#include "manifests.h"

namespace mcpfleet::fleet {
namespace {

using nlohmann::json;
using testing::StartsWith;

json to_json(const YAML::Node& node) {
  if (node.IsSequence()) {
    json list = json::array();
    for (const auto& item : node) list.push_back(to_json(item));
    return list;
  }
  if (node.IsMap()) {
    json object = json::object();
    for (const auto& entry : node) object[entry.first.as<std::string>()] = to_json(entry.second);
    return object;
  }
  const auto text = node.as<std::string>("");
  if (node.Tag() == "!") return text;  // quoted
  const json parsed = json::parse(text, nullptr, false);
  return parsed.is_discarded() ? json(text) : parsed;
}

json spec_schema(const std::string& plural) {
  const auto crd =
      to_json(YAML::LoadFile(MCPFLEET_SOURCE_DIR "/crds/mcpfleet.dev_" + plural + ".yaml"));
  return crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
}

// A custom resource: its schema, manifests that together have every field, and its decoder.
struct Kind {
  json schema;
  std::vector<json> manifests;
  std::function<std::optional<Error>(const json& object)> decode;
};

template <auto Decode>
std::optional<Error> error_of(const json& object) {
  const auto got = Decode(object.dump());
  return got ? std::nullopt : std::optional(got.error());
}

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> kKinds{
      {spec_schema(kPlural), manifests(), error_of<decode>},
      {spec_schema(kGatewayPlural), gateway_manifests(), error_of<decode_gateway>}};
  return kKinds;
}

// That part of a schema, or an empty one.
const json& part(const json& schema, const char* key) {
  static const json kNone = json::object();
  return schema.contains(key) ? schema[key] : kNone;
}

// A place of one of the manifests, with its schema.
struct Place {
  const Kind& kind;
  const json& schema;
  const json& object;  // the whole manifest
  json::json_pointer at;
  std::string path;

  const json& value() const { return object[at]; }
};
using Visit = std::function<void(const Place&)>;

// Visits `place` and each place below; returns the number of places.
int walk(const Place& place, const Visit& visit) {
  visit(place);
  int places = 1;
  const auto down = [&](const json& schema, const auto& key, const std::string& path) {
    places += walk({place.kind, schema, place.object, place.at / key, place.path + path}, visit);
  };
  for (const auto& [name, child] : part(place.schema, "properties").items())
    if (place.value().contains(name)) down(child, name, "." + name);
  if (place.schema.contains("additionalProperties"))
    for (const auto& [name, item] : place.value().items())
      down(place.schema["additionalProperties"], name, "." + name);
  if (place.schema.contains("items"))
    for (std::size_t i = 0; i < place.value().size(); ++i)
      down(place.schema["items"], i, "[" + std::to_string(i) + "]");
  return places;
}

void for_each_field(const Visit& visit) {
  for (const Kind& kind : kinds())
    for (const json& object : kind.manifests)
      EXPECT_GT(walk({kind, kind.schema, object, json::json_pointer("/spec"), "spec"}, visit), 40);
}

// decode() must refuse the manifest with `value` at that place, and name the field.
void expect_refused(const Place& place, const json& value) {
  json object = place.object;
  object[place.at] = value;
  const auto error = place.kind.decode(object);
  ASSERT_TRUE(error) << place.path << " = " << value.dump();
  EXPECT_THAT(error->message, StartsWith(place.path)) << value.dump();
}

TEST(SchemaTest, TheFullManifestsHaveEveryFieldOfTheSchema) {
  std::vector<std::string> seen;
  for_each_field([&](const Place& place) {
    for (const auto& [name, child] : part(place.schema, "properties").items())
      if (place.value().contains(name)) seen.push_back(child.dump() + name);
  });
  for_each_field([&](const Place& place) {
    for (const auto& [name, child] : part(place.schema, "properties").items())
      EXPECT_THAT(seen, testing::Contains(child.dump() + name)) << place.path << "." << name;
  });
}

TEST(SchemaTest, TheSchemaHasEveryFieldOfTheFullManifests) {
  for_each_field([&](const Place& place) {
    if (!place.schema.contains("properties")) return;
    for (const auto& [name, value] : place.value().items())
      EXPECT_TRUE(place.schema["properties"].contains(name)) << place.path << "." << name;
  });
}

TEST(SchemaTest, TheFullManifestsAreAccepted) {
  for (const Kind& kind : kinds())
    for (const json& object : kind.manifests) {
      const auto error = kind.decode(object);
      EXPECT_FALSE(error) << error->message;
    }
}

TEST(SchemaTest, EachFieldOfAWrongTypeIsRefusedByName) {
  for_each_field([](const Place& place) {
    const std::string type = place.schema.value("type", "int-or-string");
    if (type == "string")
      expect_refused(place, 12345);
    else if (type == "int-or-string")
      expect_refused(place, true);
    else
      expect_refused(place, "text");
  });
}

TEST(SchemaTest, EachLimitIsTheDecodersToo) {
  for_each_field([](const Place& place) {
    const json& schema = place.schema;
    if (schema.contains("minimum"))
      expect_refused(place, schema["minimum"].get<std::int64_t>() - 1);
    if (schema.contains("maximum"))
      expect_refused(place, schema["maximum"].get<std::int64_t>() + 1);
    if (schema.contains("minLength")) expect_refused(place, "");
    if (schema.contains("maxLength"))
      expect_refused(place, "/" + std::string(schema["maxLength"].get<std::size_t>(), 'a'));
    if (schema.contains("enum")) expect_refused(place, "something-else");
    if (schema.contains("maxItems")) {
      json items = json::array();
      for (std::size_t i = 0; i <= schema["maxItems"].get<std::size_t>(); ++i)
        items.push_back(place.value()[0]);
      expect_refused(place, items);
    }
    if (schema.contains("maxProperties")) {
      json object = json::object();
      for (std::size_t i = 0; i <= schema["maxProperties"].get<std::size_t>(); ++i)
        object["example.com/r" + std::to_string(i)] = 1;
      expect_refused(place, object);
    }
  });
}

TEST(SchemaTest, EachRequiredFieldIsRequired) {
  for_each_field([](const Place& place) {
    for (const auto& name : part(place.schema, "required")) {
      json object = place.object;
      object[place.at].erase(name.get<std::string>());
      const auto error = place.kind.decode(object);
      ASSERT_TRUE(error) << place.path << "." << name;
      EXPECT_THAT(error->message, StartsWith(place.path + "." + name.get<std::string>()));
    }
  });
}

TEST(SchemaTest, EachValueOfAnEnumIsAccepted) {
  for_each_field([](const Place& place) {
    // These decide what else there must be; each value is in a manifest, or tested with them.
    if (place.path == "spec.source.type" || place.path.contains("matchExpressions") ||
        place.path.ends_with("].per"))
      return;
    for (const auto& value : part(place.schema, "enum")) {
      json object = place.object;
      object[place.at] = value;
      const auto error = place.kind.decode(object);
      EXPECT_FALSE(error) << place.path << " = " << value << ": " << error->message;
    }
  });
}

TEST(SchemaTest, RuleMetricsAreTheDecoders) {
  const json schema = spec_schema(kPlural);
  const json& metrics = schema["properties"]["autoscaling"]["properties"]["rules"]["items"]
                              ["properties"]["metric"]["enum"];
  EXPECT_EQ(metrics, json(kRuleMetrics));
}

// Structural defaulting as the API server does it.
json defaulted(const json& schema, json value) {
  if (value.is_object()) {
    for (const auto& [name, child] : part(schema, "properties").items()) {
      if (!value.contains(name) && child.contains("default")) value[name] = child["default"];
      if (value.contains(name)) value[name] = defaulted(child, value[name]);
    }
  }
  if (value.is_array() && schema.contains("items"))
    for (json& item : value) item = defaulted(schema["items"], item);
  return value;
}

template <auto Decode>
void expect_same_defaults(const json& schema, const json& object) {
  json with = object;
  with["spec"] = defaulted(schema, object["spec"]);
  EXPECT_NE(with, object);
  const auto want = Decode(with.dump());
  const auto got = Decode(object.dump());
  ASSERT_TRUE(want) << want.error().message;
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(*got, *want) << with.dump();
}

json with_empty_proxy() {
  json object = minimal();
  object["spec"]["proxy"] = json::parse(R"({"loadBalancing": {}, "timeouts": {}, "limits": {
    "rates": [{"per": "Tool", "calls": 3}]}})");
  return object;
}

// A schema without what is for people, and without the defaults of objects that are merged.
json shape(json schema) {
  if (schema.is_array())
    for (json& item : schema) item = shape(item);
  if (!schema.is_object()) return schema;
  schema.erase("description");
  schema.erase("message");
  if (schema.contains("properties"))
    for (auto& [name, child] : schema["properties"].items())
      if (!schema["properties"].contains("policy") && name != "period") child.erase("default");
  for (auto& [name, child] : schema.items())
    if (name != "default") child = shape(child);
  if (schema.value("type", "") == "object") schema.erase("default");
  return schema;
}

TEST(SchemaTest, DefaultsAreTheSame) {
  json scaled = minimal();
  scaled["spec"]["autoscaling"] = json::object();
  json ruled = scaled;
  ruled["spec"]["autoscaling"]["rules"] = json::parse(
      R"([{"name": "slow", "metric": "mcp_requests_in_flight", "threshold": 3, "action": "ScaleUp"}])");
  json workload = full_of_workload();
  workload["spec"]["source"]["workloadRef"].erase("apiVersion");
  for (const json& object : {minimal(), scaled, ruled, workload, with_empty_proxy()})
    expect_same_defaults<decode>(spec_schema(kPlural), object);
}

TEST(SchemaTest, DefaultsOfAGatewayAreTheSame) {
  json rated = minimal_gateway();
  rated["spec"]["limits"]["rates"] = json::parse(R"([{"per": "Server", "calls": 3}])");
  for (const json& object : {minimal_gateway(), rated})
    expect_same_defaults<decode_gateway>(spec_schema(kGatewayPlural), object);
}

// What both kinds say of traffic has one shape, but that a server has no defaults: what it does not
// say is its gateway's.
TEST(SchemaTest, ProxyOfAServerHasTheShapeOfAGateway) {
  const json gateway = spec_schema(kGatewayPlural)["properties"];
  const json proxy = spec_schema(kPlural)["properties"]["proxy"]["properties"];
  EXPECT_EQ(proxy.size(), 4U);
  for (const auto& [name, schema] : proxy.items())
    EXPECT_EQ(shape(schema), shape(gateway[name])) << name;
}

TEST(SchemaTest, EveryTextAndListHasALimit) {
  for_each_field([](const Place& place) {
    const json& schema = place.schema;
    const std::string type = schema.value("type", "");
    const bool text_limit = schema.contains("maxLength") || schema.contains("enum");
    EXPECT_TRUE(type != "string" || text_limit) << place.path;
    EXPECT_TRUE(type != "array" || schema.contains("maxItems")) << place.path;
    EXPECT_TRUE(!schema.contains("additionalProperties") || schema.contains("maxProperties"))
        << place.path;
  });
}

}  // namespace
}  // namespace mcpfleet::fleet
