#include "proxy/chunked_reader.h"

#include <gtest/gtest.h>

#include <string>

namespace mcpfleet::proxy {
namespace {

struct Outcome {
  std::string payload;
  std::size_t consumed = 0;
  bool done = false;
  bool broken = false;
  bool operator==(const Outcome&) const = default;
};

Outcome read_in_pieces(std::string_view text, std::size_t piece) {
  ChunkedReader reader;
  Outcome outcome;
  while (outcome.consumed < text.size() && !reader.done() && !reader.broken()) {
    const auto step = reader.next(text.substr(outcome.consumed, piece));
    outcome.payload.append(step.payload);
    outcome.consumed += step.consumed;
  }
  outcome.done = reader.done();
  outcome.broken = reader.broken();
  return outcome;
}

TEST(ChunkedReader, FindsPayloadAndEndHoweverTheBytesArrive) {
  struct Case {
    std::string text;
    std::string payload;
    std::size_t behind;  // bytes that belong to the next message
  };
  for (const auto& [text, payload, behind] : {
           Case{"5\r\nhello\r\n0\r\n\r\n", "hello", 0},
           Case{"1\r\na\r\nA\r\n0123456789\r\n0\r\n\r\nHTTP", "a0123456789", 4},
           Case{"2;ext=\"x\"\r\nab\r\n0;e\r\nTrailer: 1\r\nOther: 2\r\n\r\n", "ab", 0},
           Case{"0\r\n\r\n", "", 0},
       }) {
    for (std::size_t piece = 1; piece <= text.size(); ++piece)
      EXPECT_EQ(read_in_pieces(text, piece), (Outcome{payload, text.size() - behind, true, false}))
          << text << " in pieces of " << piece;
  }
}

TEST(ChunkedReader, RefusesWhatIsNotChunked) {
  for (const std::string& text :
       {std::string("hello"), std::string("\r\n"), std::string("5\nhello"), std::string("-1\r\n"),
        std::string("5\r\nhello0\r\n"), std::string("ffffffffffffffffff\r\n"), std::string("1;\nx"),
        std::string("0\r\nTrailer: x\n\r\n"), "1;" + std::string(20'000, 'x')}) {
    EXPECT_TRUE(read_in_pieces(text, 7).broken) << text.substr(0, 30);
  }
  EXPECT_FALSE(read_in_pieces("5\r\nhel", 2).done);
}

}  // namespace
}  // namespace mcpfleet::proxy
