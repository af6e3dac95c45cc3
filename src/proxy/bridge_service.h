// All links and sessions of this pod's server, where it speaks stdio or HTTP+SSE: a link is a
// process or a stream.
//
// Thread safety: none; it belongs to the proxy's one thread.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "proxy/bridge_channel.h"
#include "proxy/bridge_session.h"
#include "proxy/process_table.h"
#include "proxy/runtime.h"

namespace mcpfleet::proxy {

class BridgeService {
 public:
  // Of those that share a link; more would cost memory without bound.
  static constexpr std::size_t kMaxSharedSessions = 100'000;

  using Channel = std::shared_ptr<BridgeChannel>;
  using Session = std::shared_ptr<BridgeSession>;

  // Which versions the server speaks: those with a handshake, those without, or both.
  struct Eras {
    bool handshake = false;
    bool modern = false;
  };

  explicit BridgeService(Runtime& runtime) : runtime_(runtime) {}

  // Talks to the server once, so that one that cannot work is found out before clients come. Error:
  // one sentence, with all that the link knows of it. May be tried again.
  Task<Result<void>> check_start();
  bool start_checked() const { return start_checked_; }
  const Eras& eras() const { return eras_; }

  // A new session. Errors: TooMany (all links are taken), and those of ServerLink::start().
  Result<Session> create();
  // Null: there is no such session here (any more).
  Session find(std::string_view id) const;
  // What answers a session's requests. Errors as create(), Unavailable (the link that all share
  // does not begin).
  Task<Result<Channel>> channel_of(const Session& session);
  // What answers a request that stands alone. Errors as create().
  Result<Channel> modern_channel();
  // A number for a client without a session.
  std::uint64_t new_client() { return ++last_client_; }
  // Where all sessions share a link: its answer to initialize, raw JSON-RPC with the given id.
  std::string shared_handshake(std::string_view id) const;

  void end_all(std::string_view reason);
  // Ends every link at once and forgets all sessions.
  void kill_all();
  // Reaps, ends idle sessions, forgets those that are over. Four times a second.
  void tick(MonotonicTime now);

  std::size_t sessions() const;
  // Those that are ending included.
  std::size_t links() const;
  // Links that were ended because the server hung, or its process took too much memory.
  std::uint64_t hung() const { return hung_; }
  std::uint64_t too_large() const { return too_large_; }

 private:
  bool room() const;
  std::unexpected<Error> all_taken() const;
  std::shared_ptr<ServerLink> make_link(std::string name);
  Result<Channel> start(std::string name, BridgeChannel::Use use);
  Result<Channel> exclusive(const std::string& id);
  std::shared_ptr<MessageQueue> ask(BridgeChannel& channel, std::string_view request);
  Task<std::string> answer_of(Channel channel, std::shared_ptr<MessageQueue> queue,
                              MonotonicTime until);
  Task<bool> handshake(Channel channel, MonotonicTime until);
  std::string why_not_started(const BridgeChannel& probe) const;
  Task<Result<Channel>> shared_channel();
  void keep_or_end(const Channel& old_probe, const Channel& modern_probe);
  void broadcast(std::string_view text);
  void fill_pool(MonotonicTime now);
  void end_idle(MonotonicTime now);
  void look_at_memory(MonotonicTime now);
  void forget();

  Runtime& runtime_;
  ProcessTable processes_;         // of a stdio server
  std::vector<Channel> channels_;  // all that are not over
  std::map<std::string, Session, std::less<>> sessions_;
  std::vector<Channel> probes_;  // of the start check, until they are over
  Channel shared_;               // Shared: what all sessions use
  bool shared_starts_ = false;
  std::deque<Channel> spares_;  // Pooled: started, and nobody's
  MonotonicTime next_spare_;
  Channel worker_;  // of requests that stand alone
  Eras eras_;
  std::string handshake_answer_;  // of the server to our initialize
  std::uint64_t last_client_ = 0;
  MonotonicTime next_memory_look_;
  std::uint64_t hung_ = 0;
  std::uint64_t too_large_ = 0;
  bool start_checked_ = false;
};

}  // namespace mcpfleet::proxy
