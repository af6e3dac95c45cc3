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

// Whether the client understands an event that only says where its stream begins.
bool primes(const ClientLink& client);

// Writes server-sent events as the answer to one request.
class EventAnswer {
 public:
  // `fields`: complete header lines of the answer.
  EventAnswer(ClientLink& client, std::string fields)
      : client_(client), fields_(std::move(fields)) {}

  bool started() const { return started_; }

  // False, from each of them: the client is gone.
  Task<bool> start();
  // Without an `id` where that is empty.
  Task<bool> event(std::string data, std::string id);
  Task<bool> prime(std::string id);
  Task<bool> comment();
  Task<> finish();

 private:
  Task<bool> send(std::string text);

  ClientLink& client_;
  std::string fields_;
  bool started_ = false;
};

// Where the client of a stream is: it can tell us when it comes back.
class StreamPlace {
 public:
  // `session` null: the stream cannot be continued.
  StreamPlace(std::shared_ptr<BridgeSession> session, std::shared_ptr<MessageQueue> queue)
      : session_(std::move(session)), queue_(std::move(queue)) {}

  bool resumable() const { return number_ != 0; }
  // From now on the stream can be continued, where there is a session for it.
  void begin() {
    if (session_) number_ = session_->add_stream(queue_);
  }
  // It is a stream that was begun before.
  void go_on(std::uint64_t number) { number_ = number; }
  // The id of the event of that number in the queue; empty: it has none.
  std::string id_of(std::uint64_t item) const;
  void finish(MonotonicTime now) {
    if (resumable()) session_->finish_stream(number_, now);
  }

 private:
  std::shared_ptr<BridgeSession> session_;
  std::shared_ptr<MessageQueue> queue_;
  std::uint64_t number_ = 0;
};

// The answer to the requests of one POST, from its first message to its last answer.
class PostAnswer {
 public:
  struct Form {
    bool batch = false;
    bool events = false;  // the client can read them
    bool modern = false;  // errors have HTTP statuses of their own
    bool primed = false;  // events begin with one that says nothing but where the stream begins
    // Whose stream can be continued; else null.
    std::shared_ptr<BridgeSession> session;
    // The session that begins with this POST; else null.
    std::shared_ptr<BridgeSession> starting;
    std::string fields;  // complete header lines
  };

  PostAnswer(ClientLink& client, Form form, std::shared_ptr<MessageQueue> queue)
      : client_(client),
        form_(std::move(form)),
        queue_(std::move(queue)),
        place_(form_.session, queue_),
        events_(client, form_.fields) {}

  // True: every request was answered, or its stream was closed as it should, and the client got
  // all.
  Task<bool> run(Runtime& runtime);
  // The client has seen where the stream is, and may come back for the rest.
  bool resumable() const { return place_.resumable(); }
  // What still comes waits for it, unless it is back already.
  void leave() {
    if (queue_->attached(reader_)) queue_->leave();
  }

 private:
  bool is_over() const;
  Task<bool> take(MessageQueue::Item item);
  Task<bool> start_events();
  Task<> answer_json();

  ClientLink& client_;
  Form form_;
  std::shared_ptr<MessageQueue> queue_;
  StreamPlace place_;
  std::uint64_t reader_ = 0;
  std::vector<std::string> answers_;
  bool begun_ = false;  // the server took the session on
  EventAnswer events_;
};

// Writes what comes to the stream of a GET, until it ends or the client goes away, and remembers
// where that was. `fresh`: nobody has read of it before.
Task<> write_stream(Runtime& runtime, ClientLink& client, std::shared_ptr<MessageQueue> queue,
                    StreamPlace place, bool fresh);

}  // namespace mcpfleet::proxy
