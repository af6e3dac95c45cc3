// One connection to a server that speaks another transport than Streamable HTTP: messages go in,
// messages come out, and it ends.
//
// Thread safety: none; it belongs to the proxy's one thread.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "mcp/message_scanner.h"
#include "proxy/runtime.h"

namespace mcpfleet::proxy {

// Logs show this much of an id: enough to tell sessions apart, no use for taking one over.
inline std::string short_id(std::string_view id) { return std::string(id.substr(0, 8)); }

// Who hears what the server says.
class LinkReader {
 public:
  virtual ~LinkReader() = default;
  // A message of the server; `text` has no line ends.
  virtual void on_message(const mcp::Message& message, std::string_view text) = 0;
  // The link has ended or is being ended. Called once.
  virtual void on_end() = 0;
  // Until the readers of the server's messages have room for more.
  virtual Task<> wait_room() = 0;
};

class ServerLink : public std::enable_shared_from_this<ServerLink> {
 public:
  static constexpr std::size_t kMaxMessage = 64 * 1024 * 1024;  // one message of the server
  static constexpr std::size_t kMaxUnread = 32 * 1024 * 1024;   // what the server does not take

  virtual ~ServerLink() = default;
  ServerLink(const ServerLink&) = delete;
  ServerLink& operator=(const ServerLink&) = delete;

  // To be called before start().
  void set_reader(const std::shared_ptr<LinkReader>& reader) { reader_ = reader; }
  // Once. Error: there is nothing to talk to, one sentence; what shows later ends the link.
  virtual Result<void> start() = 0;

  // Whether the server takes messages fast enough for `bytes` more.
  bool takes(std::size_t bytes) const { return unwritten_bytes_ + bytes <= kMaxUnread; }
  // Sends one message, in which line ends stand between values only. Messages go in order.
  void write(std::string_view message);

  // Ends it properly, which may take some seconds. The first reason counts.
  void end(std::string_view reason);
  // Ends it without waiting: the server does not listen any more.
  virtual void kill(std::string_view reason) = 0;
  bool ended() const { return ended_; }  // nothing can be sent any more
  virtual bool over() const = 0;         // ended, and nothing is left of it
  // Whether the server ended it.
  virtual bool broke() const = 0;
  const std::string& end_reason() const { return end_reason_; }

  // To be called about four times a second.
  virtual void tick(MonotonicTime now) = 0;

  // Tells its lines in the log apart.
  const std::string& name() const { return name_; }
  // Begins a sentence about the server.
  virtual std::string subject() const = 0;
  // One sentence: why the first request was not answered within `timeout`.
  virtual std::string start_failure(Duration timeout) const = 0;
  // The process group of the server, where it is ours; else -1.
  virtual pid_t group() const { return -1; }

 protected:
  ServerLink(Runtime& runtime, std::string name);

  // What ends with it. Called once, before its reader hears of the end.
  virtual void close() = 0;

  Runtime& runtime() const { return runtime_; }
  // The next message to send, in order; nothing: the link has ended. sent() is to follow.
  Task<std::optional<std::string>> next();
  void sent(const std::string& message) { unwritten_bytes_ -= message.size(); }
  // Tells the reader what the server said. False: it is no JSON-RPC message.
  bool deliver(std::string_view text);
  Task<> wait_room();

 private:
  Runtime& runtime_;
  std::string name_;
  std::weak_ptr<LinkReader> reader_;
  std::deque<std::string> unwritten_;
  std::size_t unwritten_bytes_ = 0;
  Timer filled_;
  mcp::MessageScanner scanner_;
  bool ended_ = false;
  std::string end_reason_;
};

}  // namespace mcpfleet::proxy
