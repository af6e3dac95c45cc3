#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "operator/world.h"

namespace mcpfleet::op {
namespace {

using nlohmann::json;

constexpr const char* kService = R"({
  "kind":"Service","apiVersion":"v1",
  "metadata":{"name":"a","namespace":"ns","uid":"u","resourceVersion":"12",
    "labels":{"l":"1"},"annotations":{"other":"x","mcpfleet.dev/applied":"abc"},
    "ownerReferences":[{"kind":"Job","uid":"j"},{"controller":true,"kind":"MCPServer","uid":"s"}],
    "managedFields":[{"manager":"m","fieldsV1":{"f:spec":{}}}]},
  "spec":{"ports":[{"port":80}]} , "status":{"loadBalancer":{}}})";

TEST(DecodeChild, KeepsWhatWeMayHaveWritten) {
  const auto child = decode_child(kService);
  ASSERT_TRUE(child) << child.error().message;
  EXPECT_EQ(child->namespace_, "ns");
  EXPECT_EQ(child->name, "a");
  EXPECT_EQ(child->uid, "u");
  EXPECT_EQ(child->resource_version, "12");
  EXPECT_EQ(child->controller_uid, "s");
  EXPECT_EQ(child->controller_kind, "MCPServer");
  EXPECT_EQ(child->applied, "abc");
  auto want = json::parse(kService);
  want.erase("kind");
  want.erase("apiVersion");
  want.erase("status");
  for (const char* field : {"name", "namespace", "uid", "resourceVersion", "managedFields"}) {
    want["metadata"].erase(field);
  }
  EXPECT_EQ(json::parse(child->content), want);
}

TEST(DecodeChild, WithoutMetadataOfOursItIsNobodys) {
  const auto child = decode_child(R"({"metadata":{"name":"a"}})");
  ASSERT_TRUE(child);
  EXPECT_EQ(child->controller_uid, "");
  EXPECT_EQ(child->applied, "");
  EXPECT_EQ(json::parse(child->content), json::parse(R"({"metadata":{}})"));
}

TEST(DecodeChild, KeepsFieldsAtTheTopButNoSecretData) {
  const auto child = decode_child(R"({"apiVersion":"v1","kind":"X","metadata":{"name":"a"},
      "automountServiceAccountToken" : false ,"type":"Opaque","data":{"key":"c2VjcmV0"},
      "stringData":{"key":"secret"}})");
  ASSERT_TRUE(child) << child.error().message;
  EXPECT_EQ(json::parse(child->content),
            json::parse(R"({"metadata":{},"automountServiceAccountToken":false,"type":"Opaque"})"));
}

TEST(DecodeSecret, TellsWhetherTheDataIsStillOurs) {
  const auto decoded = [](const std::string& managed_fields) {
    const auto secret = decode_secret(R"({"metadata":{"name":"a","managedFields":[)" +
                                      managed_fields + R"(]},"type":"Opaque"})");
    EXPECT_TRUE(secret) << managed_fields;
    return secret.value_or(Child{});
  };
  const std::string ours =
      R"({"fieldsV1":{"f:data":{"f:key":{}},"f:type":{}},"manager":"mcp-operator"})";
  const std::string theirs = R"({"fieldsV1":{"f:data":{"f:key":{}}},"manager":"kubectl-edit"})";
  const std::string other = R"({"fieldsV1":{"f:data":{"f:more":{}}},"manager":"kubectl-edit"})";
  EXPECT_FALSE(decoded(ours).data_taken);
  EXPECT_FALSE(decoded(ours + "," + theirs).data_taken) << "both wrote the same";
  EXPECT_FALSE(decoded(ours + "," + other).data_taken) << "keys of others are theirs";
  EXPECT_TRUE(decoded(theirs).data_taken);
  EXPECT_FALSE(decoded("").data_taken);
  EXPECT_NE(decoded(theirs).content_hash, decoded(ours).content_hash);
  EXPECT_FALSE(decode_secret(R"({"metadata":{"name":"a","managedFields":[5]}})"));
}

TEST(Child, WhatWasVerifiedStaysSoWhileTheContentIsTheSame) {
  const auto decoded = [](const std::string& version, const std::string& spec) {
    return *decode_child(R"({"metadata":{"name":"a","uid":"u","resourceVersion":")" + version +
                         R"(","annotations":{"mcpfleet.dev/applied":"x"}},"spec":)" + spec +
                         R"(,"status":{"v":)" + version + "}}");
  };
  auto held = decoded("1", R"({"x":1})");
  auto next = decoded("2", R"({"x":1})");
  next.carry_over(held);
  EXPECT_FALSE(next.verified());
  held.set_verified();
  next.carry_over(held);
  EXPECT_TRUE(next.verified());
  auto edited = decoded("3", R"({"x":2})");
  edited.carry_over(next);
  EXPECT_FALSE(edited.verified());
  auto another = decoded("3", R"({"x":1})");
  another.uid = "v";
  another.carry_over(next);
  EXPECT_FALSE(another.verified());
}

TEST(DecodeChild, RefusesGarbage) {
  for (const char* text :
       {"", "x", "{}", "[]", R"({"metadata":5})", R"({"metadata":{"name":"a")"}) {
    EXPECT_FALSE(decode_child(text)) << text;
  }
}

TEST(DecodeServer, OneThatCannotBeDecodedKeepsItsIdentity) {
  const auto entry = decode_server(
      R"({"metadata":{"name":"a","namespace":"ns","uid":"u","resourceVersion":"3"},
          "spec":{"transport":{"type":"pigeon"}}})");
  ASSERT_TRUE(entry) << entry.error().message;
  ASSERT_TRUE(entry->invalid);
  EXPECT_EQ(entry->name, "a");
  EXPECT_EQ(entry->uid, "u");
  EXPECT_EQ(entry->resource_version, "3");
  EXPECT_FALSE(decode_server("nonsense"));
}

}  // namespace
}  // namespace mcpfleet::op
