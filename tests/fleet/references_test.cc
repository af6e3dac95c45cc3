#include "fleet/references.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fleet/decode.h"
#include "manifests.h"

namespace mcpfleet::fleet {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;
using Kind = Reference::Kind;

std::vector<Reference> of(const json& object) {
  const auto server = decode(object.dump());
  EXPECT_TRUE(server) << server.error().message;
  return server ? references(*server) : std::vector<Reference>{};
}

std::vector<Reference> of_spec(const char* spec) {
  json object = minimal();
  object["spec"].update(json::parse(spec));
  return of(object);
}

TEST(ReferencesTest, OfEachPlace) {
  EXPECT_THAT(of(minimal()), IsEmpty());
  EXPECT_THAT(of(full()),
              ElementsAre(Reference{Kind::Secret, "api-keys", true, "spec.config.storage[0]"},
                          Reference{Kind::Secret, "tokens", false, "spec.config.envFrom[1]"},
                          Reference{Kind::ConfigMap, "rules", false, "spec.config.storage[1]"},
                          Reference{Kind::ConfigMap, "settings", true, "spec.config.envFrom[0]"}));
  EXPECT_THAT(of_spec(R"({"config": {"env": [
                {"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
                {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k", "optional": true}}}]}})"),
              ElementsAre(Reference{Kind::Secret, "s", false, "spec.config.env[0]"},
                          Reference{Kind::ConfigMap, "c", true, "spec.config.env[1]"}));
}

TEST(ReferencesTest, OfThePodTemplate) {
  const auto found = of_spec(R"({"runtime": {"podTemplate": {"spec": {
      "containers": [{"name": "log", "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s1", "key": "k"}}}]}],
      "initContainers": [{"name": "init", "envFrom": [{"configMapRef": {"name": "c1"}}]}],
      "volumes": [{"name": "v", "secret": {"secretName": "s2", "optional": true}},
                  {"name": "w", "configMap": {"name": "c2"}},
                  {"name": "x", "projected": {"sources": [{"secret": {"name": "s3"}}, {"configMap": {"name": "c3"}}]}}],
      "imagePullSecrets": [{"name": "pull"}]}}}})");
  const std::string path = "spec.runtime.podTemplate.spec.";
  EXPECT_THAT(
      found,
      ElementsAre(Reference{Kind::Secret, "s1", false, path + "containers[0].env[0]"},
                  Reference{Kind::Secret, "s2", true, path + "volumes[0]"},
                  Reference{Kind::Secret, "s3", false, path + "volumes[2]"},
                  Reference{Kind::ConfigMap, "c1", false, path + "initContainers[0].envFrom[0]"},
                  Reference{Kind::ConfigMap, "c2", false, path + "volumes[1]"},
                  Reference{Kind::ConfigMap, "c3", false, path + "volumes[2]"}));
}

TEST(ReferencesTest, OneUseThatNeedsItIsEnough) {
  EXPECT_THAT(of_spec(R"({"config": {"envFrom": [{"secretRef": {"name": "s", "optional": true}},
                                                 {"secretRef": {"name": "s"}},
                                                 {"secretRef": {"name": "s", "optional": true}}]}})"),
              ElementsAre(Reference{Kind::Secret, "s", false, "spec.config.envFrom[1]"}));
}

TEST(ReferencesTest, OddShapesAreSurvived) {
  EXPECT_THAT(of_spec(R"({"runtime": {"podTemplate": {"spec": {
                "containers": [7, {"env": [null, {"valueFrom": {"secretKeyRef": "x"}}], "envFrom": {}}],
                "initContainers": "none", "volumes": [[], {"secret": 5, "projected": {"sources": 3}}]}}}})"),
              IsEmpty());
}

TEST(ReferencesTest, AWorkloadsPodsAreNotOurs) { EXPECT_THAT(of(full_of_workload()), IsEmpty()); }

}  // namespace
}  // namespace mcpfleet::fleet
