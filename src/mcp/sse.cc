#include "mcp/sse.h"

#include <algorithm>
#include <utility>

namespace mcpfleet::mcp {
namespace {

constexpr std::string_view kData = "data";
constexpr std::string_view kType = "event";

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
    } else if (state_ == State::Name && c == ':') {
      state_ = State::FirstOfValue;
      ++at;
    } else if (state_ == State::Name) {
      if (name_.size() <= kType.size()) name_ += c;
      ++at;
    } else if (state_ == State::FirstOfValue) {
      begin_value(sink);
      if (c == ' ') ++at;
    } else {
      const auto end = std::min(bytes.find_first_of("\r\n", at), bytes.size());
      const auto piece = bytes.substr(at, end - at);
      if (state_ == State::Data) sink.on_data(piece);
      if (state_ == State::Type) type_.append(piece.substr(0, kMaxType - type_.size()));
      at = end;
    }
  }
}

// A line whose field has no value, with or without a colon, is one with an empty value.
void SseReader::begin_value(EventSink& sink) {
  state_ = State::Ignored;
  if (name_ == kData) {
    if (has_data_) sink.on_data("\n");
    has_data_ = true;
    state_ = State::Data;
  } else if (name_ == kType) {
    type_.clear();
    state_ = State::Type;
  }
}

void SseReader::end_line(EventSink& sink) {
  if (state_ == State::Name && name_.empty()) {
    end_event(sink);
  } else if (state_ == State::Name || state_ == State::FirstOfValue) {
    begin_value(sink);
  }
  state_ = State::Name;
  name_.clear();
}

void SseReader::end_event(EventSink& sink) {
  if (has_data_) sink.on_event(type_.empty() ? std::string_view("message") : type_);
  has_data_ = false;
  type_.clear();
}

std::string sse_event(std::string_view data, std::string_view id) {
  std::string text = "event: message\n";
  text.reserve(text.size() + data.size() + id.size() + 16);
  if (!id.empty()) text.append("id: ").append(id).append("\n");
  return text.append("data: ").append(data).append("\n\n");
}

std::string sse_priming_event(std::string_view id) {
  return "id: " + std::string(id) + "\ndata: \n\n";
}

}  // namespace mcpfleet::mcp
