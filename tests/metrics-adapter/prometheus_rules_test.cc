// The rules file: what is read of it, and what is said of mistakes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "metrics-adapter/prometheus/rules.h"

namespace mcpfleet::adapter::promql {
namespace {

using ::testing::HasSubstr;

constexpr const char* kWhole = R"(
rules:
- seriesQuery: '{__name__=~"^orders_.*",namespace!=""}'
  seriesFilters:
  - isNot: "_seconds_total$"
  - {is: "_total$"}
  resources:
    template: kube_<<.Resource>>
    overrides:
      pod: {resource: pod}
      app: {group: apps, resource: deployment}
  name: {matches: "^(.*)_total$", as: "${1}_per_second"}
  metricsQuery: 'sum(rate(<<.Series>>{<<.LabelMatchers>>}[2m])) by (<<.GroupBy>>)'
externalRules:
- seriesQuery: 'queue_depth'
  metricsQuery: max(<<.Series>>{<<.LabelMatchers>>})
  resources: {namespaced: false}
resourceRules:
  cpu: {containerQuery: anything}
  window: 5m
)";

TEST(PrometheusRulesTest, ReadsEveryField) {
  const auto rules = parse_rules(kWhole);
  ASSERT_TRUE(rules) << rules.error().message;
  EXPECT_TRUE(rules->has_resource_rules);
  ASSERT_EQ(rules->custom.size(), 1U);
  const auto& rule = rules->custom[0];
  EXPECT_EQ(rule.path, "rules[0]");
  EXPECT_EQ(rule.series_query, R"({__name__=~"^orders_.*",namespace!=""})");
  ASSERT_EQ(rule.filters.size(), 2U);
  EXPECT_EQ(rule.filters[0].pattern, "_seconds_total$");
  EXPECT_FALSE(rule.filters[0].positive);
  EXPECT_TRUE(rule.filters[1].positive);
  EXPECT_EQ(rule.label_template, "kube_<<.Resource>>");
  EXPECT_EQ(rule.overrides.at("pod").resource, "pod");
  EXPECT_EQ(rule.overrides.at("app").group, "apps");
  EXPECT_EQ(rule.name_matches, "^(.*)_total$");
  EXPECT_EQ(rule.name_as, "${1}_per_second");
  EXPECT_THAT(rule.metrics_query, HasSubstr("<<.LabelMatchers>>"));
  EXPECT_TRUE(rule.namespaced);
  ASSERT_EQ(rules->external.size(), 1U);
  EXPECT_EQ(rules->external[0].path, "externalRules[0]");
  EXPECT_FALSE(rules->external[0].namespaced);
}

TEST(PrometheusRulesTest, WhatIsLeftOutIsEmpty) {
  for (const char* text : {"rules:\n", "rules: []\nexternalRules:\n", "{}"}) {
    const auto rules = parse_rules(text);
    ASSERT_TRUE(rules) << text << rules.error().message;
    EXPECT_TRUE(rules->custom.empty() && rules->external.empty() && !rules->has_resource_rules);
  }
}

TEST(PrometheusRulesTest, NamesTheFieldThatIsWrong) {
  const std::string start = "rules:\n- {seriesQuery: a, metricsQuery: b, ";
  const struct {
    std::string text;
    const char* want;
  } cases[] = {
      {"", "the file must be a mapping with rules"},
      {"- a", "the file must be a mapping with rules"},
      {"rules: {a: b", "the file is no YAML: "},
      {"ruels: []", "ruels is no field that is known"},
      {"rules: 3", "rules must be a list"},
      {"rules: [3]", "rules[0] must be a mapping"},
      {"rules: [{metricsQuery: a}]", "rules[0].seriesQuery must not be empty"},
      {"externalRules: [{seriesQuery: a}]", "externalRules[0].metricsQuery must not be empty"},
      {start + "metricQuery: x}", "rules[0].metricQuery is no field that is known"},
      {start + "seriesFilters: x}", "rules[0].seriesFilters must be a list"},
      {start + "seriesFilters: [{}]}", "rules[0].seriesFilters[0] must have either is or isNot"},
      {start + "seriesFilters: [{is: a, isNot: b}]}",
       "rules[0].seriesFilters[0] must have either is or isNot"},
      {start + "resources: {overrides: [pod]}}", "rules[0].resources.overrides must be a mapping"},
      {start + "resources: {overrides: {pod: {group: x}}}}",
       "rules[0].resources.overrides.pod.resource must not be empty"},
      {start + "resources: {overrides: {pod: pods}}}",
       "rules[0].resources.overrides.pod must be a mapping"},
      {start + "resources: {namespaced: maybe}}",
       "rules[0].resources.namespaced must be true or false"},
      {start + "name: {as: [a]}}", "rules[0].name.as must be a text"},
      {start + "name: {like: a}}", "rules[0].name.like is no field that is known"},
      {std::string(2 * 1024 * 1024, ' '), "the file is longer than 1048576 bytes"},
      {std::string(100'000, '['), "the file is no YAML: "},
  };
  for (const auto& test : cases) {
    const auto rules = parse_rules(test.text);
    ASSERT_FALSE(rules) << test.want;
    EXPECT_EQ(rules.error().kind, ErrorKind::Invalid);
    EXPECT_THAT(rules.error().message, HasSubstr(test.want));
  }
}

TEST(PrometheusRulesTest, HasABound) {
  std::string text = "rules:\n";
  for (int i = 0; i < 1001; ++i) text += "- {seriesQuery: a, metricsQuery: b}\n";
  EXPECT_EQ(parse_rules(text).error().message, "rules has more than 1000 rules");
}

}  // namespace
}  // namespace mcpfleet::adapter::promql
