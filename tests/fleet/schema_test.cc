// Holds crds/mcpfleet.dev_mcpservers.yaml and the decoder together: each field, limit, enum and
// default of the schema is the decoder's too.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <functional>
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

json spec_schema() {
  const auto crd =
      to_json(YAML::LoadFile(MCPFLEET_SOURCE_DIR "/crds/mcpfleet.dev_mcpservers.yaml"));
  return crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
}

// That part of a schema, or an empty one.
const json& part(const json& schema, const char* key) {
  static const json kNone = json::object();
  return schema.contains(key) ? schema[key] : kNone;
}

// A field that the schema has, with its places in full(): an item of a list may lack it, but not
// all.
using Visit = std::function<void(const json& schema, const json::json_pointer& place,
                                 const std::string& path)>;

// Visits each schema below `schema` at each of its places in `value`; returns the number of places.
int walk(const json& schema, const json& value, const json::json_pointer& place,
         const std::string& path, const Visit& visit) {
  visit(schema, place, path);
  int places = 1;
  for (const auto& [name, child] : part(schema, "properties").items())
    if (value.contains(name))
      places += walk(child, value[name], place / name, path + "." + name, visit);
  if (schema.contains("additionalProperties"))
    for (const auto& [name, item] : value.items())
      places += walk(schema["additionalProperties"], item, place / name, path + "." + name, visit);
  if (schema.contains("items"))
    for (std::size_t i = 0; i < value.size(); ++i)
      places +=
          walk(schema["items"], value[i], place / i, path + "[" + std::to_string(i) + "]", visit);
  return places;
}

void for_each_field(const Visit& visit) {
  const json object = full();
  EXPECT_GT(walk(spec_schema(), object["spec"], json::json_pointer("/spec"), "spec", visit), 70);
}

// decode() must refuse full() with `value` at `place`, and name the field.
void expect_refused(const json::json_pointer& place, const std::string& path, const json& value) {
  json object = full();
  object[place] = value;
  const auto got = decode(object.dump());
  ASSERT_FALSE(got) << path << " = " << value.dump();
  EXPECT_THAT(got.error().message, StartsWith(path)) << value.dump();
}

TEST(SchemaTest, TheFullManifestHasEveryFieldOfTheSchema) {
  std::vector<std::string> seen;
  for_each_field([&](const json& schema, const json::json_pointer& place, const std::string&) {
    for (const auto& [name, child] : part(schema, "properties").items()) {
      json::json_pointer at = place / name;
      if (full().contains(at)) seen.push_back(child.dump() + name);
    }
  });
  for_each_field([&](const json& schema, const json::json_pointer&, const std::string& path) {
    for (const auto& [name, child] : part(schema, "properties").items())
      EXPECT_THAT(seen, testing::Contains(child.dump() + name)) << path << "." << name;
  });
}

TEST(SchemaTest, TheSchemaHasEveryFieldOfTheFullManifest) {
  for_each_field([&](const json& schema, const json::json_pointer& place, const std::string& path) {
    const json object = full();
    if (!schema.contains("properties") || !object[place].is_object()) return;
    for (const auto& [name, value] : object[place].items())
      EXPECT_TRUE(schema["properties"].contains(name)) << path << "." << name;
  });
}

TEST(SchemaTest, EachFieldOfAWrongTypeIsRefusedByName) {
  for_each_field([](const json& schema, const json::json_pointer& place, const std::string& path) {
    const std::string type = schema.value("type", "int-or-string");
    if (type == "string")
      expect_refused(place, path, 12345);
    else if (type == "int-or-string")
      expect_refused(place, path, true);
    else
      expect_refused(place, path, "text");
  });
}

TEST(SchemaTest, EachLimitIsTheDecodersToo) {
  for_each_field([](const json& schema, const json::json_pointer& place, const std::string& path) {
    if (schema.contains("minimum"))
      expect_refused(place, path, schema["minimum"].get<std::int64_t>() - 1);
    if (schema.contains("maximum"))
      expect_refused(place, path, schema["maximum"].get<std::int64_t>() + 1);
    if (schema.contains("minLength")) expect_refused(place, path, "");
    if (schema.contains("maxLength"))
      expect_refused(place, path, "/" + std::string(schema["maxLength"].get<std::size_t>(), 'a'));
    if (schema.contains("enum")) expect_refused(place, path, "something-else");
    if (schema.contains("maxItems")) {
      json items = json::array();
      for (std::size_t i = 0; i <= schema["maxItems"].get<std::size_t>(); ++i)
        items.push_back(full()[place][0]);
      expect_refused(place, path, items);
    }
    if (schema.contains("maxProperties")) {
      json object = json::object();
      for (std::size_t i = 0; i <= schema["maxProperties"].get<std::size_t>(); ++i)
        object["example.com/r" + std::to_string(i)] = 1;
      expect_refused(place, path, object);
    }
  });
}

TEST(SchemaTest, EachRequiredFieldIsRequired) {
  for_each_field([](const json& schema, const json::json_pointer& place, const std::string& path) {
    for (const auto& name : part(schema, "required")) {
      json object = full();
      object[place].erase(name.get<std::string>());
      const auto got = decode(object.dump());
      ASSERT_FALSE(got) << path << "." << name;
      EXPECT_THAT(got.error().message, StartsWith(path + "." + name.get<std::string>()));
    }
  });
}

TEST(SchemaTest, EachValueOfAnEnumIsAccepted) {
  for_each_field([](const json& schema, const json::json_pointer& place, const std::string& path) {
    for (const auto& value : part(schema, "enum")) {
      json object = full();
      object[place] = value;
      const auto got = decode(object.dump());
      EXPECT_TRUE(got) << path << " = " << value << ": " << got.error().message;
    }
  });
}

TEST(SchemaTest, RuleMetricsAreTheDecoders) {
  const json schema = spec_schema();
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

TEST(SchemaTest, DefaultsAreTheSame) {
  json scaled = minimal();
  scaled["spec"]["autoscaling"] = json::object();
  json ruled = scaled;
  ruled["spec"]["autoscaling"]["rules"] = json::parse(
      R"([{"name": "slow", "metric": "mcp_requests_in_flight", "threshold": 3, "action": "ScaleUp"}])");
  for (const json& object : {minimal(), scaled, ruled}) {
    json with = object;
    with["spec"] = defaulted(spec_schema(), object["spec"]);
    EXPECT_NE(with, object);
    const auto want = decode(with.dump());
    const auto got = decode(object.dump());
    ASSERT_TRUE(want) << want.error().message;
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(*got, *want) << with.dump();
  }
}

TEST(SchemaTest, EveryTextAndListHasALimit) {
  for_each_field([](const json& schema, const json::json_pointer&, const std::string& path) {
    const std::string type = schema.value("type", "");
    const bool text_limit = schema.contains("maxLength") || schema.contains("enum");
    EXPECT_TRUE(type != "string" || text_limit) << path;
    EXPECT_TRUE(type != "array" || schema.contains("maxItems")) << path;
    EXPECT_TRUE(!schema.contains("additionalProperties") || schema.contains("maxProperties"))
        << path;
  });
}

}  // namespace
}  // namespace mcpfleet::fleet
