#include "proxy/bridge_channel.h"

#include <algorithm>
#include <set>

#include "log/log.h"
#include "mcp/json_rpc.h"
#include "mcp/methods.h"
#include "proxy/bridge_session.h"

namespace mcpfleet::proxy {
namespace {

using Kind = mcp::Message::Kind;

constexpr Duration kCancelGrace = std::chrono::seconds(5);
// What a client that does not read may cost where others cannot be made to wait for it.
constexpr std::size_t kMaxUnsent = 32 * 1024 * 1024;

// Every server answers one of the two, be it by an error.
constexpr std::string_view kPing = R"({"jsonrpc":"2.0","id":"mcpfleet-ping","method":"ping"})";
constexpr std::string_view kDiscover =
    R"({"jsonrpc":"2.0","id":"mcpfleet-ping","method":"server/discover","params":{"_meta":{)"
    R"("io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
    R"("io.modelcontextprotocol/clientCapabilities":{}}}})";

}  // namespace

BridgeChannel::BridgeChannel(Runtime& runtime, std::shared_ptr<ServerLink> link, Use use,
                             Broadcast broadcast)
    : runtime_(runtime),
      link_(std::move(link)),
      use_(use),
      broadcast_(std::move(broadcast)),
      last_use_(runtime.now()),
      last_sign_(runtime.now()) {}

Result<std::shared_ptr<BridgeChannel>> BridgeChannel::start(Runtime& runtime,
                                                            std::shared_ptr<ServerLink> link,
                                                            Use use, Broadcast broadcast) {
  std::shared_ptr<BridgeChannel> channel(
      new BridgeChannel(runtime, std::move(link), use, std::move(broadcast)));
  channel->link_->set_reader(channel);
  if (auto started = channel->link_->start(); !started) return fail(started.error());
  return channel;
}

// --- to the server

Result<void> BridgeChannel::submit(Client client, const std::vector<mcp::Message>& messages,
                                   std::string_view body,
                                   const std::shared_ptr<MessageQueue>& queue, bool counted) {
  if (!accepts()) return fail(ErrorKind::Unavailable, "the session has ended");
  if (!link_->takes(body.size()))
    return fail(ErrorKind::TooMany, "the server does not read what it is sent");
  std::set<std::string_view> ids;
  for (const auto& message : messages)
    if (message.kind() == Kind::Request &&
        (calls_.find(client, message.id) != 0 || !ids.insert(message.id).second))
      return fail(ErrorKind::Conflict, "a request with the id " + message.id + " is in flight");
  last_use_ = runtime_.now();
  for (const auto& message : messages) {
    const auto text = body.substr(message.begin, message.end - message.begin);
    if (message.kind() == Kind::Request) {
      send_request(client, message, text, queue, counted);
    } else {
      send_other(client, message, text);
    }
  }
  return {};
}

void BridgeChannel::send_request(Client client, const mcp::Message& message, std::string_view text,
                                 const std::shared_ptr<MessageQueue>& queue, bool counted) {
  // Silence counts from the first request that waits.
  if (waiting_.empty()) last_sign_ = last_use_;
  const auto sent = calls_.begin(client, message, text);
  const bool counts = counted && !mcp::is_subscription(message.method);
  auto* const series = counts ? &runtime_.stats.series(message.method, message.name) : nullptr;
  waiting_.emplace(
      sent.call, Waiting{message.id, queue, series, last_use_, mcp::may_be_refused(message.method),
                         !counts && counted, MonotonicTime::max()});
  if (counts) runtime_.stats.begin();
  link_->write(sent.text);
}

void BridgeChannel::send_other(Client client, const mcp::Message& message, std::string_view text) {
  if (message.method == "notifications/cancelled") {
    const auto mapped = calls_.cancelled(client, message, text);
    if (!mapped) return;
    // Servers often answer a cancelled request no more; its HTTP answer must end all the same.
    waiting_.at(calls_.find(client, message.request_id)).give_up = last_use_ + kCancelGrace;
    link_->write(*mapped);
    return;
  }
  // A server that many share was promised no client's answers, and knows of one handshake only.
  const bool ours = message.kind() == Kind::Response ||
                    message.method == "notifications/initialized" ||
                    message.method == "notifications/roots/list_changed";
  if (use_ == Use::Session || !ours) link_->write(text);
}

void BridgeChannel::detach(const std::shared_ptr<MessageQueue>& queue, bool cancel) {
  queue->close();
  last_use_ = runtime_.now();
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    const auto current = at++;
    if (current->second.queue != queue) continue;
    current->second.queue = nullptr;
    if (!cancel) continue;
    link_->write(mcp::Multiplexer::cancel(current->first));
    answer(current, {}, false);  // whatever the server says of it now, it is over
  }
}

// --- from the server

void BridgeChannel::on_message(const mcp::Message& message, std::string_view text) {
  last_sign_ = runtime_.now();
  ping_sent_ = MonotonicTime::max();
  if (message.kind() == Kind::Request && use_ != Use::Session) {
    // Whom it means cannot be known, and it was told that nobody here can be asked anything.
    link_->write(mcp::error_text(message.id, mcp::ErrorCode::MethodNotFound,
                                 "no client can be asked: this server's channel serves many"));
    return;
  }
  auto routed = calls_.incoming(message, text);
  const auto found = waiting_.find(routed.call);
  if (message.kind() == Kind::Response) {
    // Else nobody waits: it was cancelled, or not asked for, or is the answer to a ping.
    if (found != waiting_.end())
      answer(found, std::move(routed.text),
             (message.has_error || message.is_error) && !found->second.may_be_refused);
    return;
  }
  if (found == waiting_.end()) {
    deliver(message, text);
    return;
  }
  const auto queue = found->second.queue;
  if (message.method == "notifications/cancelled") {
    // The end of a subscription, without an answer.
    calls_.end(found->first);
    waiting_.erase(found);
    if (queue) queue->close();
  } else if (queue && queue->takes_events()) {
    push(queue, std::move(routed.text), false);
  }
}

// A message that does not say whose it is.
void BridgeChannel::deliver(const mcp::Message& message, std::string_view text) {
  if (use_ == Use::Session) {
    deliver_to_session(text);
    return;
  }
  if (message.method == "notifications/message" || message.method == "notifications/progress") {
    // Of many it may be anybody's, and may say what only its own client may know.
    const auto& only = waiting_.begin();
    if (waiting_.size() == 1 && only->second.queue && only->second.queue->open() &&
        only->second.queue->takes_events())
      push(only->second.queue, std::string(text), false);
    return;
  }
  if (broadcast_) broadcast_(text);
}

// It belongs to the only request that waits, if it is so, else to the stream of the client's GET,
// else to any request.
void BridgeChannel::deliver_to_session(std::string_view text) {
  const auto session = session_.lock();
  if (!session) return;
  const auto stream = session->stream();
  const auto found = std::ranges::find_if(waiting_, [](const auto& entry) {
    const auto& queue = entry.second.queue;
    return queue && queue->open() && queue->takes_events();
  });
  if (found == waiting_.end() || (stream && waiting_.size() != 1)) {
    session->deliver(text);
    last_used_ = stream;
  } else {
    push(found->second.queue, std::string(text), false);
  }
}

void BridgeChannel::push(const std::shared_ptr<MessageQueue>& queue, std::string text,
                         bool answer) {
  last_used_ = queue;
  if (use_ != Use::Session && queue->bytes() > kMaxUnsent) {
    log::warn("a client does not read its answer and is left", {{"session", name()}});
    queue->close();
    return;
  }
  queue->push({std::move(text), answer});
}

Task<> BridgeChannel::wait_room() {
  // Where there are others, one slow client must not hold them back; push() has the bound.
  const auto queue = use_ == Use::Session ? last_used_ : nullptr;
  if (queue) co_await queue->wait_room();
}

void BridgeChannel::answer(std::map<Call, Waiting>::iterator waiting, std::string text,
                           bool failed) {
  const auto now = runtime_.now();
  auto& entry = waiting->second;
  if (entry.series != nullptr) runtime_.stats.end(*entry.series, entry.start, now, failed);
  if (entry.queue) push(entry.queue, std::move(text), true);
  calls_.end(waiting->first);
  waiting_.erase(waiting);
  last_use_ = now;
}

// --- its end

void BridgeChannel::on_end() {
  while (!waiting_.empty()) {
    const auto first = waiting_.begin();
    answer(first, last_word(first->second), true);
  }
  const auto session = session_.lock();
  const auto stream = session ? session->stream() : nullptr;
  if (stream) stream->close();
}

// A subscription that we end has ended well; one that broke has not.
std::string BridgeChannel::last_word(const Waiting& waiting) const {
  if (!waiting.subscription || link_->broke())
    return mcp::error_text(waiting.id, mcp::ErrorCode::ServerError, link_->end_reason());
  return mcp::subscription_end_text(waiting.id);
}

void BridgeChannel::retire(std::string_view reason, MonotonicTime until) {
  if (!accepts()) return;
  retire_reason_ = reason;
  retire_until_ = until;
}

Duration BridgeChannel::idle_for(MonotonicTime now) const {
  return waiting_.empty() ? now - last_use_ : Duration::zero();
}

void BridgeChannel::tick(MonotonicTime now) {
  link_->tick(now);
  give_up(now);
  if (!ended()) look_for_life(now);
  if (!retire_reason_.empty() && (waiting_.empty() || now >= retire_until_)) end(retire_reason_);
}

void BridgeChannel::give_up(MonotonicTime now) {
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    const auto current = at++;
    if (now >= current->second.give_up)
      answer(current,
             mcp::error_text(current->second.id, mcp::ErrorCode::ServerError,
                             "the client cancelled this request"),
             false);
  }
}

// A server that owes an answer and is silent is asked for a sign of life. A request that takes
// long is none of this: servers answer a ping meanwhile, and those that cannot have the whole time.
void BridgeChannel::look_for_life(MonotonicTime now) {
  const auto patience = runtime_.options.hang_timeout;
  if (patience == Duration::zero() || waiting_.empty()) return;
  if (ping_sent_ == MonotonicTime::max()) {
    if (now - last_sign_ < patience / 2) return;
    ping_sent_ = now;
    link_->write(use_ == Use::Modern ? kDiscover : kPing);
  } else if (now - ping_sent_ >= patience / 2) {
    hung_ = true;
    log::warn("the server does not answer and what leads to it is ended",
              {{"session", name()}, {"waiting", waiting_.size()}});
    link_->kill("the server did not answer for too long");
  }
}

}  // namespace mcpfleet::proxy
