// One client's session with a bridged server: its stream for messages that belong to no request.
//
// Thread safety: none; it belongs to the proxy's one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "proxy/message_queue.h"

namespace mcpfleet::proxy {

class BridgeChannel;

class BridgeSession {
 public:
  static constexpr std::size_t kMaxBuffered = 256;  // messages without a stream
  static constexpr std::size_t kMaxBufferedBytes = 4 * 1024 * 1024;

  // `number` tells it apart from all other clients of this sidecar. `channel`: its link, which
  // nobody else uses; null: it shares one.
  BridgeSession(std::string id, std::uint64_t number, std::shared_ptr<BridgeChannel> channel,
                MonotonicTime now)
      : id_(std::move(id)), number_(number), channel_(std::move(channel)), last_use_(now) {}

  const std::string& id() const { return id_; }
  std::uint64_t number() const { return number_; }
  const std::shared_ptr<BridgeChannel>& channel() const { return channel_; }

  using Queue = std::shared_ptr<MessageQueue>;
  // Streams that a client can continue after they broke off: those that began last.
  static constexpr std::size_t kMaxStreams = 8;
  // So long the end of a stream can be asked for again.
  static constexpr Duration kKeepFinished = std::chrono::seconds(60);

  // From now on the stream can be continued. Its number, in this session.
  std::uint64_t add_stream(const Queue& queue);
  // Null: there is no such stream, or not any more.
  Queue find_stream(std::uint64_t number) const;
  // Its client has got all of it.
  void finish_stream(std::uint64_t number, MonotonicTime now);
  // To be called now and then.
  void forget_streams(MonotonicTime now);

  // Makes `queue` the stream for messages that belong to no request, instead of an earlier one.
  void set_stream(const Queue& queue, MonotonicTime now);
  bool is_own_stream(const Queue& queue) const { return stream_ == queue; }
  // The open stream, or null.
  Queue stream() const;
  // To the stream, or kept until there is one.
  void deliver(std::string_view text);

  // While a POST is answered the session is not idle. Every begin needs its end.
  void begin_post(MonotonicTime now);
  void end_post(MonotonicTime now);
  Duration idle_for(MonotonicTime now) const;

  // Ends it, and its link where that is its own.
  void end(std::string_view reason);
  bool ended() const;

 private:
  std::string id_;
  std::uint64_t number_;
  std::shared_ptr<BridgeChannel> channel_;
  Queue stream_;
  struct Resumable {
    Queue queue;
    MonotonicTime forget_at = MonotonicTime::max();
  };
  std::map<std::uint64_t, Resumable> resumable_;  // by number
  std::uint64_t last_stream_ = 0;
  std::deque<std::string> buffered_;
  std::size_t buffered_bytes_ = 0;
  std::size_t posts_ = 0;
  MonotonicTime last_use_;
  bool ended_ = false;
};

}  // namespace mcpfleet::proxy
