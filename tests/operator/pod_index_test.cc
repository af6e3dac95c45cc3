#include "operator/pod_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mcpfleet::op {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string pod(const std::string& name, const std::string& server) {
  return R"({"metadata":{"namespace":"ns","name":")" + name +
         R"(","labels":{"mcpfleet.dev/server":")" + server + R"("}}})";
}

class PodIndexTest : public testing::Test {
 protected:
  std::vector<std::string> names(const std::string& server) const {
    std::vector<std::string> result;
    for (const auto& found : index_.of("ns/" + server)) result.push_back(found.name);
    return result;
  }
  std::vector<std::string> changed_;
  PodIndex index_{[this](const std::string& key) { changed_.push_back(key); }};
};

TEST_F(PodIndexTest, GroupsByServer) {
  index_.upsert(pod("a-1", "a"));
  index_.upsert(pod("a-2", "a"));
  index_.upsert(pod("b-1", "b"));
  EXPECT_THAT(names("a"), ElementsAre("a-1", "a-2"));
  EXPECT_THAT(names("b"), ElementsAre("b-1"));
  index_.remove("ns", "a-1");
  EXPECT_THAT(names("a"), ElementsAre("a-2"));
  EXPECT_THAT(changed_, ElementsAre("ns/a", "ns/a", "ns/b", "ns/a"));
  index_.remove("ns", "unknown");
  EXPECT_EQ(changed_.size(), 4U);
}

TEST_F(PodIndexTest, APodMayChangeItsServer) {
  index_.upsert(pod("p", "a"));
  index_.upsert(pod("p", "b"));
  EXPECT_THAT(names("a"), IsEmpty());
  EXPECT_THAT(names("b"), ElementsAre("p"));
}

TEST_F(PodIndexTest, WhatAListDoesNotHaveIsGone) {
  index_.upsert(pod("a-1", "a"));
  index_.upsert(pod("a-2", "a"));
  index_.list_begin();
  index_.upsert(pod("a-2", "a"));
  index_.list_end();
  EXPECT_THAT(names("a"), ElementsAre("a-2"));
}

TEST_F(PodIndexTest, AListOfOneNamespaceSaysNothingOfTheOthers) {
  auto& mine = index_.scope("ns");
  auto& other = index_.scope("ns-2");
  mine.upsert(pod("a-1", "a"));
  other.upsert(R"({"metadata":{"namespace":"ns-2","name":"b-1",
                   "labels":{"mcpfleet.dev/server":"b"}}})");
  mine.list_begin();
  mine.list_end();
  EXPECT_THAT(names("a"), IsEmpty());
  EXPECT_EQ(index_.of("ns-2/b").size(), 1U);
}

TEST_F(PodIndexTest, WhatIsAsBeforeWakesNobody) {
  index_.upsert(pod("a-1", "a"));
  index_.upsert(pod("a-1", "a"));
  EXPECT_THAT(changed_, ElementsAre("ns/a"));
}

}  // namespace
}  // namespace mcpfleet::op
