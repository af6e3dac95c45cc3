// One session of a stdio server: its process, and the requests that wait for it.
//
// Thread safety: none; it belongs to the proxy's one thread.
#pragma once

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mcp/message_scanner.h"
#include "proxy/message_queue.h"
#include "proxy/process_table.h"
#include "proxy/runtime.h"

namespace mcpfleet::proxy {

class StdioSession final : public std::enable_shared_from_this<StdioSession> {
 public:
  static constexpr std::size_t kMaxLine = 64 * 1024 * 1024;    // one message of the server
  static constexpr std::size_t kMaxUnread = 32 * 1024 * 1024;  // input that it does not read
  static constexpr std::size_t kMaxLogLine = 4 * 1024;         // of its standard error
  static constexpr std::size_t kMaxBuffered = 256;             // messages without a stream
  static constexpr std::size_t kMaxBufferedBytes = 4 * 1024 * 1024;

  // Starts the command. Errors as ProcessTable::spawn().
  static Result<std::shared_ptr<StdioSession>> start(Runtime& runtime, ProcessTable& processes,
                                                     const std::vector<std::string>& command,
                                                     std::string id);

  const std::string& id() const { return id_; }

  // Gives the messages of one HTTP request to the process; answers to its requests go to `queue`,
  // each exactly once. `body` is the text that `messages` were found in.
  // Errors: Conflict (a request with this id is waiting already), TooMany (the process does not
  // read its input), Unavailable (it has ended).
  // `counted`: the requests are a client's, and appear in the metrics.
  Result<void> submit(const std::vector<mcp::Message>& messages, std::string_view body,
                      const std::shared_ptr<MessageQueue>& queue, bool counted = true);
  // The HTTP answer of this queue is over. Its requests go on; their answers go nowhere.
  void detach(const std::shared_ptr<MessageQueue>& queue);

  // Makes `queue` the stream for messages that belong to no request, instead of an earlier one.
  void set_stream(const std::shared_ptr<MessageQueue>& queue);

  // Ends the session: closes the input, then SIGTERM after 2 s, then SIGKILL after 5 s. What waits
  // gets an error with `reason`.
  void end(std::string_view reason);
  bool ended() const { return ended_; }  // no request is accepted any more
  bool over() const { return exited_ && output_closed_; }

  // To be called about four times a second.
  void tick(MonotonicTime now);
  // No request waits for an answer that somebody reads, and no stream is open, since so long.
  Duration idle_for(MonotonicTime now) const;

  // "exited with status 1", once the process has ended; else empty.
  const std::string& exit_text() const { return exit_text_; }
  // The last lines of the process's standard error, oldest first.
  const std::deque<std::string>& last_errors() const { return last_errors_; }
  // The first line of standard output that was no JSON-RPC message; empty: none was.
  const std::string& first_garbage() const { return first_garbage_; }

  StdioSession(Runtime& runtime, std::string id);

 private:
  using Descriptor = asio::posix::basic_stream_descriptor<Executor>;
  struct Waiting {
    std::shared_ptr<MessageQueue> queue;  // null: nobody reads the answer
    CallStats::Series* series = nullptr;  // null: not counted
    MonotonicTime start;
    std::string progress_token;
    MonotonicTime give_up = MonotonicTime::max();  // set when the client cancelled it
  };

  void run(ChildProcess process);
  static Task<> read_output(std::shared_ptr<StdioSession> self);
  static Task<> read_errors(std::shared_ptr<StdioSession> self);
  static Task<> write_input(std::shared_ptr<StdioSession> self);
  bool take_lines(std::string& pending);
  void on_line(std::string_view line);
  void on_error_line(std::string_view line);
  void on_exit(int wait_status);
  void on_output_closed();
  void enqueue(std::string line);
  void answer(std::map<std::string, Waiting>::iterator waiting, std::string text, bool failed);
  void fail_waiting(std::string_view reason);
  void route(const mcp::Message& message, std::string_view line);
  std::shared_ptr<MessageQueue> queue_for(const mcp::Message& message) const;
  void buffer(std::string_view line);
  void note_cancelled(const mcp::Message& message);

  Runtime& runtime_;
  std::string id_;
  pid_t pid_ = -1;
  Descriptor input_;
  Descriptor output_;
  Descriptor errors_;

  std::deque<std::string> unwritten_;
  std::size_t unwritten_bytes_ = 0;
  Timer input_filled_;

  std::map<std::string, Waiting> waiting_;   // by raw id
  std::shared_ptr<MessageQueue> stream_;     // of the client's GET; null: none
  std::shared_ptr<MessageQueue> last_used_;  // where the last message went
  std::deque<std::string> buffered_;
  std::size_t buffered_bytes_ = 0;
  mcp::MessageScanner scanner_;

  MonotonicTime last_use_;
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
