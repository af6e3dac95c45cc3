// JSON-RPC messages on their way from a bridged server to one stream of a client, which the client
// may leave and continue.
//
// Thread safety: none; it belongs to the proxy's one thread.
#pragma once

#include <cstdint>
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
  // What is kept for a client that comes back: the newest messages within both bounds.
  static constexpr std::size_t kKeptItems = 256;
  static constexpr std::size_t kKeptBytes = 1024 * 1024;

  struct Item {
    std::string text;          // one line of JSON, without its end
    bool answer = false;       // it answers one of the requests that this queue was opened for
    std::uint64_t number = 0;  // its place in the stream, from 1 on; given by push()
  };

  // `takes_events`: the client can be sent other messages than answers. `owed`: how many answers
  // are to come.
  MessageQueue(asio::io_context& io, bool takes_events, std::size_t owed)
      : takes_events_(takes_events), owed_(owed), filled_(io), emptied_(io) {}

  void push(Item item);
  // Nothing is pushed any more; what is inside can still be taken.
  void close();
  // What pop() would give; null: nothing. Until the next call of anything else.
  const Item* peek() const { return filled() ? &items_[next_] : nullptr; }
  std::optional<Item> pop();

  // From now on what was taken can be taken again.
  void keep() { kept_ = true; }
  bool kept() const { return kept_; }
  // The number of the item that was taken last.
  std::uint64_t taken() const { return taken_; }
  // Makes the items behind `number` the next ones. False: some of them are not there any more, or
  // were not taken yet.
  bool rewind(std::uint64_t number);

  // One who takes the items, in the place of whoever did before. The number says who it is.
  std::uint64_t attach();
  bool attached(std::uint64_t reader) const { return reader_ == reader; }
  // Nobody takes them for now. What is pushed is kept within the bounds, and holds nobody back.
  void leave();
  bool left() const { return reader_ == 0; }
  // Ends wait_filled() without an item.
  void wake();

  // Until there is an item, or it was closed or woken, or the time has come.
  Task<> wait_filled(MonotonicTime until = MonotonicTime::max());
  // Until it is no longer full, or it was closed.
  Task<> wait_room();

  bool closed() const { return closed_; }
  // Whether the client of this queue can be reached through it.
  bool open() const { return !closed_ && !left(); }
  bool filled() const { return next_ < items_.size(); }
  bool takes_events() const { return takes_events_; }
  // Answers that were not taken yet.
  std::size_t owed() const { return owed_; }
  std::size_t bytes() const { return bytes_; }  // of what was not taken
  bool full() const { return bytes_ >= kFullBytes && open(); }

 private:
  bool exceeds() const { return items_.size() > kKeptItems || bytes_ + kept_bytes_ > kKeptBytes; }
  void forget();

  bool takes_events_;
  bool closed_ = false;
  bool kept_ = false;
  std::size_t owed_;
  std::deque<Item> items_;
  std::size_t next_ = 0;  // in `items_`: what is taken next
  std::size_t bytes_ = 0;
  std::size_t kept_bytes_ = 0;  // of what was taken
  std::uint64_t last_ = 0;      // number that was given
  std::uint64_t taken_ = 0;
  std::uint64_t reader_ = 1;  // 0: none
  std::uint64_t readers_ = 1;
  Timer filled_;
  Timer emptied_;
};

}  // namespace mcpfleet::proxy
