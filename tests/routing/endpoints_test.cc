#include "routing/endpoints.h"

#include <gtest/gtest.h>

namespace mcpfleet::routing {
namespace {

Endpoint at(std::string pod, std::string address, bool ready = true, bool terminating = false) {
  return {.pod = std::move(pod),
          .address = std::move(address),
          .port = 19080,
          .ready = ready,
          .serving = ready,
          .terminating = terminating};
}

struct Case {
  const char* name;
  std::vector<std::vector<Endpoint>> slices;
  std::vector<Endpoint> want;
};

TEST(EndpointSlicesTest, AreJoined) {
  const std::vector<Case> cases{
      {"none", {}, {}},
      {"two slices, by name",
       {{at("b", "10.0.0.2")}, {at("a", "10.0.0.1")}},
       {at("a", "10.0.0.1"), at("b", "10.0.0.2")}},
      {"one that moves is ready where it is ready in either",
       {{at("a", "10.0.0.1", false)}, {at("a", "10.0.0.1")}},
       {at("a", "10.0.0.1")}},
      {"and ends only where both say so",
       {{at("a", "10.0.0.1", false, true)}, {at("a", "10.0.0.1", false, false)}},
       {at("a", "10.0.0.1", false, false)}},
      {"both families are one endpoint",
       {{at("a", "fd00::1"), at("b", "fd00::2")}, {at("a", "10.0.0.1")}},
       {at("a", "10.0.0.1"), at("b", "fd00::2")}},
      {"IPv6 alone stays", {{at("a", "fd00::1")}}, {at("a", "fd00::1")}},
      {"two lives of one name are two",
       {{at("a", "10.0.0.1", false, true), at("a", "10.0.0.9")}},
       {at("a", "10.0.0.1", false, true), at("a", "10.0.0.9")}},
  };
  for (const auto& test : cases) {
    EndpointSlices slices;
    for (std::size_t i = 0; i < test.slices.size(); ++i)
      slices.set("slice-" + std::to_string(i), test.slices[i]);
    EXPECT_EQ(slices.joined(), test.want) << test.name;
  }
}

TEST(EndpointSlicesTest, ThePortIsThatOfTheBetterOne) {
  auto old = at("a", "10.0.0.1", false);
  old.port = 1;
  for (const bool old_first : {true, false}) {
    EndpointSlices slices;
    slices.set(old_first ? "1" : "2", {old});
    slices.set(old_first ? "2" : "1", {at("a", "10.0.0.1")});
    ASSERT_EQ(slices.joined().size(), 1U);
    EXPECT_EQ(slices.joined()[0].port, 19080) << old_first;
  }
}

TEST(EndpointSlicesTest, ASliceIsReplacedAndRemoved) {
  EndpointSlices slices;
  EXPECT_TRUE(slices.empty());
  slices.set("one", {at("a", "10.0.0.1")});
  slices.set("one", {at("b", "10.0.0.2")});
  EXPECT_EQ(slices.joined(), std::vector{at("b", "10.0.0.2")});
  slices.remove("two");
  EXPECT_FALSE(slices.empty());
  slices.remove("one");
  EXPECT_TRUE(slices.empty());
}

}  // namespace
}  // namespace mcpfleet::routing
