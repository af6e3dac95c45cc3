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

#include "proxy/process_table.h"
#include "proxy/server_link.h"

namespace mcpfleet::proxy {

class StdioProcess final : public ServerLink {
 public:
  static constexpr std::size_t kMaxLogLine = 4 * 1024;  // of its standard error

  // A process of the sidecar's command, which `processes` reaps.
  StdioProcess(Runtime& runtime, ProcessTable& processes, std::string name);

  // Errors as ProcessTable::spawn().
  Result<void> start() override;
  void kill(std::string_view reason) override;
  bool over() const override { return exited_ && output_closed_; }
  bool broke() const override { return !exit_text_.empty(); }
  void tick(MonotonicTime now) override;
  std::string subject() const override;
  // Says its exit status, and the last lines of its standard error.
  std::string start_failure(Duration timeout) const override;
  pid_t group() const override { return pid_; }

 private:
  using Descriptor = asio::posix::basic_stream_descriptor<Executor>;
  using Self = std::shared_ptr<StdioProcess>;

  Self self() { return std::static_pointer_cast<StdioProcess>(shared_from_this()); }

  static Task<> read_output(Self self);
  static Task<> read_errors(Self self);
  static Task<> write_input(Self self);
  bool take_lines(std::string& pending);
  void on_line(std::string_view line);
  void on_error_line(std::string_view line);
  void on_exit(int wait_status);
  void on_output_closed();
  // Closes the input; SIGTERM follows after 2 s, SIGKILL after 5 s, each to its whole group.
  void close() override;

  ProcessTable& processes_;
  pid_t pid_ = -1;
  Descriptor input_;
  Descriptor output_;
  Descriptor errors_;

  bool exited_ = false;
  bool output_closed_ = false;
  std::string exit_text_;  // "exited with status 1"; empty: it has not
  MonotonicTime terminate_at_ = MonotonicTime::max();
  MonotonicTime kill_at_ = MonotonicTime::max();
  MonotonicTime exited_at_;
  MonotonicTime output_closed_at_;
  std::deque<std::string> last_errors_;  // the last lines of its standard error, oldest first
  std::string first_garbage_;  // the first line of standard output that was no JSON-RPC message
};

}  // namespace mcpfleet::proxy
