// What Prometheus answers, and what becomes of it.
#include "metrics-adapter/prometheus/prometheus_answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/clock.h"
#include "metrics-adapter/prometheus/object_value.h"
#include "metrics-adapter/prometheus/resource.h"

namespace mcpfleet::adapter::promql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

std::string vector_answer(const std::string& result) {
  return R"({"status":"success","data":{"resultType":"vector","result":[)" + result + "]}}";
}

TEST(QueryAnswerTest, VectorsAndScalars) {
  const auto samples = parse_query_answer(vector_answer(
      R"({"metric":{"pod":"a"},"value":[1767225600.25,"1.5"]},)"
      R"({"metric":{},"value":[1767225600,"-Inf"]},{"metric":{},"value":[0,"NaN"]})"));
  ASSERT_TRUE(samples) << samples.error().message;
  ASSERT_EQ(samples->size(), 3U);
  EXPECT_EQ((*samples)[0].labels.at("pod"), "a");
  EXPECT_EQ((*samples)[0].value, 1.5);
  EXPECT_EQ((*samples)[0].time, WallTime{seconds(1767225600) + milliseconds(250)});
  EXPECT_EQ((*samples)[1].value, -HUGE_VAL);
  EXPECT_TRUE(std::isnan((*samples)[2].value));
  const auto scalar =
      parse_query_answer(R"({"status":"success","data":{"resultType":"scalar","result":[1,"7"]}})");
  ASSERT_TRUE(scalar);
  EXPECT_EQ(scalar->front().value, 7);
  EXPECT_TRUE(parse_query_answer(vector_answer(""))->empty());
}

TEST(QueryAnswerTest, Garbage) {
  const struct {
    std::string body;
    const char* want;
  } cases[] = {
      {"<html>", "is not one of its API"},
      {R"({"status":"error"})", "is not one of its API"},
      {R"({"status":"success","data":[]})", "has no result"},
      {vector_answer(R"({"value":[1,"1"]})"), "without its labels"},
      {vector_answer(R"({"metric":{},"value":[1,1]})"), "no pair of a time and a text"},
      {vector_answer(R"({"metric":{},"value":[1,"1x"]})"), "a value that is no number"},
      {vector_answer(R"({"metric":{},"value":[1e300,"1"]})"), "a time that cannot be"},
      {vector_answer(R"({"metric":{"a":1},"value":[1,"1"]})"), "a label that is no text"},
      {vector_answer(R"({"metric":{},"histogram":[1,{}]})"), "native histograms"},
      {R"({"status":"success","data":{"resultType":"matrix","result":[]}})",
       "the query gives a matrix, not one value of each series"},
  };
  for (const auto& test : cases) {
    const auto samples = parse_query_answer(test.body);
    ASSERT_FALSE(samples) << test.want;
    EXPECT_THAT(samples.error().message, HasSubstr(test.want));
  }
}

TEST(SeriesAnswerTest, KeepsNamesAndLabels) {
  const auto series = parse_series_answer(
      R"({"status":"success","warnings":["w"],"data":[{"__name__":"a","pod":"1"},{"x":"no name"},)"
      R"({"job":"j","__name__":"a"},{"__name__":"b"}]})");
  ASSERT_TRUE(series) << series.error().message;
  EXPECT_EQ(*series, (SeriesLabels{{"a", {"job", "pod"}}, {"b", {}}}));
  EXPECT_TRUE(parse_series_answer(R"({"status":"success","data":[]})")->empty());
  for (const char* garbage :
       {"", "[]", R"({"status":"success"})", R"({"status":"error","data":[]})",
        R"({"status":"success","data":[1]})", R"({"status":"success","data":[{"a":{}}]})",
        R"({"status":"success","data":[[]]})", R"({"status":"success","data":[{"a":"b")"})
    EXPECT_FALSE(parse_series_answer(garbage)) << garbage;
}

TEST(RefusalTest, SaysWhy) {
  EXPECT_EQ(refusal(R"({"status":"error","errorType":"bad_data","error":"parse error"})"),
            "bad_data: parse error");
  EXPECT_EQ(refusal("<html>"), "");
}

class PickValuesTest : public testing::Test {
 protected:
  static Sample sample(const char* pod, double value, Duration age = {}) {
    Sample made;
    if (*pod != 0) made.labels = {{"pod", pod}};
    made.value = value;
    made.time = kNow - age;
    return made;
  }
  static std::string error(const std::vector<Sample>& samples) {
    const std::vector<std::string> names{"a", "b"};
    const auto values = pick_values(samples, "pod", names, {seconds(10), kNow});
    return values ? "none" : values.error().message;
  }
  static constexpr WallTime kNow{seconds(1767225600)};
};

TEST_F(PickValuesTest, OfTheNamesThatWereAskedFor) {
  const std::vector<std::string> names{"b", "a", "c"};
  const auto values =
      pick_values({sample("a", 1.5), sample("x", 7), sample("b", 0.0004), sample("c", NAN)}, "pod",
                  names, {seconds(10), kNow});
  ASSERT_TRUE(values) << values.error().message;
  ASSERT_EQ(values->size(), 2U);
  EXPECT_EQ((*values)[0].name, "b");
  EXPECT_EQ((*values)[0].value.milli, 0);
  EXPECT_EQ((*values)[1].value.milli, 1500);
  EXPECT_EQ((*values)[1].value.timestamp, kNow);
}

TEST_F(PickValuesTest, NoGoodValueSaysWhy) {
  EXPECT_EQ(error({}), "Prometheus has no value");
  EXPECT_THAT(error({sample("", 1)}), HasSubstr("the query's values have no label pod"));
  EXPECT_EQ(error({sample("x", 1)}), "Prometheus has no value of these objects");
  EXPECT_THAT(error({sample("a", NAN)}), HasSubstr("Prometheus' value is NaN, which is no"));
  EXPECT_THAT(error({sample("a", HUGE_VAL)}), HasSubstr("Prometheus' value is +Inf"));
  EXPECT_THAT(error({sample("a", -HUGE_VAL)}), HasSubstr("Prometheus' value is -Inf"));
  EXPECT_THAT(error({sample("a", 1, seconds(11))}),
              HasSubstr("Prometheus' value is 11s old, and only 10s are allowed"));
  EXPECT_EQ(error({sample("a", 1), sample("a", 2)}),
            "the query gives 2 values for pod=a where it must give one, as by (<<.GroupBy>>) makes "
            "it");
}

TEST(ResourceTest, ReadsDiscovery) {
  const auto resources = parse_resource_list(
      R"({"kind":"APIResourceList","groupVersion":"apps/v1","resources":[)"
      R"({"name":"deployments","singularName":"deployment","namespaced":true,"kind":"Deployment"},)"
      R"({"name":"deployments/scale","namespaced":true,"kind":"Scale"},)"
      R"({"name":"things","singularName":"","namespaced":false,"kind":"BigThing"}]})");
  ASSERT_TRUE(resources) << resources.error().message;
  ASSERT_EQ(resources->size(), 2U);
  EXPECT_EQ((*resources)[0].text(), "deployments.apps");
  EXPECT_EQ((*resources)[0].api_version(), "apps/v1");
  EXPECT_EQ((*resources)[1].singular, "bigthing");
  EXPECT_FALSE((*resources)[1].namespaced);
  EXPECT_FALSE(parse_resource_list("{}"));
  const auto groups = parse_group_list(
      R"({"kind":"APIGroupList","groups":[{"name":"apps","preferredVersion":{"version":"v1"}},)"
      R"({"name":"odd"}]})");
  ASSERT_EQ(groups->size(), 1U);
  EXPECT_EQ(groups->front().version, "v1");
}

}  // namespace
}  // namespace mcpfleet::adapter::promql
