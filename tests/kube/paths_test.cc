#include "kube/paths.h"

#include <gtest/gtest.h>

namespace mcpfleet::kube {
namespace {

TEST(Paths, NameCollectionsAndObjects) {
  EXPECT_EQ(collection_path("v1", "", "pods"), "/api/v1/pods");
  EXPECT_EQ(collection_path("apps/v1", "a", "deployments"),
            "/apis/apps/v1/namespaces/a/deployments");
  EXPECT_EQ(object_path("v1", "a", "secrets", "b"), "/api/v1/namespaces/a/secrets/b");
}

TEST(Paths, EscapeAllThatIsNotUnreserved) {
  EXPECT_EQ(escape("a/b=c,d é~-_."), "a%2Fb%3Dc%2Cd%20%C3%A9~-_.");
}

TEST(Namespaces, AreNamesByCommas) {
  EXPECT_EQ(parse_namespaces("").value(), std::vector<std::string>());
  EXPECT_EQ(parse_namespaces("team-a,b,b").value(), (std::vector<std::string>{"team-a", "b"}));
  for (const char* bad : {"a,,b", "a,", "A", "-a", "a b", "a/b"}) {
    const auto names = parse_namespaces(bad);
    ASSERT_FALSE(names) << bad;
    EXPECT_EQ(names.error().message,
              std::string("must be names of namespaces, separated by commas, not \"") + bad + "\"");
  }
}

TEST(Keys, GoBothWays) {
  const auto key = split_key(make_key("ns", "name"));
  EXPECT_EQ(key.namespace_, "ns");
  EXPECT_EQ(key.name, "name");
  EXPECT_EQ(split_key("name").namespace_, "");
}

}  // namespace
}  // namespace mcpfleet::kube
