#include "mcp/sse.h"

#include <gtest/gtest.h>

#include <vector>

namespace mcpfleet::mcp {
namespace {

struct Collector : EventSink {
  void on_data(std::string_view bytes) override { current.append(bytes); }
  void on_event(std::string_view type) override {
    events.push_back(std::exchange(current, {}));
    types.emplace_back(type);
  }
  std::string current;
  std::vector<std::string> events;
  std::vector<std::string> types;
};

TEST(SseReader, GivesTheDataOfEachEventHoweverTheBytesArrive) {
  struct Case {
    const char* name;
    std::string text;
    std::vector<std::string> events;
  };
  for (const auto& want : {
           Case{"one", "event: message\nid: 1\ndata: {\"a\":1}\n\n", {"{\"a\":1}"}},
           Case{"no space", "data:x\n\n", {"x"}},
           Case{"two lines", "data: a\ndata: b\n\n", {"a\nb"}},
           Case{"CRLF", "data: a\r\n\r\ndata: b\r\n\r\n", {"a", "b"}},
           Case{"CR", "data: a\r\rdata: b\r\r", {"a", "b"}},
           Case{"comments and empty events", ": hi\n\nid: 4\n\ndata: a\n\n", {"a"}},
           Case{"empty data", "data\n\ndata:\n\n", {"", ""}},
           Case{"empty lines", "data\ndata\n\n", {"\n"}},
           Case{"names that only begin so", "datax: a\ndat: b\ndata: c\n\n", {"c"}},
           Case{"colon in data", "data: a: b\n\n", {"a: b"}},
           Case{"unfinished", "data: a\n", {}},
       }) {
    for (std::size_t cut = 0; cut <= want.text.size(); ++cut) {
      SseReader reader;
      Collector collector;
      reader.feed(std::string_view(want.text).substr(0, cut), collector);
      reader.feed(std::string_view(want.text).substr(cut), collector);
      EXPECT_EQ(collector.events, want.events) << want.name << " cut at " << cut;
    }
  }
}

TEST(SseReader, TellsTheTypeOfEachEvent) {
  const std::string text =
      "event: endpoint\ndata: a\n\ndata: b\n\nevent:x\nevent: ping\ndata: c\n\nevent: lost\n\n"
      "eventful: no\ndata: d\n\nevent: " +
      std::string(100, 'y') + "\ndata: e\n\n";
  const std::vector<std::string> want{"endpoint", "message", "ping", "message",
                                      std::string(SseReader::kMaxType, 'y')};
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    SseReader reader;
    Collector collector;
    reader.feed(std::string_view(text).substr(0, cut), collector);
    reader.feed(std::string_view(text).substr(cut), collector);
    EXPECT_EQ(collector.types, want) << "cut at " << cut;
  }
}

TEST(SseEvent, ReadsBackAsItsData) {
  SseReader reader;
  Collector collector;
  reader.feed(sse_event("{\"x\":[1,2]}"), collector);
  reader.feed(sse_priming_event("4-0"), collector);
  reader.feed(sse_event("{}", "4-1"), collector);
  EXPECT_EQ(collector.events, (std::vector<std::string>{"{\"x\":[1,2]}", "", "{}"}));
  EXPECT_EQ(sse_event("{}", "4-1"), "event: message\nid: 4-1\ndata: {}\n\n");
}

}  // namespace
}  // namespace mcpfleet::mcp
