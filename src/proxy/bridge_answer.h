// What a client gets for a POST to a bridged server: JSON, or events as they come.
//
// Thread safety: none; it belongs to the proxy's one thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "proxy/bridge_session.h"
#include "proxy/client_link.h"
#include "proxy/message_queue.h"
#include "proxy/runtime.h"

namespace mcpfleet::proxy {

// Over so long a silence a comment goes by, so that nobody on the way takes a stream for dead.
inline constexpr Duration kKeepAlive = std::chrono::seconds(15);

// Writes server-sent events as the answer to one request.
class EventAnswer {
 public:
  // `fields`: complete header lines of the answer.
  EventAnswer(ClientLink& client, std::string fields)
      : client_(client), fields_(std::move(fields)) {}

  bool started() const { return started_; }

  // False, from each of them: the client is gone.
  Task<bool> start();
  Task<bool> event(std::string data);
  Task<bool> comment();
  Task<> finish();

 private:
  Task<bool> send(std::string text);

  ClientLink& client_;
  std::string fields_;
  bool started_ = false;
};

// The answer to the requests of one POST, from its first message to its last answer.
class PostAnswer {
 public:
  struct Form {
    std::size_t requests = 0;
    bool batch = false;
    bool events = false;  // the client can read them
    bool modern = false;  // errors have HTTP statuses of their own
    // The session that begins with this POST; else null.
    std::shared_ptr<BridgeSession> starting;
    std::string fields;  // complete header lines
  };

  PostAnswer(ClientLink& client, Form form)
      : client_(client), form_(std::move(form)), events_(client, form_.fields) {}

  // True: every request was answered, or its stream was closed as it should, and the client got
  // all.
  Task<bool> run(Runtime& runtime, MessageQueue& queue);

 private:
  Task<bool> take(MessageQueue::Item item);
  Task<bool> start_events();
  Task<> answer_json();

  ClientLink& client_;
  Form form_;
  std::vector<std::string> answers_;
  bool begun_ = false;  // the server took the session on
  EventAnswer events_;
};

}  // namespace mcpfleet::proxy
