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
  // The event is complete. Not called for events without data. `type` is what the stream calls it,
  // cut after SseReader::kMaxType characters; "message" where it does not say.
  virtual void on_event(std::string_view type) = 0;
};

class SseReader {
 public:
  static constexpr std::size_t kMaxType = 32;

  void feed(std::string_view bytes, EventSink& sink);

 private:
  enum class State : std::uint8_t { Name, FirstOfValue, Data, Type, Ignored };

  void begin_value(EventSink& sink);
  void end_line(EventSink& sink);
  void end_event(EventSink& sink);

  State state_ = State::Name;
  bool after_cr_ = false;  // a line feed now belongs to the line end before
  bool has_data_ = false;  // the event has had a data line
  std::string name_;       // of the line's field, as far as it matters
  std::string type_;
};

// One event of the default type around `data`, which must not contain line ends. Without an `id`
// where that is empty.
std::string sse_event(std::string_view data, std::string_view id = {});

// An event that says nothing but its id.
std::string sse_priming_event(std::string_view id);

}  // namespace mcpfleet::mcp
