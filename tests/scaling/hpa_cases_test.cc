// The cases of hpa_cases.json against the real HPA controller's answers to them, as the integration
// test recorded them.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "hpa_case.h"

namespace mcpfleet::scaling {
namespace {

using fleet::Json;

Json read(const char* name) {
  std::ifstream file(std::string(MCPFLEET_SOURCE_DIR) + "/tests/scaling/" + name);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return fleet::parse_json(text, 16 << 20).value();
}

TEST(HpaCases, AnswersAreThoseOfTheRealController) {
  const Json answers = read("hpa_answers.json");
  std::set<std::string> compared;
  for (const Json& hpa_case : read("hpa_cases.json")) {
    if (hpa_case.contains("steps")) continue;  // only a running controller says when it looked
    const std::string name = fleet::text_of(hpa_case, "name");
    auto got = play(on_time(hpa_case));
    ASSERT_TRUE(got) << got.error().message;
    ASSERT_EQ(got->size(), 1U) << name;
    (*got)[0].erase("replicas");
    EXPECT_EQ((*got)[0], fleet::member(answers, name)) << name;
    compared.insert(name);
  }
  EXPECT_EQ(compared.size(), answers.size());
  EXPECT_GE(compared.size(), 40U);
}

TEST(HpaCases, CoursesStayWithinTheLimitsAndMove) {
  int courses = 0;
  for (const Json& hpa_case : read("hpa_cases.json")) {
    if (!hpa_case.contains("steps")) continue;
    const std::string name = fleet::text_of(hpa_case, "name");
    const auto got = play(on_time(hpa_case));
    ASSERT_TRUE(got) << got.error().message;
    const int most = hpa_case["spec"]["maxReplicas"].get<int>();
    std::set<int> seen;
    for (const Json& sync : *got) {
      const int replicas = sync["replicas"].get<int>();
      EXPECT_LE(replicas, most) << name;
      EXPECT_GE(replicas, 1) << name;
      seen.insert(replicas);
    }
    EXPECT_GT(seen.size(), 1U) << name;
    ++courses;
  }
  EXPECT_GE(courses, 5);
}

}  // namespace
}  // namespace mcpfleet::scaling
