#include "proxy/stdio_process.h"

#include <signal.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "log/log.h"

namespace mcpfleet::proxy {
namespace {

constexpr Duration kUntilTerminate = std::chrono::seconds(2);
constexpr Duration kUntilKill = std::chrono::seconds(5);
// A process that left the group may still hold the output open.
constexpr Duration kOutputGrace = std::chrono::seconds(1);
constexpr std::size_t kRead = 64 * 1024;
constexpr std::size_t kKeptErrors = 20;

// A message must be one line. A line end can only stand between two values: inside a string JSON
// does not allow it.
std::string one_line(std::string_view text) {
  std::string line(text);
  std::ranges::replace(line, '\n', ' ');
  std::ranges::replace(line, '\r', ' ');
  return line += '\n';
}

}  // namespace

StdioProcess::StdioProcess(Runtime& runtime, std::string name)
    : runtime_(runtime),
      name_(std::move(name)),
      input_(runtime.io),
      output_(runtime.io),
      errors_(runtime.io),
      input_filled_(runtime.io) {}

Result<void> StdioProcess::start(ProcessTable& processes, const std::vector<std::string>& command) {
  const auto self = shared_from_this();
  auto process = processes.spawn(command, [self](int status) { self->on_exit(status); });
  if (!process) return fail(process.error());
  pid_ = process->pid;
  input_.assign(process->input);
  output_.assign(process->output);
  errors_.assign(process->errors);
  asio::co_spawn(runtime_.io, read_output(self), asio::detached);
  asio::co_spawn(runtime_.io, read_errors(self), asio::detached);
  asio::co_spawn(runtime_.io, write_input(self), asio::detached);
  return {};
}

// --- to the process

void StdioProcess::write(std::string_view message) {
  if (ended_) return;
  unwritten_bytes_ += message.size() + 1;
  unwritten_.push_back(one_line(message));
  input_filled_.cancel();
}

Task<> StdioProcess::write_input(Self self) {
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

// --- from the process

Task<> StdioProcess::read_output(Self self) {
  std::string pending;
  std::vector<char> piece(kRead);
  for (;;) {
    error_code ec;
    const auto got = co_await self->output_.async_read_some(asio::buffer(piece), caught(ec));
    if (ec) break;
    pending.append(piece.data(), got);
    if (!self->take_lines(pending)) break;
    co_await self->wait_room();
  }
  self->on_output_closed();
}

// False: a line is too long.
bool StdioProcess::take_lines(std::string& pending) {
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

void StdioProcess::on_line(std::string_view line) {
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
  if (line.empty()) return;
  scanner_.reset();
  const bool understood = scanner_.feed(line) && scanner_.finish();
  if (!understood || scanner_.messages().empty()) {
    if (first_garbage_.empty()) first_garbage_ = line.substr(0, 200);
    log::warn("the server wrote something that is no JSON-RPC message to its standard output",
              {{"session", name_}, {"bytes", line.size()}});
    return;
  }
  for (const auto& message : scanner_.messages())
    on_message(message, line.substr(message.begin, message.end - message.begin));
}

Task<> StdioProcess::read_errors(Self self) {
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

void StdioProcess::on_error_line(std::string_view line) {
  while (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  log::info("server: " + std::string(line), {{"session", name_}});
  last_errors_.emplace_back(line);
  if (last_errors_.size() > kKeptErrors) last_errors_.pop_front();
}

// --- the end

void StdioProcess::end(std::string_view reason) {
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
  on_end();
}

void StdioProcess::kill(std::string_view reason) {
  end(reason);
  if (!exited_) terminate_at_ = kill_at_ = runtime_.now();
}

void StdioProcess::on_exit(int wait_status) {
  exited_ = true;
  exited_at_ = runtime_.now();
  terminate_at_ = kill_at_ = MonotonicTime::max();
  exit_text_ = describe_exit(wait_status);
  if (output_closed_) end("the server's process " + exit_text_);
}

void StdioProcess::on_output_closed() {
  output_closed_ = true;
  output_closed_at_ = runtime_.now();
  error_code ignored;
  output_.close(ignored);
  if (exited_) end("the server's process " + exit_text_);
}

void StdioProcess::tick(MonotonicTime now) {
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
}

}  // namespace mcpfleet::proxy
