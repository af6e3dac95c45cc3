#include "http_answer.h"

#include <strings.h>

#include <algorithm>
#include <charconv>

#include "sockets.h"

namespace mcpfleet::bench {

namespace {

// Takes the next chunk's bytes off `body`; nothing while they are not all there. The last chunk is
// empty.
std::optional<std::string_view> next_chunk(std::string_view& body) {
  const auto line = body.find("\r\n");
  if (line == std::string_view::npos) return std::nullopt;
  std::size_t size = 0;
  if (std::from_chars(body.data(), body.data() + line, size, 16).ec != std::errc()) {
    die("an answer's chunk has no size");
  }
  if (size > kMaxAnswer) die("an answer's chunk is too large");
  if (body.size() < line + 2 + size + 2) return std::nullopt;
  const auto chunk = body.substr(line + 2, size);
  body.remove_prefix(line + 2 + size + 2);
  return chunk;
}

// Whether `body` holds all chunks and the end of the chunked coding (no trailers).
bool all_chunks(std::string_view body) {
  while (const auto chunk = next_chunk(body)) {
    if (chunk->empty()) return true;
  }
  return false;
}

}  // namespace

std::string HttpAnswer::text() const {
  if (!chunked) return std::string(body);
  std::string whole;
  auto rest = body;
  while (const auto chunk = next_chunk(rest)) whole.append(*chunk);
  return whole;
}

std::optional<HttpAnswer> parse_answer(std::string_view bytes) {
  if (bytes.size() > kMaxAnswer) die("an answer is larger than 16 MiB");
  const auto end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  HttpAnswer answer;
  answer.head = bytes.substr(0, end + 2);
  answer.body = bytes.substr(end + 4);
  std::from_chars(bytes.data() + std::min<std::size_t>(9, end), bytes.data() + end, answer.status);
  const auto coding = header_of(answer.head, "transfer-encoding");
  answer.chunked = coding.size() == 7 && ::strncasecmp(coding.data(), "chunked", 7) == 0;
  if (answer.chunked) return all_chunks(answer.body) ? std::optional(answer) : std::nullopt;
  std::size_t length = 0;
  const auto given = header_of(answer.head, "content-length");
  std::from_chars(given.data(), given.data() + given.size(), length);
  if (answer.body.size() < length) return std::nullopt;
  return answer;
}

std::string_view header_of(std::string_view head, std::string_view name) {
  while (!head.empty()) {
    const auto line = head.substr(0, head.find("\r\n"));
    if (line.size() > name.size() && line[name.size()] == ':' &&
        ::strncasecmp(line.data(), name.data(), name.size()) == 0) {
      const auto start = line.find_first_not_of(' ', name.size() + 1);
      return start == std::string_view::npos ? std::string_view() : line.substr(start);
    }
    head.remove_prefix(std::min(line.size() + 2, head.size()));
  }
  return {};
}

}  // namespace mcpfleet::bench
