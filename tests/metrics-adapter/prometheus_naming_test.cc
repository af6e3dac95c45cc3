// Templates, names, labels and queries of rules.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "metrics-adapter/prometheus/naming.h"

namespace mcpfleet::adapter::promql {
namespace {

using metrics::LabelSelector;
using ::testing::HasSubstr;

const Resource kPods{"", "v1", "pods", "pod", "Pod", true};
const Resource kDeployments{"apps", "v1", "deployments", "deployment", "Deployment", true};
const Resource kIngresses{"networking.k8s.io", "v1", "ingresses", "ingress", "Ingress", true};

Rule rule(const std::string& query = "<<.Series>>{<<.LabelMatchers>>}") {
  Rule made;
  made.path = "rules[0]";
  made.series_query = "x";
  made.metrics_query = query;
  made.overrides = {{"namespace", {"", "namespace"}}, {"pod", {"", "pod"}}};
  return made;
}

LabelSelector selector(const char* text) { return LabelSelector::parse(text).value(); }

std::string pods_query(const Namer& namer, const std::vector<std::string>& names,
                       const char* of_series = "") {
  const auto only = selector(of_series);
  return namer.query({"requests_total", "pod", "namespace", "shop", names, only}).value();
}

TEST(QueryTemplateTest, FillsIn) {
  const QueryValues values{
      "s", R"(pod=~"a|b",ns="c")", {{"pod", "a|b"}, {"ns", "c"}}, {"pod", "le"}};
  const struct {
    const char* text;
    const char* want;
  } cases[] = {
      {"sum(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)",
       R"(sum(s{pod=~"a|b",ns="c"}) by (pod,le))"},
      {R"(x{pod=~"<<.LabelValuesByName.pod>>",ns="<<index .LabelValuesByName "ns">>"})",
       R"(x{pod=~"a|b",ns="c"})"},
      {"<<index .LabelValuesByName `ns`>><<index .LabelValuesByName \"none\">>", "c"},
      {"<<.GroupBySlice>> <<index .GroupBySlice 1>>", "[pod le] le"},
      {"a <<- .Series ->> b <<  .Series  >>", "asb s"},
      {"1 > 0 < 2", "1 > 0 < 2"},
  };
  for (const auto& test : cases) {
    const auto parsed = QueryTemplate::parse(test.text);
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(parsed->render(values).value_or("none"), test.want);
  }
}

TEST(QueryTemplateTest, RefusesWhatItCannotDo) {
  const char* cases[] = {
      "<<range $k, $v := .LabelValuesByName>>",
      "<<if .Series>>x<<end>>",
      "<<.Series | printf>>",
      "<<.series>>",
      "<<.LabelValuesByName>>",
      "<<.LabelValuesByName.a.b>>",
      "<<index .LabelValuesByName pod>>",
      "<<index .GroupBySlice -1>>",
      "<<index .Series 0>>",
      "<</* why */>>",
  };
  for (const char* text : cases) {
    const auto parsed = QueryTemplate::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_THAT(parsed.error().message, HasSubstr("which is not supported; what is: <<.Series>>,"));
  }
  EXPECT_EQ(QueryTemplate::parse("a << b").error().message, "has a << without its >>");
  EXPECT_EQ(QueryTemplate::parse("a << >>").error().message, "has an empty << >>");
}

TEST(QueryTemplateTest, WhatTheRequestDoesNotSayIsAnError) {
  const QueryValues values{"", "", {}, {"pod"}};
  const auto message = [&](const char* text) {
    return QueryTemplate::parse(text)->render(values).error().message;
  };
  EXPECT_EQ(message("<<.LabelValuesByName.job>>"),
            "<<.LabelValuesByName.job>>: the request says nothing of the label job");
  EXPECT_EQ(message("<<index .GroupBySlice 1>>"), "<<index .GroupBySlice 1>>: there are only 1");
  EXPECT_EQ(message("<<.Series>>"), "gives an empty query");
}

TEST(LabelTemplateTest, FillsIn) {
  EXPECT_EQ(
      LabelTemplate::parse("kube_<<.Group>>_<<.Resource>>")->render("net.k8s-x.io", "ingress"),
      "kube_net_k8s_x_io_ingress");
  EXPECT_EQ(LabelTemplate::parse("<<.Group>>").error().message, "must have <<.Resource>> in it");
  EXPECT_THAT(LabelTemplate::parse("<<.Series>>").error().message, HasSubstr("not supported"));
}

TEST(ExpandTest, AsGoDoes) {
  const std::vector<std::string> groups{"whole", "one", ""};
  const std::map<std::string, int> named{{"name", 1}};
  const struct {
    const char* as;
    const char* want;
  } cases[] = {
      {"$0", "whole"},
      {"${1}_x", "one_x"},
      {"$1_x", ""},
      {"a$2b", "a"},
      {"$1-$name", "one-one"},
      {"$$1", "$1"},
      {"${name}s", "ones"},
      {"$9", ""},
      {"$", "$"},
      {"${1", "${1"},
      {"a$-b", "a$-b"},
      {"", ""},
  };
  for (const auto& test : cases) EXPECT_EQ(expand(test.as, groups, named), test.want) << test.as;
}

TEST(NamerTest, NamesAndFilters) {
  const struct {
    const char* matches;
    const char* as;
    const char* series;
    const char* want;
  } cases[] = {
      {"", "", "requests_total", "requests_total"},
      {"^(.*)_total$", "", "requests_total", "requests"},
      {"^(.*)_total$", "${1}_per_second", "requests_total", "requests_per_second"},
      {"_total", "", "a_total_b", "_total"},
      {"^(?P<what>.*)_(total|count)$", "$what", "a_count", "a"},
      {"", "cheesy_goodness", "cheddar", "cheesy_goodness"},
  };
  for (const auto& test : cases) {
    auto made = rule();
    made.name_matches = test.matches;
    made.name_as = test.as;
    const auto namer = Namer::create(made);
    ASSERT_TRUE(namer) << namer.error().message;
    EXPECT_TRUE(namer->accepts(test.series)) << test.matches;
    EXPECT_EQ(namer->metric_name(test.series), test.want) << test.matches;
  }
  auto made = rule();
  made.name_matches = "^a";
  made.filters = {{"_total$", true}, {"_seconds_", false}};
  const auto namer = Namer::create(made).value();
  EXPECT_TRUE(namer.accepts("a_total"));
  EXPECT_FALSE(namer.accepts("b_total"));
  EXPECT_FALSE(namer.accepts("a_count"));
  EXPECT_FALSE(namer.accepts("a_seconds_total"));
}

TEST(NamerTest, NamesTheFieldThatIsWrong) {
  const auto message = [](const std::function<void(Rule&)>& spoil) {
    auto made = rule();
    spoil(made);
    const auto namer = Namer::create(made);
    return namer ? "none" : namer.error().message;
  };
  EXPECT_THAT(message([](Rule& r) { r.filters = {{"a", true}, {"(", false}}; }),
              HasSubstr("rules[0].seriesFilters[1].isNot is no regular expression: "));
  EXPECT_THAT(message([](Rule& r) { r.name_matches = "a{2000}"; }),
              HasSubstr("rules[0].name.matches is no regular expression: "));
  EXPECT_EQ(message([](Rule& r) { r.name_matches = "(a)(b)"; }),
            "rules[0].name.as must say what the name is, since rules[0].name.matches has several "
            "groups");
  EXPECT_THAT(message([](Rule& r) { r.metrics_query = "<<.X>>"; }),
              HasSubstr("rules[0].metricsQuery has <<.X>>, which is not supported"));
  EXPECT_THAT(message([](Rule& r) { r.label_template = "pod"; }),
              HasSubstr("rules[0].resources.template must have <<.Resource>> in it"));
}

TEST(NamerTest, LabelsOfResources) {
  auto made = rule();
  made.overrides = {{"app", {"apps", "deployments"}},
                    {"pod_name", {"", "pods"}},
                    {"pod", {"", "pod"}},
                    {"web", {"networking", "ingress"}}};
  const LabelNames one{"pod_name", "deployment"};
  {
    const auto namer = Namer::create(made).value();
    EXPECT_EQ(namer.label_of(kPods, &one), "pod_name") << "of several the one that is there";
    EXPECT_EQ(namer.label_of(kPods, nullptr), "pod");
    EXPECT_EQ(namer.label_of(kDeployments, nullptr), "app");
    EXPECT_EQ(namer.label_of(kDeployments, &one), std::nullopt);
    EXPECT_EQ(namer.label_of(kIngresses, nullptr), "web") << "the group's beginning is enough";
  }
  made.label_template = "<<.Resource>>";
  const auto namer = Namer::create(made).value();
  EXPECT_EQ(namer.label_of(kDeployments, &one), "deployment");
}

TEST(NamerTest, QueriesForObjects) {
  const auto namer =
      Namer::create(rule("sum(rate(<<.Series>>{<<.LabelMatchers>>}[2m])) by (<<.GroupBy>>)"))
          .value();
  EXPECT_EQ(pods_query(namer, {"a"}),
            R"(sum(rate(requests_total{namespace="shop",pod="a"}[2m])) by (pod))");
  EXPECT_EQ(pods_query(namer, {"a-1", "b.c"}),
            R"(sum(rate(requests_total{namespace="shop",pod=~"a-1|b\\.c"}[2m])) by (pod))");
  EXPECT_EQ(pods_query(namer, {"a"}, "verb=GET,code in (200,404),!x"),
            R"(sum(rate(requests_total{verb="GET",code=~"200|404",x="",namespace="shop",pod="a"})"
            R"([2m])) by (pod))");
  const auto by_name =
      Namer::create(
          rule(R"(x{a=~"<<.LabelValuesByName.pod>>",n="<<.LabelValuesByName.namespace>>"})"))
          .value();
  EXPECT_EQ(pods_query(by_name, {"a", "b"}), R"(x{a=~"a|b",n="shop"})");
}

TEST(NamerTest, QueriesForExternalMetrics) {
  const auto namer =
      Namer::create(rule("sum(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)")).value();
  EXPECT_EQ(namer.external_query("q", "namespace", "shop", selector("queue=in")).value(),
            R"(sum(q{queue="in",namespace="shop"}) by ())");
  EXPECT_EQ(namer.external_query("q", "", "shop", selector("")).value(), "sum(q{}) by ()");
}

TEST(MatchersTest, EverySelector) {
  const struct {
    const char* text;
    std::vector<std::string> want;
  } cases[] = {
      {"a=b", {R"(a="b")"}},
      {"a in (b)", {R"(a="b")"}},
      {"a!=b", {R"(a!="b")"}},
      {"a notin (b,c)", {R"(a!~"b|c")"}},
      {"a", {R"(a!="")"}},
      {"!a", {R"(a="")"}},
      {"a=", {R"(a="")"}},
      {R"(a="b\)", {R"(a="\"b\\")"}},
      {"a in (1.2,x+)", {R"(a=~"1\\.2|x\\+")"}},
  };
  for (const auto& test : cases) {
    const auto matchers = to_matchers(selector(test.text));
    ASSERT_TRUE(matchers) << test.text;
    EXPECT_EQ(matchers->expressions, test.want);
  }
  EXPECT_THAT(to_matchers(selector("a.b/c=d")).error().message,
              HasSubstr("the selector's key 'a.b/c' cannot be the name of a Prometheus label"));
  EXPECT_FALSE(to_matchers(selector(R"(a{b"}=d)")).has_value());
  EXPECT_THAT(to_matchers(selector("a>1")).error().message, HasSubstr("compares 'a' by < or >"));
}

}  // namespace
}  // namespace mcpfleet::adapter::promql
