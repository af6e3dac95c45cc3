// Stages and rollouts of pods, by what the pods themselves say.
#include "metrics-adapter/pod_stage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace mcpfleet::adapter {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Made {
  const char* name;
  const char* revision;
  int created;  // seconds
  bool deleting = false;
  const char* workload = "web";
  bool finished = false;
};

std::set<std::string> outdated(const std::vector<Made>& pods) {
  std::vector<PodEntry> entries;
  for (const auto& made : pods) {
    auto pod = std::make_shared<PodTarget>();
    pod->name = made.name;
    if (*made.revision != '\0') pod->labels.add("pod-template-hash", made.revision);
    pod->created = WallTime{seconds(made.created)};
    pod->deleting = made.deleting;
    pod->finished = made.finished;
    pod->workload = made.workload;
    entries.push_back({std::move(pod), nullptr});
  }
  const Rollouts rollouts(entries);
  std::set<std::string> names;
  for (const auto& entry : entries)
    if (rollouts.is_outdated(*entry.target)) names.insert(entry.target->name);
  return names;
}

TEST(PodStageTest, OfALife) {
  const struct {
    bool ready, was_ready, deleting, finished;
    const char* want;
  } cases[] = {
      {false, false, false, false, "starting"},   {true, true, false, false, "ready"},
      {false, true, false, false, "unready"},     {true, true, true, false, "terminating"},
      {false, false, true, false, "terminating"}, {false, true, true, true, "finished"},
  };
  for (const auto& test : cases) {
    PodTarget pod;
    pod.ready = test.ready;
    pod.was_ready = test.was_ready;
    pod.deleting = test.deleting;
    pod.finished = test.finished;
    EXPECT_EQ(to_string(stage_of(pod)), test.want);
  }
}

TEST(RolloutsTest, OneRevisionIsNeverOutdated) {
  EXPECT_THAT(outdated({}), IsEmpty());
  EXPECT_THAT(outdated({{"a", "v1", 10}, {"b", "v1", 500}}), IsEmpty());
  EXPECT_THAT(outdated({{"a", "", 10}, {"b", "", 500}}), IsEmpty()) << "pods of nobody";
}

TEST(RolloutsTest, ThePodsBeforeTheNewestRevision) {
  EXPECT_THAT(outdated({{"a", "v1", 10}, {"b", "v1", 20}, {"c", "v2", 30}}), ElementsAre("a", "b"));
}

TEST(RolloutsTest, AnOldRevisionThatMakesAPodStaysOld) {
  EXPECT_THAT(outdated({{"a", "v1", 10}, {"scaled", "v1", 99}, {"c", "v2", 30}}),
              ElementsAre("a", "scaled"));
}

TEST(RolloutsTest, TheLastPodsOfARevisionAreOutdatedUntilTheyAreGone) {
  EXPECT_THAT(outdated({{"a", "v1", 10, true}, {"c", "v2", 30}}), ElementsAre("a"));
  EXPECT_THAT(outdated({{"a", "v1", 10, true}}), IsEmpty()) << "scaled in to nothing";
}

TEST(RolloutsTest, ARollbackIsKnownOnceTheOtherRevisionEnds) {
  EXPECT_THAT(outdated({{"a", "v1", 10}, {"c", "v2", 30, true}}), ElementsAre("c"));
}

TEST(RolloutsTest, OfTheSameSecondNoneIsOutdated) {
  EXPECT_THAT(outdated({{"a", "v1", 10}, {"c", "v2", 10}}), IsEmpty());
}

TEST(RolloutsTest, WorkloadsAndFinishedPodsDoNotCountForOthers) {
  EXPECT_THAT(outdated({{"a", "v1", 10}, {"canary", "x", 30, false, "canary"}}), IsEmpty());
  EXPECT_THAT(outdated({{"a", "v1", 10}, {"job", "v2", 30, false, "web", true}}),
              ElementsAre("job"));
}

TEST(PodCountTest, NamesAndMeanings) {
  for (const auto name : pod_count_names()) {
    const auto count = parse_pod_count(name);
    ASSERT_TRUE(count) << name;
    EXPECT_FALSE(formula(*count).empty()) << name;
  }
  EXPECT_FALSE(parse_pod_count("mcp_pods"));
}

}  // namespace
}  // namespace mcpfleet::adapter
