#include "mcp/sse.h"

#include <algorithm>
#include <utility>

namespace mcpfleet::mcp {
namespace {

constexpr std::string_view kData = "data";

}  // namespace

void SseReader::feed(std::string_view bytes, EventSink& sink) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    const char c = bytes[at];
    const bool joined = std::exchange(after_cr_, false) && c == '\n';
    if (joined) {
      ++at;
    } else if (c == '\r' || c == '\n') {
      end_line(sink);
      after_cr_ = c == '\r';
      ++at;
    } else if (state_ == State::Data || state_ == State::Ignored) {
      const auto end = std::min(bytes.find_first_of("\r\n", at), bytes.size());
      if (state_ == State::Data) sink.on_data(bytes.substr(at, end - at));
      at = end;
    } else if (state_ == State::FirstOfValue) {
      if (has_data_) sink.on_data("\n");
      has_data_ = true;
      state_ = State::Data;
      if (c == ' ') ++at;
    } else if (c == ':') {
      state_ = name_ == kData.size() ? State::FirstOfValue : State::Ignored;
      ++at;
    } else {
      const bool fits = name_ < kData.size() && kData[name_] == c;
      state_ = fits ? State::Name : State::Ignored;
      ++name_;
      ++at;
    }
  }
}

void SseReader::end_line(EventSink& sink) {
  if (state_ == State::LineStart && has_data_) {
    sink.on_event();
    has_data_ = false;
  } else if (state_ == State::FirstOfValue) {  // "data:" alone is an empty line of data
    if (has_data_) sink.on_data("\n");
    has_data_ = true;
  }
  state_ = State::LineStart;
  name_ = 0;
}

std::string sse_event(std::string_view data) {
  std::string text = "event: message\ndata: ";
  text.reserve(text.size() + data.size() + 2);
  return text.append(data).append("\n\n");
}

}  // namespace mcpfleet::mcp
