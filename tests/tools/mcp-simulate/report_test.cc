#include "tools/mcp-simulate/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "simulation/generate.h"
#include "tools/mcp-simulate/manifest.h"
#include "tools/mcp-simulate/score_json.h"
#include "tools/mcp-simulate/score_table.h"
#include "tools/mcp-simulate/series.h"

namespace mcpfleet::tools {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Done {
  simulation::Contest contest;
  std::vector<simulation::Standing> standings;
};

Done run(const std::string& trace_name) {
  auto trace = simulation::generate(*simulation::parse_shape("steps:seconds=3000"), trace_name);
  Done result{{*parse_manifest(kDefaultManifest, ""), {}, std::move(trace), 1}, {}};
  for (const auto& who : simulation::contestants())
    result.standings.push_back(*result.contest.run(who));
  return result;
}

TEST(Report, NeedsNothingBesideItself) {
  const Done done = run("steps");
  const std::string page = report_page(done.contest, done.standings);
  EXPECT_THAT(page, Not(HasSubstr("src=")));
  EXPECT_THAT(page, Not(HasSubstr("href=")));
  EXPECT_THAT(page, Not(HasSubstr("@import")));
  EXPECT_THAT(page, Not(HasSubstr("url(")));
  EXPECT_THAT(page, Not(HasSubstr("fetch(")));
  EXPECT_THAT(page, HasSubstr("\"mcpfleet-operator\""));
  EXPECT_LT(page.size(), 2'000'000U);
}

TEST(Report, ANameOfAFileIsOnlyText) {
  const Done done = run("</script><script>alert(1)</script>");
  const std::string page = report_page(done.contest, done.standings);
  EXPECT_THAT(page, Not(HasSubstr("alert(1)</script>")));
}

TEST(Report, NumbersForProgramsAndForPeople) {
  const Done done = run("steps");
  const auto json = nlohmann::json::parse(score_json(done.contest, done.standings));
  EXPECT_EQ(json["seconds"], 3000);
  EXPECT_EQ(json["policies"].size(), simulation::contestants().size());
  EXPECT_EQ(json["policies"].back()["name"], "oracle");
  EXPECT_EQ(json["policies"].back()["podRatio"], 1);
  EXPECT_EQ(json["policies"].back()["late"], 0);
  const std::string table = score_table(done.contest, done.standings);
  for (const auto& who : simulation::contestants()) EXPECT_THAT(table, HasSubstr(who.name));
  EXPECT_THAT(score_text(done.contest, done.standings.front()), HasSubstr("time to react"));
}

TEST(Report, ASeriesHasALineForEachSecondOfEachPolicy) {
  const Done done = run("steps");
  std::istringstream csv(series_csv({done.standings.front(), done.standings.back()}));
  std::string line;
  std::getline(csv, line);
  EXPECT_EQ(line, "policy,second,requests,replicas,ready,waiting,latency,over");
  std::getline(csv, line);
  const auto& first = done.standings.front().timeline.moments.front();
  EXPECT_TRUE(line.starts_with("mcpfleet-hpa,0,")) << line;
  EXPECT_THAT(line, HasSubstr("," + std::to_string(first.replicas) + "," +
                              std::to_string(first.ready) + ","));
  int lines = 1;
  std::string last;
  while (std::getline(csv, line)) {
    ++lines;
    last = line;
  }
  EXPECT_EQ(lines, 2 * 3000);
  EXPECT_TRUE(last.starts_with("oracle,2999,")) << last;
}

}  // namespace
}  // namespace mcpfleet::tools
