#include "proxy/stdio_process.h"

#include <signal.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "base/time_text.h"
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

StdioProcess::StdioProcess(Runtime& runtime, ProcessTable& processes, std::string name)
    : ServerLink(runtime, std::move(name)),
      processes_(processes),
      input_(runtime.io),
      output_(runtime.io),
      errors_(runtime.io) {}

Result<void> StdioProcess::start() {
  const auto self = this->self();
  auto process =
      processes_.spawn(runtime().options.command, [self](int status) { self->on_exit(status); });
  if (!process) return fail(process.error());
  pid_ = process->pid;
  input_.assign(process->input);
  output_.assign(process->output);
  errors_.assign(process->errors);
  asio::co_spawn(runtime().io, read_output(self), asio::detached);
  asio::co_spawn(runtime().io, read_errors(self), asio::detached);
  asio::co_spawn(runtime().io, write_input(self), asio::detached);
  return {};
}

std::string StdioProcess::subject() const {
  return "the command \"" + runtime().options.command.front() + "\"";
}

std::string StdioProcess::start_failure(Duration timeout) const {
  auto text = subject() + " ";
  if (!exit_text_.empty()) {
    text += exit_text_ + " before it answered initialize";
  } else {
    text += "did not answer initialize within " + format_duration(timeout);
  }
  if (!first_garbage_.empty())
    text += "; it wrote to standard output what is no JSON-RPC message: " + first_garbage_;
  if (last_errors_.empty()) return text + "; it wrote nothing to standard error";
  text += "; its standard error ended with:";
  for (const auto& line : last_errors_) text += " | " + line;
  return text;
}

// --- to the process

Task<> StdioProcess::write_input(Self self) {
  error_code ec;
  while (!ec) {
    const auto message = co_await self->next();
    if (!message) break;
    const auto line = one_line(*message);
    co_await asio::async_write(self->input_, asio::buffer(line), caught(ec));
    self->sent(*message);
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
  if (pending.size() <= kMaxMessage) return true;
  end("the server wrote a line that is longer than " + std::to_string(kMaxMessage) + " bytes");
  return false;
}

void StdioProcess::on_line(std::string_view line) {
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
  if (line.empty()) return;
  if (deliver(line)) return;
  if (first_garbage_.empty()) first_garbage_ = line.substr(0, 200);
  log::warn("the server wrote something that is no JSON-RPC message to its standard output",
            {{"session", name()}, {"bytes", line.size()}});
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
  log::info("server: " + std::string(line), {{"session", name()}});
  last_errors_.emplace_back(line);
  if (last_errors_.size() > kKeptErrors) last_errors_.pop_front();
}

// --- the end

void StdioProcess::close() {
  error_code ignored;
  input_.close(ignored);
  if (exited_) return;
  terminate_at_ = runtime().now() + kUntilTerminate;
  kill_at_ = runtime().now() + kUntilKill;
}

void StdioProcess::kill(std::string_view reason) {
  end(reason);
  if (!exited_) terminate_at_ = kill_at_ = runtime().now();
}

void StdioProcess::on_exit(int wait_status) {
  exited_ = true;
  exited_at_ = runtime().now();
  terminate_at_ = kill_at_ = MonotonicTime::max();
  exit_text_ = describe_exit(wait_status);
  if (output_closed_) end("the server's process " + exit_text_);
}

void StdioProcess::on_output_closed() {
  output_closed_ = true;
  output_closed_at_ = runtime().now();
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
