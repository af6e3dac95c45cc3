// A client's side of the old HTTP+SSE transport (2024-11-05): one stream from the server, and a
// POST for each message to it.
//
// Thread safety: none; it belongs to the proxy's one thread.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "mcp/sse.h"
#include "proxy/server_link.h"
#include "proxy/upstream_pool.h"

namespace mcpfleet::proxy {

class SseLink final : public ServerLink, private mcp::EventSink {
 public:
  static constexpr Duration kOpenTimeout = std::chrono::seconds(10);  // until the endpoint event
  static constexpr Duration kPostTimeout = std::chrono::minutes(5);   // for the answer to a POST
  static constexpr std::size_t kMaxPosts = 32;                        // at once

  SseLink(Runtime& runtime, std::string name);

  // Never fails: what is wrong ends the link.
  Result<void> start() override;
  void kill(std::string_view reason) override { end(reason); }
  bool over() const override { return ended() && !reading_ && posts_.empty(); }
  bool broke() const override { return broke_; }
  void tick(MonotonicTime now) override;
  std::string subject() const override;
  std::string start_failure(Duration timeout) const override;

 private:
  struct Post {
    explicit Post(MonotonicTime until) : deadline(until) {}
    std::unique_ptr<UpstreamConnection> connection;
    MonotonicTime deadline;
    bool done = false;
  };
  using Self = std::shared_ptr<SseLink>;

  Self self() { return std::static_pointer_cast<SseLink>(shared_from_this()); }

  static Task<> read_stream(Self self);
  Task<std::string> read_events();
  void on_data(std::string_view bytes) override;
  void on_event(std::string_view type) override;
  void take_endpoint();

  static Task<> send_messages(Self self);
  static Task<> send_one(Self self, std::shared_ptr<Post> post, std::string message);
  Task<std::string> exchange(Post& post, const std::string& message);
  Task<> wait_turn(const Post& post);
  void refuse(std::string_view message, const std::string& problem);
  std::string head_of_post(std::size_t body) const;

  void break_off(std::string_view problem);
  void close() override;

  Socket socket_;  // of the stream
  mcp::SseReader reader_;
  std::string event_;       // the data of the event that is being read
  bool too_large_ = false;  // it was
  std::string endpoint_;    // the target of POSTs; empty: not known yet
  MonotonicTime open_until_;
  std::list<std::shared_ptr<Post>> posts_;  // that wait for their answer
  Timer turn_;
  bool reading_ = false;
  bool broke_ = false;
};

}  // namespace mcpfleet::proxy
