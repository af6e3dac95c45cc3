#include "metrics/label_selector.h"

#include <gtest/gtest.h>

#include <map>

namespace mcpfleet::metrics {
namespace {

using Labels = std::map<std::string, std::string, std::less<>>;

bool matches(const LabelSelector& selector, const Labels& labels) {
  return selector.matches([&labels](std::string_view key) -> std::optional<std::string_view> {
    const auto found = labels.find(key);
    if (found == labels.end()) return std::nullopt;
    return found->second;
  });
}

TEST(LabelSelectorTest, TheWholeGrammar) {
  const Labels labels{{"app", "x"}, {"mcpfleet.dev/server", "s"}, {"n", "5"}, {"empty", ""}};
  const struct {
    const char* text;
    bool want;
    const char* json;
  } cases[] = {
      {"", true, "null"},
      {"app=x", true, R"({"matchLabels":{"app":"x"}})"},
      {"app==x", true, R"({"matchLabels":{"app":"x"}})"},
      {" app = x , n = 5 ", true, R"({"matchLabels":{"app":"x","n":"5"}})"},
      {"app=y", false, R"({"matchLabels":{"app":"y"}})"},
      {"app!=y", true, R"({"matchExpressions":[{"key":"app","operator":"NotIn","values":["y"]}]})"},
      {"none!=y", true, nullptr},
      {"app!=x", false, nullptr},
      {"app in (x,y)", true,
       R"({"matchExpressions":[{"key":"app","operator":"In","values":["x","y"]}]})"},
      {"app in(y)", false, nullptr},
      {"app notin (y, z)", true, nullptr},
      {"none notin (y)", true, nullptr},
      {"app notin (x)", false, nullptr},
      {"none in (y)", false, nullptr},
      {"app", true, R"({"matchExpressions":[{"key":"app","operator":"Exists"}]})"},
      {"none", false, nullptr},
      {"!none", true, R"({"matchExpressions":[{"key":"none","operator":"DoesNotExist"}]})"},
      {"!app", false, nullptr},
      {"mcpfleet.dev/server=s,!none,app in (x)", true, nullptr},
      {"empty=", true, nullptr},
      {"empty=,app=x", true, nullptr},
      {"empty in ()", true, nullptr},
      {"empty in (a,)", true, nullptr},
      {"in in (in)", false, nullptr},
      {"n>4", true, nullptr},
      {"n>5", false, nullptr},
      {"n<6", true, nullptr},
      {"app>1", false, nullptr},
      {"app=x,app=y", false, nullptr},
  };
  for (const auto& test : cases) {
    const auto selector = LabelSelector::parse(test.text);
    ASSERT_TRUE(selector) << test.text << ": " << selector.error().message;
    EXPECT_EQ(matches(*selector, labels), test.want) << test.text;
    if (test.json != nullptr) {
      EXPECT_EQ(selector->to_json(), test.json) << test.text;
    }
  }
}

TEST(LabelSelectorTest, ComesApartByKeys) {
  const auto selector = LabelSelector::parse("server=x,tool in (a,b),!method").value();
  EXPECT_EQ(selector.of({"server"}).requirements().size(), 1u);
  EXPECT_EQ(selector.of({"server"}).requirements()[0].key, "server");
  EXPECT_EQ(selector.without({"server"}).requirements().size(), 2u);
  EXPECT_TRUE(selector.of({"other"}).empty());
  EXPECT_TRUE(selector.without({"server", "tool", "method"}).empty());
}

TEST(LabelSelectorTest, RefusesWhatIsNone) {
  const struct {
    std::string text;
    const char* want;
  } cases[] = {
      {"=x", "the selector is wrong at position 0: expected a label's name, found '=x'"},
      {"a,", "the selector is wrong at position 2: expected a label's name, found the end"},
      {"a,,b", "the selector is wrong at position 2: expected a label's name, found ',b'"},
      {"a in x", "the selector is wrong at position 5: expected '(', found 'x'"},
      {"a in (x", "the selector is wrong at position 7: expected ',' or ')', found the end"},
      {"a like b",
       "the selector has 'like' after 'a' where =, ==, !=, >, <, in or notin should be"},
      {"a=b c", "the selector is wrong at position 4: expected ',', found 'c'"},
      {"!a=b", "the selector is wrong at position 2: expected ',', found '=b'"},
      {"a>b",
       "the selector is wrong at position 3: expected a whole number before it, found the end"},
      {std::string(9000, 'a'), "the selector is longer than 8192 bytes"},
  };
  for (const auto& test : cases) {
    const auto selector = LabelSelector::parse(test.text);
    ASSERT_FALSE(selector) << test.text;
    EXPECT_EQ(selector.error().message, test.want);
    EXPECT_EQ(selector.error().kind, ErrorKind::Invalid);
  }
}

}  // namespace
}  // namespace mcpfleet::metrics
