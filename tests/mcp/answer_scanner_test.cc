#include "mcp/answer_scanner.h"

#include <gtest/gtest.h>

namespace mcpfleet::mcp {
namespace {

using Form = AnswerScanner::Form;

std::string told(Form form, std::string_view text, std::size_t piece) {
  AnswerScanner scanner(form);
  std::vector<Answer> answers;
  for (std::size_t at = 0; at < text.size(); at += piece)
    scanner.feed(text.substr(at, piece), answers);
  std::string all;
  for (const auto& answer : answers)
    all += (answer.id.empty() ? "null" : answer.id) + (answer.failed ? "! " : " ");
  return all;
}

TEST(AnswerScanner, KnowsTheFormByTheContentType) {
  EXPECT_EQ(AnswerScanner::form_of("application/json"), Form::Json);
  EXPECT_EQ(AnswerScanner::form_of("Application/JSON; charset=utf-8"), Form::Json);
  EXPECT_EQ(AnswerScanner::form_of("text/event-stream;charset=utf-8"), Form::EventStream);
  EXPECT_EQ(AnswerScanner::form_of("application/jsonlines"), Form::Other);
  EXPECT_EQ(AnswerScanner::form_of(""), Form::Other);
}

TEST(AnswerScanner, TellsWhichRequestsWereAnswered) {
  struct Case {
    Form form;
    const char* text;
    const char* want;
  };
  for (const auto& [form, text, want] : {
           Case{Form::Json, R"({"id":1,"result":{}}  )", "1 "},
           Case{Form::Json, R"([{"id":1,"result":{}},{"id":"b","error":{"code":1}}])", "1 \"b\"! "},
           Case{Form::Json, R"({"id":null,"error":{"code":1}})", "null! "},
           Case{Form::Json, R"({"id":1,"result":{)", ""},
           Case{Form::Json, "<html>", ""},
           Case{Form::EventStream,
                "data: {\"method\":\"notifications/progress\"}\n\n"
                "event: message\ndata: {\"id\":3,\ndata: \"result\":{\"isError\":true}}\n\n",
                "3! "},
           Case{Form::EventStream, "data: garbage\n\ndata: {\"id\":4,\"result\":{}}\n\n", "4 "},
           Case{Form::EventStream, "data: {\"id\":4,\"result\":{}}\n", ""},
           Case{Form::Other, R"({"id":1,"result":{}})", ""},
       }) {
    for (const std::size_t piece : {1, 3, 1000}) EXPECT_EQ(told(form, text, piece), want) << text;
  }
}

}  // namespace
}  // namespace mcpfleet::mcp
