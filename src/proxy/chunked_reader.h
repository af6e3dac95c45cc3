// Walks through HTTP/1.1's chunked transfer coding (RFC 9112, 7.1) without copying, so that a proxy
// can pass the bytes on as they are and still see the payload and the end.
//
// Thread safety: a plain value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mcpfleet::proxy {

class ChunkedReader {
 public:
  struct Step {
    std::size_t consumed = 0;  // how many of the bytes were understood
    std::string_view payload;  // the payload among them
  };

  // Takes the next piece: up to the end of one chunk's data, or as much framing as there is.
  // Consumes at least one byte unless there are none, or the end was reached, or it is broken.
  Step next(std::string_view bytes);

  bool done() const { return state_ == State::Done; }
  // The bytes are not chunked coding, or a limit was passed (16 KiB of extensions or trailers).
  bool broken() const { return state_ == State::Broken; }

 private:
  enum class State : std::uint8_t {
    FirstDigit,
    Size,
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    TrailerStart,
    Trailer,
    TrailerLf,
    EndLf,
    Done,
    Broken
  };

  State after(char c);
  State after_size(char c);

  State state_ = State::FirstDigit;
  std::uint64_t left_ = 0;
  std::size_t framing_ = 0;
};

}  // namespace mcpfleet::proxy
