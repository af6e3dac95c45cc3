#include "proxy/bridge_service.h"

#include <openssl/rand.h>

#include <algorithm>
#include <array>

#include "log/log.h"
#include "mcp/text_edit.h"
#include "proxy/group_memory.h"
#include "proxy/sse_link.h"
#include "proxy/stdio_process.h"

namespace mcpfleet::proxy {
namespace {

using Use = BridgeChannel::Use;

constexpr Duration kDiscoverPatience = std::chrono::seconds(3);
constexpr Duration kSpareRetry = std::chrono::seconds(5);
constexpr Duration kMemoryInterval = std::chrono::seconds(5);
constexpr Duration kRetireTime = std::chrono::seconds(30);

constexpr std::string_view kDiscover =
    R"({"jsonrpc":"2.0","id":"mcpfleet-discover","method":"server/discover","params":{"_meta":{)"
    R"("io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
    R"("io.modelcontextprotocol/clientInfo":{"name":"mcpfleet-start-check","version":"1"},)"
    R"("io.modelcontextprotocol/clientCapabilities":{}}}})";
constexpr std::string_view kInitialize =
    R"({"jsonrpc":"2.0","id":"mcpfleet-start-check","method":"initialize","params":{)"
    R"("protocolVersion":"2025-11-25","capabilities":{},)"
    R"("clientInfo":{"name":"mcpfleet-start-check","version":"1"}}})";
constexpr std::string_view kInitialized =
    R"({"jsonrpc":"2.0","method":"notifications/initialized"})";

// 128 random bits in hex: nobody guesses it, though it is sealed on its way out anyway.
Result<std::string> random_id() {
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
    return fail(ErrorKind::Internal, "there is no randomness for a session id");
  std::string id;
  for (const auto byte : bytes) {
    id += "0123456789abcdef"[byte >> 4];
    id += "0123456789abcdef"[byte & 15];
  }
  return id;
}

bool has_result(std::string_view answer) {
  mcp::MessageScanner scanner;
  return scanner.feed(answer) && scanner.complete() && scanner.messages().front().has_result;
}

}  // namespace

// --- the start check

// Sends one request of ours; null: it could not be sent.
std::shared_ptr<MessageQueue> BridgeService::ask(BridgeChannel& channel, std::string_view request) {
  auto queue = std::make_shared<MessageQueue>(runtime_.io, false, 1);
  mcp::MessageScanner scanner;
  scanner.feed(request);
  const bool sent = channel.submit(0, scanner.messages(), request, queue, false).has_value();
  return sent ? queue : nullptr;
}

// The answer to it; empty: none came, or the process ended.
Task<std::string> BridgeService::answer_of(Channel channel, std::shared_ptr<MessageQueue> queue,
                                           MonotonicTime until) {
  std::string answer;
  if (!queue) co_return answer;
  Timer timer(runtime_.io);
  while (!channel->ended() && !queue->filled() && runtime_.now() < until) {
    timer.expires_after(std::chrono::milliseconds(20));
    error_code ignored;
    co_await timer.async_wait(caught(ignored));
  }
  auto item = queue->pop();
  // The end of a link is an answer too, but not the server's.
  if (item && !channel->ended()) answer = std::move(item->text);
  channel->detach(queue, false);
  co_return answer;
}

// initialize and what follows it. False: it was refused, or there was no answer.
Task<bool> BridgeService::handshake(Channel channel, MonotonicTime until) {
  auto queue = ask(*channel, kInitialize);
  auto answer = co_await answer_of(channel, std::move(queue), until);
  if (answer.empty()) co_return false;
  handshake_answer_ = std::move(answer);
  const bool good = has_result(handshake_answer_);
  if (good) channel->link().write(kInitialized);
  co_return good;
}

// Two links, for what a server is asked first decides what it speaks, and some end when that is
// not initialize.
Task<Result<void>> BridgeService::check_start() {
  handshake_answer_.clear();
  auto old_probe = start("probe", Use::Shared);
  if (!old_probe) co_return fail(old_probe.error());
  auto modern_probe = start("stateless-probe", Use::Modern);
  if (!modern_probe) co_return fail(modern_probe.error());
  probes_ = {*old_probe, *modern_probe};
  const auto until = runtime_.now() + runtime_.options.start_timeout;
  auto discovered = ask(**modern_probe, kDiscover);
  eras_.handshake = co_await handshake(*old_probe, until);
  // A server that leaves unknown requests unanswered must not wait for the whole time.
  const auto patience = std::min(until, runtime_.now() + kDiscoverPatience);
  const auto found = co_await answer_of(*modern_probe, std::move(discovered), patience);
  eras_.modern = has_result(found);
  keep_or_end(*old_probe, *modern_probe);
  if (!eras_.handshake && !eras_.modern)
    co_return fail(ErrorKind::Unavailable, why_not_started(**old_probe));
  start_checked_ = true;
  log::info("the server can be used",
            {{"handshake", eras_.handshake}, {"stateless", eras_.modern}});
  co_return Result<void>();
}

std::string BridgeService::why_not_started(const BridgeChannel& probe) const {
  const auto& link = probe.link();
  if (handshake_answer_.empty()) return link.start_failure(runtime_.options.start_timeout);
  return link.subject() + " refused initialize: " + handshake_answer_.substr(0, 500);
}

void BridgeService::keep_or_end(const Channel& old_probe, const Channel& modern_probe) {
  if (eras_.handshake && runtime_.options.bridge_mode == BridgeMode::Shared) {
    shared_ = old_probe;
  } else {
    old_probe->end("the start check is over");
  }
  if (eras_.modern) {
    worker_ = modern_probe;
  } else {
    modern_probe->end("the start check is over");
  }
}

// --- links

// The start check's links take no client's place while they end.
bool BridgeService::room() const {
  const auto ending = std::ranges::count_if(
      probes_, [](const Channel& one) { return one->ended() && !one->over(); });
  return links() - static_cast<std::size_t>(ending) < runtime_.options.max_links;
}

std::size_t BridgeService::links() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(channels_, [](const Channel& one) { return !one->over(); }));
}

std::unexpected<Error> BridgeService::all_taken() const {
  const auto& options = runtime_.options;
  const char* what = options.command.empty() ? " connections to the server are taken"
                                             : " processes of this pod are taken";
  return fail(ErrorKind::TooMany,
              "all " + std::to_string(options.max_links) + what + "; try again later");
}

std::shared_ptr<ServerLink> BridgeService::make_link(std::string name) {
  if (runtime_.options.command.empty()) return std::make_shared<SseLink>(runtime_, std::move(name));
  return std::make_shared<StdioProcess>(runtime_, processes_, std::move(name));
}

Result<BridgeService::Channel> BridgeService::start(std::string name, Use use) {
  BridgeChannel::Broadcast broadcast;
  if (use == Use::Shared) broadcast = [this](std::string_view text) { this->broadcast(text); };
  auto channel =
      BridgeChannel::start(runtime_, make_link(std::move(name)), use, std::move(broadcast));
  if (channel) channels_.push_back(*channel);
  return channel;
}

// A link for one session: one that waits, else a new one.
Result<BridgeService::Channel> BridgeService::exclusive(const std::string& id) {
  while (!spares_.empty()) {
    const auto spare = std::move(spares_.front());
    spares_.pop_front();
    if (spare->accepts()) return spare;
  }
  if (!room()) return all_taken();
  return start(short_id(id), Use::Session);
}

// One link for all of them: it takes many at once, and what the server keeps of it is there
// for each.
Result<BridgeService::Channel> BridgeService::modern_channel() {
  if (worker_ && worker_->accepts()) return worker_;
  if (!room()) return all_taken();
  auto started = start("stateless-" + std::to_string(new_client()), Use::Modern);
  if (started) worker_ = *started;
  return started;
}

Task<Result<BridgeService::Channel>> BridgeService::shared_channel() {
  const auto until = runtime_.now() + runtime_.options.start_timeout;
  Timer timer(runtime_.io);
  while (shared_starts_ && runtime_.now() < until) {
    timer.expires_after(std::chrono::milliseconds(20));
    error_code ignored;
    co_await timer.async_wait(caught(ignored));
  }
  if (shared_ && shared_->accepts()) co_return shared_;
  if (shared_starts_ || !room()) co_return all_taken();
  auto started = start("shared-" + std::to_string(new_client()), Use::Shared);
  if (!started) co_return fail(started.error());
  shared_starts_ = true;
  const bool good = co_await handshake(*started, until);
  shared_starts_ = false;
  if (!good) {
    (*started)->end("the handshake failed");
    co_return fail(ErrorKind::Unavailable, (*started)->ended() ? (*started)->link().end_reason()
                                                               : "the server does not begin");
  }
  shared_ = *started;
  co_return shared_;
}

void BridgeService::fill_pool(MonotonicTime now) {
  if (runtime_.options.bridge_mode != BridgeMode::Pooled || !start_checked_ || !eras_.handshake ||
      now < next_spare_)
    return;
  // A server that ends by itself before anybody came must not be started without end.
  const auto dead = std::erase_if(spares_, [](const Channel& one) { return !one->accepts(); });
  if (dead > 0) {
    next_spare_ = now + kSpareRetry;
    return;
  }
  while (spares_.size() < runtime_.options.pool_size && room()) {
    auto started = start("spare-" + std::to_string(new_client()), Use::Session);
    if (!started) {
      log::warn("no process could be started beforehand", {{"reason", started.error().message}});
      next_spare_ = now + kSpareRetry;
      return;
    }
    spares_.push_back(*started);
  }
}

// --- sessions

Result<BridgeService::Session> BridgeService::create() {
  auto id = random_id();
  if (!id) return fail(id.error());
  Channel channel;
  if (runtime_.options.bridge_mode == BridgeMode::Shared) {
    if (sessions_.size() >= kMaxSharedSessions)
      return fail(ErrorKind::TooMany, "this pod has too many sessions; try again later");
  } else {
    auto own = exclusive(*id);
    if (!own) return fail(own.error());
    channel = *own;
  }
  auto session = std::make_shared<BridgeSession>(*id, new_client(), channel, runtime_.now());
  if (channel) channel->give_to(session);
  sessions_.emplace(*id, session);
  return session;
}

BridgeService::Session BridgeService::find(std::string_view id) const {
  const auto found = sessions_.find(id);
  return found == sessions_.end() || found->second->ended() ? nullptr : found->second;
}

Task<Result<BridgeService::Channel>> BridgeService::channel_of(const Session& session) {
  if (session->channel()) co_return session->channel();
  co_return co_await shared_channel();
}

std::string BridgeService::shared_handshake(std::string_view id) const {
  mcp::MessageScanner scanner;
  scanner.feed(handshake_answer_);
  return mcp::edited(handshake_answer_, 0, {{scanner.messages().front().id_at, id}});
}

void BridgeService::broadcast(std::string_view text) {
  for (const auto& [id, session] : sessions_)
    if (!session->ended()) session->deliver(text);
}

// --- the end of things

void BridgeService::end_all(std::string_view reason) {
  for (const auto& [id, session] : sessions_) session->end(reason);
  for (const auto& channel : channels_) channel->end(reason);
}

void BridgeService::kill_all() {
  processes_.kill_all();
  sessions_.clear();
  probes_.clear();
  spares_.clear();
  worker_.reset();
  shared_.reset();
  channels_.clear();
}

void BridgeService::tick(MonotonicTime now) {
  processes_.reap();
  // A channel's end may make its clients ask for another.
  const auto channels = channels_;
  for (const auto& channel : channels) {
    const bool hung = channel->hung();
    channel->tick(now);
    if (channel->hung() && !hung) ++hung_;
  }
  end_idle(now);
  look_at_memory(now);
  forget();
  fill_pool(now);
}

void BridgeService::end_idle(MonotonicTime now) {
  const auto timeout = runtime_.options.idle_timeout;
  for (const auto& [id, session] : sessions_) {
    session->forget_streams(now);
    if (session->ended() || session->idle_for(now) < timeout) continue;
    log::info("a session ended: it was idle for too long", {{"session", short_id(id)}});
    session->end("the session was idle for too long");
  }
  if (worker_ && worker_->accepts() && worker_->idle_for(now) >= timeout)
    worker_->end("nobody used this link to the server for too long");
}

void BridgeService::look_at_memory(MonotonicTime now) {
  const auto limit = runtime_.options.max_process_memory;
  if (limit == 0 || now < next_memory_look_) return;
  next_memory_look_ = now + kMemoryInterval;
  const auto used = memory_of_groups();
  for (const auto& channel : channels_) {
    const auto found = used.find(channel->link().group());
    if (found == used.end() || found->second <= limit || !channel->accepts()) continue;
    ++too_large_;
    log::warn("a process of the server takes too much memory and is replaced",
              {{"session", channel->name()}, {"bytes", found->second}, {"limit", limit}});
    channel->retire("the server's process took too much memory", now + kRetireTime);
  }
}

void BridgeService::forget() {
  std::erase_if(channels_, [](const Channel& one) { return one->over(); });
  std::erase_if(sessions_, [](const auto& entry) { return entry.second->ended(); });
  std::erase_if(probes_, [](const Channel& one) { return one->over(); });
  if (shared_ && shared_->over()) shared_.reset();
  if (worker_ && worker_->over()) worker_.reset();
}

std::size_t BridgeService::sessions() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(sessions_, [](const auto& entry) { return !entry.second->ended(); }));
}

}  // namespace mcpfleet::proxy
