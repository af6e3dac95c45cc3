#include "proxy/stdio_service.h"

#include <openssl/rand.h>

#include <algorithm>
#include <array>

#include "log/log.h"

namespace mcpfleet::proxy {
namespace {

constexpr std::string_view kProbe = "probe";  // the id of the start check's session

constexpr std::string_view kHandshake =
    R"({"jsonrpc":"2.0","id":"mcpfleet-start-check","method":"initialize","params":{)"
    R"("protocolVersion":"2025-06-18","capabilities":{},)"
    R"("clientInfo":{"name":"mcpfleet-start-check","version":"1"}}})";

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

std::string with_last_errors(std::string text, const StdioSession& session) {
  const auto& lines = session.last_errors();
  if (lines.empty()) return text + "; it wrote nothing to standard error";
  text += "; its standard error ended with:";
  for (const auto& line : lines) text += " | " + line;
  return text;
}

// Why the handshake got no good answer.
std::string explain(const StdioSession& session, const std::string& command, Duration timeout) {
  std::string text = "the command \"" + command + "\" ";
  if (!session.exit_text().empty()) {
    text += session.exit_text() + " before it answered initialize";
  } else {
    text += "did not answer initialize within " +
            std::to_string(std::chrono::duration_cast<std::chrono::seconds>(timeout).count()) +
            " s";
  }
  if (!session.first_garbage().empty())
    text += "; it wrote to standard output what is no JSON-RPC message: " + session.first_garbage();
  return with_last_errors(std::move(text), session);
}

}  // namespace

Task<Result<void>> StdioService::check_start() {
  const auto& options = runtime_.options;
  auto session = StdioSession::start(runtime_, processes_, options.command, std::string(kProbe));
  if (!session) co_return fail(session.error());
  auto& probe = **session;
  sessions_.emplace(probe.id(), *session);
  const auto queue = std::make_shared<MessageQueue>(runtime_.io, false);
  mcp::MessageScanner handshake;
  handshake.feed(kHandshake);
  const auto submitted = probe.submit(handshake.messages(), kHandshake, queue, false);
  if (!submitted) co_return fail(submitted.error());
  const auto until = runtime_.now() + options.start_timeout;
  Timer timer(runtime_.io);
  while (!probe.ended() && !queue->filled() && runtime_.now() < until) {
    timer.expires_after(std::chrono::milliseconds(50));
    error_code ignored;
    co_await timer.async_wait(caught(ignored));
  }
  const auto item = queue->pop();
  mcp::MessageScanner answer;
  const bool good =
      item && answer.feed(item->text) && answer.complete() && answer.messages().front().has_result;
  if (!good) {
    std::string text = probe.exit_text().empty() && item && !probe.ended()
                           ? "the command \"" + options.command.front() +
                                 "\" refused initialize: " + item->text.substr(0, 500)
                           : explain(probe, options.command.front(), options.start_timeout);
    probe.end("the start check failed");
    co_return fail(ErrorKind::Unavailable, std::move(text));
  }
  probe.end("the start check is over");
  start_checked_ = true;
  co_return Result<void>();
}

Result<std::shared_ptr<StdioSession>> StdioService::create() {
  // The start check's process takes no client's place while it ends.
  const auto probe = sessions_.find(kProbe);
  const std::size_t own = probe != sessions_.end() && probe->second->exit_text().empty() ? 1 : 0;
  if (processes_.size() - own >= runtime_.options.max_processes)
    return fail(ErrorKind::TooMany, "all " + std::to_string(runtime_.options.max_processes) +
                                        " processes of this pod are taken; try again later");
  auto id = random_id();
  if (!id) return fail(id.error());
  auto session = StdioSession::start(runtime_, processes_, runtime_.options.command, *id);
  if (session) sessions_.emplace(*id, *session);
  return session;
}

std::shared_ptr<StdioSession> StdioService::find(std::string_view id) const {
  const auto found = sessions_.find(id);
  if (found == sessions_.end() || found->second->ended() || found->first == kProbe) return nullptr;
  return found->second;
}

void StdioService::end_all(std::string_view reason) {
  for (const auto& [id, session] : sessions_) session->end(reason);
}

void StdioService::kill_all() {
  processes_.kill_all();
  sessions_.clear();
}

void StdioService::tick(MonotonicTime now) {
  processes_.reap();
  for (const auto& [id, session] : sessions_) {
    session->tick(now);
    if (!session->ended() && session->idle_for(now) >= runtime_.options.idle_timeout) {
      log::info("a session ended: it was idle for too long", {{"session", id.substr(0, 8)}});
      session->end("the session was idle for too long");
    }
  }
  std::erase_if(sessions_, [](const auto& entry) { return entry.second->over(); });
}

std::size_t StdioService::sessions() const {
  return static_cast<std::size_t>(std::ranges::count_if(sessions_, [](const auto& entry) {
    return !entry.second->ended() && entry.first != kProbe;
  }));
}

}  // namespace mcpfleet::proxy
