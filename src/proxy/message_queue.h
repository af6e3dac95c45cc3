// JSON-RPC messages on their way from a bridged server to one HTTP answer.
//
// Thread safety: none; it belongs to the proxy's one thread.
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "base/clock.h"
#include "proxy/asio_types.h"

namespace mcpfleet::proxy {

class MessageQueue {
 public:
  // Over this the reader of the server waits, so that a slow client holds back the server.
  static constexpr std::size_t kFullBytes = 1024 * 1024;

  struct Item {
    std::string text;     // one line of JSON, without its end
    bool answer = false;  // it answers one of the requests that this queue was opened for
  };

  // `takes_events`: the client can be sent other messages than answers.
  MessageQueue(asio::io_context& io, bool takes_events)
      : takes_events_(takes_events), filled_(io), emptied_(io) {}

  void push(Item item);
  // Nothing is pushed any more; what is inside can still be taken.
  void close();
  std::optional<Item> pop();

  // Until there is an item, or it was closed, or the time has come.
  Task<> wait_filled(MonotonicTime until = MonotonicTime::max());
  // Until it is no longer full, or it was closed.
  Task<> wait_room();

  bool closed() const { return closed_; }
  bool filled() const { return !items_.empty(); }
  bool takes_events() const { return takes_events_; }
  std::size_t bytes() const { return bytes_; }
  bool full() const { return bytes_ >= kFullBytes && !closed_; }

 private:
  bool takes_events_;
  bool closed_ = false;
  std::size_t bytes_ = 0;
  std::deque<Item> items_;
  Timer filled_;
  Timer emptied_;
};

}  // namespace mcpfleet::proxy
