#include "proxy/chunked_reader.h"

#include <algorithm>

namespace mcpfleet::proxy {
namespace {

constexpr std::size_t kMaxFraming = 16 * 1024;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

ChunkedReader::Step ChunkedReader::next(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size() && state_ != State::Done && state_ != State::Broken) {
    if (state_ == State::Data) {
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size() - at));
      left_ -= size;
      if (left_ == 0) state_ = State::DataCr;
      return {at + size, bytes.substr(at, size)};
    }
    if (++framing_ > kMaxFraming) {
      state_ = State::Broken;
      break;
    }
    state_ = after(bytes[at]);
    if (state_ == State::Broken) break;
    ++at;
  }
  return {at, {}};
}

ChunkedReader::State ChunkedReader::after_size(char c) {
  if (c == '\r') return State::SizeLf;
  if (c == ';' || c == ' ' || c == '\t') return State::Extension;
  const int digit = hex_value(c);
  if (digit < 0 || left_ >> 59 != 0) return State::Broken;
  left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
  return State::Size;
}

ChunkedReader::State ChunkedReader::after(char c) {
  switch (state_) {
    case State::FirstDigit:
      left_ = 0;
      return hex_value(c) < 0 ? State::Broken : after_size(c);
    case State::Size:
      return after_size(c);
    case State::Extension:
      return c == '\r' ? State::SizeLf : (c == '\n' ? State::Broken : State::Extension);
    case State::SizeLf:
      if (c != '\n') return State::Broken;
      if (left_ == 0) return State::TrailerStart;
      framing_ = 0;
      return State::Data;
    case State::DataCr:
      return c == '\r' ? State::DataLf : State::Broken;
    case State::DataLf:
      return c == '\n' ? State::FirstDigit : State::Broken;
    case State::TrailerStart:
      return c == '\r' ? State::EndLf : (c == '\n' ? State::Broken : State::Trailer);
    case State::Trailer:
      return c == '\r' ? State::TrailerLf : (c == '\n' ? State::Broken : State::Trailer);
    case State::TrailerLf:
      return c == '\n' ? State::TrailerStart : State::Broken;
    case State::EndLf:
      return c == '\n' ? State::Done : State::Broken;
    case State::Data:
    case State::Done:
    case State::Broken:
      break;
  }
  return State::Broken;
}

}  // namespace mcpfleet::proxy
