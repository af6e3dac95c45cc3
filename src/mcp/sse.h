// Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), read piece
// by piece without keeping them, and written.
//
// Thread safety: plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mcpfleet::mcp {

// What a stream's events carry. Calls come in order, while feed() runs.
class EventSink {
 public:
  virtual ~EventSink() = default;
  // The next bytes of the event's data; lines of one event are joined by a line feed.
  virtual void on_data(std::string_view bytes) = 0;
  // The event is complete. Not called for events without data.
  virtual void on_event() = 0;
};

class SseReader {
 public:
  void feed(std::string_view bytes, EventSink& sink);

 private:
  enum class State : std::uint8_t { LineStart, Name, FirstOfValue, Data, Ignored };

  void end_line(EventSink& sink);

  State state_ = State::LineStart;
  bool after_cr_ = false;  // a line feed now belongs to the line end before
  bool has_data_ = false;  // the event has had a data line
  std::size_t name_ = 0;   // how many characters of "data" have matched
};

// One event of the default type around `data`, which must not contain line ends.
std::string sse_event(std::string_view data);

}  // namespace mcpfleet::mcp
