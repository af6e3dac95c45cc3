// A link to the server, and the requests of one or many clients that wait for it.
//
// Thread safety: none; it belongs to the proxy's one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "mcp/multiplexer.h"
#include "proxy/message_queue.h"
#include "proxy/server_link.h"

namespace mcpfleet::proxy {

class BridgeSession;

class BridgeChannel final : public LinkReader {
 public:
  enum class Use : std::uint8_t {
    Session,  // one session has it for itself
    Shared,   // all sessions share it, after one handshake of ours
    Modern    // requests that stand alone, of anybody
  };
  using Client = mcp::Multiplexer::Client;

  // Takes what the server says to all of its clients.
  using Broadcast = std::function<void(std::string_view text)>;

  // Makes the channel read what `link` says, and starts the link. Errors as ServerLink::start().
  static Result<std::shared_ptr<BridgeChannel>> start(Runtime& runtime,
                                                      std::shared_ptr<ServerLink> link, Use use,
                                                      Broadcast broadcast = nullptr);

  ServerLink& link() const { return *link_; }
  const std::string& name() const { return link_->name(); }
  bool ended() const { return link_->ended(); }
  bool over() const { return link_->over(); }
  void end(std::string_view reason) { link_->end(reason); }

  // Whose it is, where one session has it.
  void give_to(const std::shared_ptr<BridgeSession>& session) { session_ = session; }

  // Gives the messages of one HTTP request to the server; answers to its requests go to `queue`,
  // each exactly once. `body` is the text that `messages` were found in.
  // Errors: Conflict (the client has a request with this id in flight), TooMany (the server takes
  // no more for now), Unavailable (the link has ended).
  // `counted`: the requests are a client's, and appear in the metrics.
  Result<void> submit(Client client, const std::vector<mcp::Message>& messages,
                      std::string_view body, const std::shared_ptr<MessageQueue>& queue,
                      bool counted = true);
  // The HTTP answer of this queue is over. Its requests go on and their answers go nowhere; with
  // `cancel` the server is told that nobody waits for them.
  void detach(const std::shared_ptr<MessageQueue>& queue, bool cancel);

  // Takes no new request; ends when nothing waits any more, or at `until`.
  void retire(std::string_view reason, MonotonicTime until);
  bool accepts() const { return !ended() && retire_reason_.empty(); }

  std::size_t waiting() const { return waiting_.size(); }
  // Nothing waits for an answer since so long.
  Duration idle_for(MonotonicTime now) const;
  // It owed an answer, said nothing, and did not answer a ping.
  bool hung() const { return hung_; }

  // To be called about four times a second.
  void tick(MonotonicTime now);

 private:
  BridgeChannel(Runtime& runtime, std::shared_ptr<ServerLink> link, Use use, Broadcast broadcast);

  using Call = mcp::Multiplexer::Call;
  struct Waiting {
    std::string id;                       // raw, of the client
    std::shared_ptr<MessageQueue> queue;  // null: nobody reads the answer
    CallStats::Series* series = nullptr;  // null: not counted
    MonotonicTime start;
    bool may_be_refused = false;  // then an error is none for the metrics
    bool subscription = false;
    MonotonicTime give_up = MonotonicTime::max();  // set when the client cancelled it
  };

  void on_message(const mcp::Message& message, std::string_view text) override;
  void on_end() override;
  Task<> wait_room() override;

  void send_request(Client client, const mcp::Message& message, std::string_view text,
                    const std::shared_ptr<MessageQueue>& queue, bool counted);
  void send_other(Client client, const mcp::Message& message, std::string_view text);
  void deliver(const mcp::Message& message, std::string_view text);
  void deliver_to_session(std::string_view text);
  void push(const std::shared_ptr<MessageQueue>& queue, std::string text, bool answer);
  void answer(std::map<Call, Waiting>::iterator waiting, std::string text, bool failed);
  std::string last_word(const Waiting& waiting) const;
  void give_up(MonotonicTime now);
  void look_for_life(MonotonicTime now);

  Runtime& runtime_;
  std::shared_ptr<ServerLink> link_;
  Use use_;
  mcp::Multiplexer calls_;
  std::map<Call, Waiting> waiting_;
  std::weak_ptr<BridgeSession> session_;
  Broadcast broadcast_;                      // may be null
  std::shared_ptr<MessageQueue> last_used_;  // where the last message went
  MonotonicTime last_use_;
  MonotonicTime last_sign_;                         // of life
  MonotonicTime ping_sent_ = MonotonicTime::max();  // max: none is open
  MonotonicTime retire_until_ = MonotonicTime::max();
  std::string retire_reason_;
  bool hung_ = false;
};

}  // namespace mcpfleet::proxy
