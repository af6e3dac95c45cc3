// What the benchmarks need to know of an HTTP/1.1 answer: where it ends, and what it says.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mcpfleet::bench {

inline constexpr std::size_t kMaxAnswer = 16 << 20;

// The views are into the bytes that were parsed.
struct HttpAnswer {
  int status = 0;
  std::string_view head;
  std::string_view body;  // with the chunks' framing, where it has one
  bool chunked = false;

  // The body without framing.
  std::string text() const;
};

// The answer that `bytes` begin with; nothing while its end has not come. Dies of an answer that
// cannot be read, or that is larger than kMaxAnswer.
std::optional<HttpAnswer> parse_answer(std::string_view bytes);

// A header's value; empty where there is none.
std::string_view header_of(std::string_view head, std::string_view name);

}  // namespace mcpfleet::bench
