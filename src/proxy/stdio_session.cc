#include "proxy/stdio_session.h"

#include <signal.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/write.hpp>
#include <set>

#include "log/log.h"
#include "mcp/json_rpc.h"

namespace mcpfleet::proxy {
namespace {

constexpr Duration kUntilTerminate = std::chrono::seconds(2);
constexpr Duration kUntilKill = std::chrono::seconds(5);
constexpr Duration kCancelGrace = std::chrono::seconds(5);
// A process that left the group may still hold the output open.
constexpr Duration kOutputGrace = std::chrono::seconds(1);
constexpr std::size_t kRead = 64 * 1024;
constexpr std::size_t kKeptErrors = 20;

// Logs show this much of an id: enough to tell sessions apart, no use for taking one over.
std::string short_id(std::string_view id) { return std::string(id.substr(0, 8)); }

// A message must be one line. A line end can only stand between two values: inside a string JSON
// does not allow it.
std::string one_line(std::string_view text) {
  std::string line(text);
  std::ranges::replace(line, '\n', ' ');
  std::ranges::replace(line, '\r', ' ');
  return line += '\n';
}

}  // namespace

StdioSession::StdioSession(Runtime& runtime, std::string id)
    : runtime_(runtime),
      id_(std::move(id)),
      input_(runtime.io),
      output_(runtime.io),
      errors_(runtime.io),
      input_filled_(runtime.io),
      last_use_(runtime.now()) {}

Result<std::shared_ptr<StdioSession>> StdioSession::start(Runtime& runtime, ProcessTable& processes,
                                                          const std::vector<std::string>& command,
                                                          std::string id) {
  auto session = std::make_shared<StdioSession>(runtime, std::move(id));
  auto process = processes.spawn(command, [session](int status) { session->on_exit(status); });
  if (!process) return fail(process.error());
  session->run(*process);
  return session;
}

void StdioSession::run(ChildProcess process) {
  pid_ = process.pid;
  input_.assign(process.input);
  output_.assign(process.output);
  errors_.assign(process.errors);
  const auto self = shared_from_this();
  asio::co_spawn(runtime_.io, read_output(self), asio::detached);
  asio::co_spawn(runtime_.io, read_errors(self), asio::detached);
  asio::co_spawn(runtime_.io, write_input(self), asio::detached);
}

// --- to the process

void StdioSession::enqueue(std::string line) {
  unwritten_bytes_ += line.size();
  unwritten_.push_back(std::move(line));
  input_filled_.cancel();
}

Task<> StdioSession::write_input(std::shared_ptr<StdioSession> self) {
  error_code ec;
  while (!self->ended_ && !ec) {
    if (self->unwritten_.empty()) {
      error_code ignored;
      self->input_filled_.expires_at(Timer::time_point::max());
      co_await self->input_filled_.async_wait(caught(ignored));
      continue;
    }
    const std::string line = std::move(self->unwritten_.front());
    self->unwritten_.pop_front();
    co_await asio::async_write(self->input_, asio::buffer(line), caught(ec));
    self->unwritten_bytes_ -= line.size();
  }
  error_code ignored;
  self->input_.close(ignored);
}

Result<void> StdioSession::submit(const std::vector<mcp::Message>& messages, std::string_view body,
                                  const std::shared_ptr<MessageQueue>& queue, bool counted) {
  using Kind = mcp::Message::Kind;
  if (ended_) return fail(ErrorKind::Unavailable, "the session has ended");
  if (unwritten_bytes_ + body.size() > kMaxUnread)
    return fail(ErrorKind::TooMany, "the server's process does not read its input");
  std::set<std::string_view> ids;
  for (const auto& message : messages)
    if (message.kind() == Kind::Request &&
        (waiting_.contains(message.id) || !ids.insert(message.id).second))
      return fail(ErrorKind::Conflict, "a request with the id " + message.id + " is in flight");
  last_use_ = runtime_.now();
  for (const auto& message : messages) {
    if (message.kind() == Kind::Request) {
      auto* const series = counted ? &runtime_.stats.series(message.method, message.name) : nullptr;
      waiting_.emplace(message.id, Waiting{queue, series, last_use_, message.progress_token,
                                           MonotonicTime::max()});
      if (counted) runtime_.stats.begin();
    }
    note_cancelled(message);
    enqueue(one_line(body.substr(message.begin, message.end - message.begin)));
  }
  return {};
}

// Servers often answer a cancelled request no more; its HTTP answer must end all the same.
void StdioSession::note_cancelled(const mcp::Message& message) {
  if (message.method != "notifications/cancelled") return;
  const auto found = waiting_.find(message.request_id);
  if (found != waiting_.end()) found->second.give_up = runtime_.now() + kCancelGrace;
}

void StdioSession::detach(const std::shared_ptr<MessageQueue>& queue) {
  queue->close();
  last_use_ = runtime_.now();
  for (auto& [id, waiting] : waiting_)
    if (waiting.queue == queue) waiting.queue = nullptr;
  if (stream_ == queue) stream_ = nullptr;
}

void StdioSession::set_stream(const std::shared_ptr<MessageQueue>& queue) {
  if (stream_) stream_->close();
  stream_ = queue;
  last_use_ = runtime_.now();
  for (auto& line : buffered_) queue->push({std::move(line), false});
  buffered_.clear();
  buffered_bytes_ = 0;
}

// --- from the process

Task<> StdioSession::read_output(std::shared_ptr<StdioSession> self) {
  std::string pending;
  std::vector<char> piece(kRead);
  for (;;) {
    error_code ec;
    const auto got = co_await self->output_.async_read_some(asio::buffer(piece), caught(ec));
    if (ec) break;
    pending.append(piece.data(), got);
    if (!self->take_lines(pending)) break;
    const auto queue = self->last_used_;
    if (queue) co_await queue->wait_room();
  }
  self->on_output_closed();
}

// False: a line is too long.
bool StdioSession::take_lines(std::string& pending) {
  std::size_t begin = 0;
  for (auto end = pending.find('\n'); end != std::string::npos; end = pending.find('\n', begin)) {
    on_line(std::string_view(pending).substr(begin, end - begin));
    begin = end + 1;
  }
  pending.erase(0, begin);
  if (pending.size() <= kMaxLine) return true;
  end("the server wrote a line that is longer than " + std::to_string(kMaxLine) + " bytes");
  return false;
}

void StdioSession::on_line(std::string_view line) {
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
  if (line.empty()) return;
  scanner_.reset();
  const bool understood = scanner_.feed(line) && scanner_.finish();
  if (!understood || scanner_.messages().empty()) {
    if (first_garbage_.empty()) first_garbage_ = line.substr(0, 200);
    log::warn("the server wrote something that is no JSON-RPC message to its standard output",
              {{"session", short_id(id_)}, {"bytes", line.size()}});
    return;
  }
  for (const auto& message : scanner_.messages())
    route(message, line.substr(message.begin, message.end - message.begin));
}

void StdioSession::route(const mcp::Message& message, std::string_view line) {
  if (message.kind() == mcp::Message::Kind::Response) {
    const auto found = waiting_.find(message.id);
    if (found != waiting_.end())
      answer(found, std::string(line), message.has_error || message.is_error);
    return;  // an answer that nobody waits for: cancelled, or not asked for
  }
  const auto queue = queue_for(message);
  if (!queue) {
    buffer(line);
    return;
  }
  queue->push({std::string(line), false});
  last_used_ = queue;
}

// Progress belongs to its request. Other messages belong to the only request that waits, if it is
// so, else to the stream of the client's GET, else to any request.
std::shared_ptr<MessageQueue> StdioSession::queue_for(const mcp::Message& message) const {
  const auto usable = [](const auto& entry) {
    const auto& queue = entry.second.queue;
    return queue && !queue->closed() && queue->takes_events();
  };
  if (!message.progress_token.empty()) {
    for (const auto& entry : waiting_)
      if (usable(entry) && entry.second.progress_token == message.progress_token)
        return entry.second.queue;
  }
  const bool streaming = stream_ && !stream_->closed();
  if (streaming && waiting_.size() != 1) return stream_;
  const auto found = std::ranges::find_if(waiting_, usable);
  if (found != waiting_.end()) return found->second.queue;
  return streaming ? stream_ : nullptr;
}

void StdioSession::buffer(std::string_view line) {
  buffered_.emplace_back(line);
  buffered_bytes_ += line.size();
  while (buffered_.size() > kMaxBuffered || buffered_bytes_ > kMaxBufferedBytes) {
    buffered_bytes_ -= buffered_.front().size();
    buffered_.pop_front();
    log::warn("a message of the server was dropped: its client has no stream open",
              {{"session", short_id(id_)}});
  }
}

void StdioSession::answer(std::map<std::string, Waiting>::iterator waiting, std::string text,
                          bool failed) {
  const auto now = runtime_.now();
  auto& entry = waiting->second;
  if (entry.series != nullptr) runtime_.stats.end(*entry.series, entry.start, now, failed);
  if (entry.queue) {
    entry.queue->push({std::move(text), true});
    last_used_ = entry.queue;
  }
  waiting_.erase(waiting);
  last_use_ = now;
}

void StdioSession::fail_waiting(std::string_view reason) {
  while (!waiting_.empty()) {
    const auto first = waiting_.begin();
    answer(first, mcp::error_text(first->first, mcp::ErrorCode::ServerError, reason), true);
  }
}

Task<> StdioSession::read_errors(std::shared_ptr<StdioSession> self) {
  std::string pending;
  std::vector<char> piece(kMaxLogLine);
  error_code ec;
  while (!ec) {
    const auto got = co_await self->errors_.async_read_some(asio::buffer(piece), caught(ec));
    pending.append(piece.data(), got);
    std::size_t end = 0;
    while ((end = pending.find('\n')) != std::string::npos || pending.size() > kMaxLogLine) {
      const auto size = std::min(end, kMaxLogLine);
      self->on_error_line(std::string_view(pending).substr(0, size));
      pending.erase(0, size + (size == end ? 1 : 0));
    }
  }
  if (!pending.empty()) self->on_error_line(pending);
}

void StdioSession::on_error_line(std::string_view line) {
  while (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  log::info("server: " + std::string(line), {{"session", short_id(id_)}});
  last_errors_.emplace_back(line);
  if (last_errors_.size() > kKeptErrors) last_errors_.pop_front();
}

// --- the end

void StdioSession::end(std::string_view reason) {
  if (ended_) return;
  ended_ = true;
  end_reason_ = reason;
  input_filled_.cancel();
  error_code ignored;
  input_.close(ignored);
  if (!exited_) {
    terminate_at_ = runtime_.now() + kUntilTerminate;
    kill_at_ = runtime_.now() + kUntilKill;
  }
  fail_waiting(reason);
  if (stream_) stream_->close();
}

void StdioSession::on_exit(int wait_status) {
  exited_ = true;
  exited_at_ = runtime_.now();
  terminate_at_ = kill_at_ = MonotonicTime::max();
  exit_text_ = describe_exit(wait_status);
  if (output_closed_) end("the server's process " + exit_text_);
}

void StdioSession::on_output_closed() {
  output_closed_ = true;
  output_closed_at_ = runtime_.now();
  error_code ignored;
  output_.close(ignored);
  if (exited_) end("the server's process " + exit_text_);
}

void StdioSession::tick(MonotonicTime now) {
  if (now >= terminate_at_) {
    terminate_at_ = MonotonicTime::max();
    ::kill(-pid_, SIGTERM);
  }
  if (now >= kill_at_) {
    kill_at_ = MonotonicTime::max();
    ::kill(-pid_, SIGKILL);
  }
  if (exited_ && !output_closed_ && now - exited_at_ >= kOutputGrace) {
    error_code ignored;
    output_.close(ignored);
    errors_.close(ignored);
  }
  // Closed output and still running: nothing can be asked of this process any more.
  if (!exited_ && output_closed_ && now - output_closed_at_ >= kOutputGrace)
    end("the server's process closed its output");
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    const auto current = at++;
    if (now >= current->second.give_up)
      answer(current,
             mcp::error_text(current->first, mcp::ErrorCode::ServerError,
                             "the client cancelled this request"),
             false);
  }
}

Duration StdioSession::idle_for(MonotonicTime now) const {
  const bool read = std::ranges::any_of(
      waiting_, [](const auto& entry) { return entry.second.queue != nullptr; });
  if (read || (stream_ && !stream_->closed())) return Duration::zero();
  return now - last_use_;
}

}  // namespace mcpfleet::proxy
