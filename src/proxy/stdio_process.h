// One process of a stdio server: its pipes, its lines, and its end.
//
// Thread safety: none; it belongs to the proxy's one thread.
#pragma once

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "mcp/message_scanner.h"
#include "proxy/process_table.h"
#include "proxy/runtime.h"

namespace mcpfleet::proxy {

// Logs show this much of an id: enough to tell sessions apart, no use for taking one over.
inline std::string short_id(std::string_view id) { return std::string(id.substr(0, 8)); }

class StdioProcess : public std::enable_shared_from_this<StdioProcess> {
 public:
  static constexpr std::size_t kMaxLine = 64 * 1024 * 1024;    // one message of the server
  static constexpr std::size_t kMaxUnread = 32 * 1024 * 1024;  // input that it does not read
  static constexpr std::size_t kMaxLogLine = 4 * 1024;         // of its standard error

  virtual ~StdioProcess() = default;
  StdioProcess(const StdioProcess&) = delete;
  StdioProcess& operator=(const StdioProcess&) = delete;

  // Starts the command, once. Errors as ProcessTable::spawn().
  Result<void> start(ProcessTable& processes, const std::vector<std::string>& command);

  // Whether it reads its input fast enough for `bytes` more.
  bool takes(std::size_t bytes) const { return unwritten_bytes_ + bytes <= kMaxUnread; }
  // Sends one message, in which line ends stand between values only.
  void write(std::string_view message);

  // Ends it: closes the input, then SIGTERM after 2 s, then SIGKILL after 5 s, each to its whole
  // group. The first reason counts.
  void end(std::string_view reason);
  // Ends it without waiting: it does not listen any more.
  void kill(std::string_view reason);
  bool ended() const { return ended_; }  // nothing can be sent any more
  bool over() const { return exited_ && output_closed_; }
  const std::string& end_reason() const { return end_reason_; }

  // To be called about four times a second.
  virtual void tick(MonotonicTime now);

  // Tells its lines in the log apart.
  const std::string& name() const { return name_; }
  pid_t pid() const { return pid_; }  // it leads the group of this number
  // "exited with status 1", once the process has ended; else empty.
  const std::string& exit_text() const { return exit_text_; }
  // The last lines of the process's standard error, oldest first.
  const std::deque<std::string>& last_errors() const { return last_errors_; }
  // The first line of standard output that was no JSON-RPC message; empty: none was.
  const std::string& first_garbage() const { return first_garbage_; }

 protected:
  StdioProcess(Runtime& runtime, std::string name);

  // A message of the server; `text` is on one line.
  virtual void on_message(const mcp::Message& message, std::string_view text) = 0;
  // It has ended or is being ended. Called once.
  virtual void on_end() = 0;
  // Until the readers of its messages have room for more.
  virtual Task<> wait_room() = 0;

  Runtime& runtime() const { return runtime_; }

 private:
  using Descriptor = asio::posix::basic_stream_descriptor<Executor>;
  using Self = std::shared_ptr<StdioProcess>;

  static Task<> read_output(Self self);
  static Task<> read_errors(Self self);
  static Task<> write_input(Self self);
  bool take_lines(std::string& pending);
  void on_line(std::string_view line);
  void on_error_line(std::string_view line);
  void on_exit(int wait_status);
  void on_output_closed();

  Runtime& runtime_;
  std::string name_;
  pid_t pid_ = -1;
  Descriptor input_;
  Descriptor output_;
  Descriptor errors_;

  std::deque<std::string> unwritten_;
  std::size_t unwritten_bytes_ = 0;
  Timer input_filled_;
  mcp::MessageScanner scanner_;

  bool ended_ = false;
  bool exited_ = false;
  bool output_closed_ = false;
  std::string end_reason_;
  std::string exit_text_;
  MonotonicTime terminate_at_ = MonotonicTime::max();
  MonotonicTime kill_at_ = MonotonicTime::max();
  MonotonicTime exited_at_;
  MonotonicTime output_closed_at_;
  std::deque<std::string> last_errors_;
  std::string first_garbage_;
};

}  // namespace mcpfleet::proxy
