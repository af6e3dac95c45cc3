#include "metrics/json_sample.h"

#include <gtest/gtest.h>

namespace mcpfleet::metrics {
namespace {

TEST(JsonSampleTest, TellsJsonFromText) {
  EXPECT_TRUE(looks_like_json(" \n{\"performance\":{}}"));
  EXPECT_FALSE(looks_like_json("mcp_active_sessions{a=\"b\"} 1"));
  EXPECT_FALSE(looks_like_json(""));
}

TEST(JsonSampleTest, ReadsToolsAndConcurrency) {
  const auto sample = read_json_sample(
      R"({"performance":{"b":{"total_requests":1500,"avg_duration":0.089,"success_rate":99.2,
          "qps_1s":25},"a":{"total_requests":3}},
          "concurrency":{"max_concurrent":100,"current_concurrent":8},
          "cache":{"default":{"hit_rate":80.0}},"timestamp":1703123456.789})",
      {});
  ASSERT_TRUE(sample) << sample.error().message;
  EXPECT_TRUE(sample->has_mcp);
  EXPECT_EQ(sample->in_flight, 8);
  EXPECT_FALSE(sample->sessions);
  ASSERT_EQ(sample->calls.size(), 2u);
  EXPECT_EQ(sample->calls[0].tool, "a");
  EXPECT_FALSE(sample->calls[0].told_mean);
  EXPECT_EQ(sample->calls[1].method, "tools/call");
  EXPECT_EQ(sample->calls[1].requests, 1500);
  EXPECT_EQ(sample->calls[1].told_mean, 0.089);
  EXPECT_NEAR(sample->calls[1].told_error_ratio.value(), 0.008, 1e-9);
}

TEST(JsonSampleTest, RefusesWhatCannotBeCounted) {
  std::string deep = R"({"performance":)";
  for (int i = 0; i < 100'000; ++i) deep += '[';
  const struct {
    std::string text;
    const char* want;
  } cases[] = {
      {"{", "broken JSON"},
      {"[1]", "the JSON is no object"},
      {deep, "the JSON is nested deeper than 8 levels"},
      {R"({"performance":[]})", "performance must be an object"},
      {R"({"performance":{"a":1}})", "performance.a: must be an object"},
      {R"({"performance":{"a":{"total_requests":-1}}})",
       "performance.a: total_requests must be a number that is not negative"},
      {R"({"performance":{"a":{"avg_duration":"0.1"}}})",
       "performance.a: avg_duration must be a number that is not negative"},
      {R"({"performance":{"a":{"success_rate":101}}})",
       "performance.a: success_rate must be a number that is not negative"},
      {R"({"concurrency":{"current_concurrent":1e300}})",
       "concurrency: current_concurrent must be a number that is not negative"},
  };
  for (const auto& test : cases) {
    const auto got = read_json_sample(test.text, {});
    ASSERT_FALSE(got) << test.want;
    EXPECT_EQ(got.error().message, test.want);
  }
  EXPECT_FALSE(read_json_sample(R"({"status":"ok"})", {})->has_mcp);
}

TEST(JsonSampleTest, IsBounded) {
  EXPECT_EQ(read_json_sample(std::string(100, ' ') + "{}", {.max_bytes = 50}).error().kind,
            ErrorKind::TooLarge);
  std::string many = R"({"performance":{)";
  for (std::size_t i = 0; i <= kMaxKinds; ++i)
    many += (i > 0 ? ",\"t" : "\"t") + std::to_string(i) + "\":{}";
  EXPECT_EQ(read_json_sample(many + "}}", {}).error().kind, ErrorKind::TooLarge);
  EXPECT_EQ(read_json_sample(R"({"performance":{")" + std::string(2000, 'x') + R"(":{}}})", {})
                .error()
                .kind,
            ErrorKind::TooLarge);
}

}  // namespace
}  // namespace mcpfleet::metrics
