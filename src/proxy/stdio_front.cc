// A stdio server over Streamable HTTP.
#include <boost/beast/http/verb.hpp>
#include <charconv>
#include <nlohmann/json.hpp>

#include "log/log.h"
#include "mcp/headers.h"
#include "mcp/sse.h"
#include "proxy/front.h"
#include "proxy/relay.h"
#include "proxy/stdio_service.h"

namespace mcpfleet::proxy {
namespace {

namespace http = boost::beast::http;
using mcp::ErrorCode;
using Session = std::shared_ptr<StdioSession>;

constexpr const char* kAllow = "Allow: GET, POST, DELETE, OPTIONS\r\n";

bool accepts(const ClientLink& client, std::string_view type) {
  const auto accept = client.field("Accept");
  return accept && (accept->find(type) != std::string_view::npos ||
                    accept->find("*/*") != std::string_view::npos);
}

std::string chunk(std::string_view data) {
  std::array<char, 16> size{};
  const auto end = std::to_chars(size.data(), size.data() + size.size(), data.size(), 16).ptr;
  return std::string(size.data(), end).append("\r\n").append(data).append("\r\n");
}

// Writes server-sent events as the answer to one request.
class EventAnswer {
 public:
  EventAnswer(ClientLink& client, std::string fields)
      : client_(client), fields_(std::move(fields)) {}

  bool started() const { return started_; }

  Task<bool> start() {
    started_ = true;
    auto head = status_line(200);
    append_field(head, "Content-Type", mcp::kEventStream);
    append_field(head, "Cache-Control", "no-cache");
    append_field(head, "X-Accel-Buffering", "no");
    head.append(fields_);
    if (client_.http_1_0()) {
      client_.close_after_answer();
    } else {
      append_field(head, "Transfer-Encoding", "chunked");
    }
    client_.finish_head(head);
    co_return co_await client_.send(head);
  }

  Task<bool> event(std::string data) {
    const auto text = mcp::sse_event(data);
    if (client_.http_1_0()) co_return co_await client_.send(text);
    const auto framed = chunk(text);
    co_return co_await client_.send(framed);
  }

  Task<> finish() {
    if (!client_.http_1_0()) co_await client_.send("0\r\n\r\n");
  }

 private:
  ClientLink& client_;
  std::string fields_;
  bool started_ = false;
};

struct Post {
  std::vector<mcp::Message> messages;
  bool batch = false;
  std::size_t requests = 0;
  bool starts = false;  // initialize, outside any session
};

// The answer to a POST that was submitted, from its first message to its last answer.
class PostAnswer {
 public:
  // `starting`: the session that begins with this POST; else null.
  PostAnswer(ClientLink& client, const Post& post, StdioSession* starting, std::string fields)
      : client_(client),
        batch_(post.batch),
        left_(post.requests),
        starting_(starting),
        fields_(fields),
        events_(client, fields) {}

  // True: every request was answered, and the client got it all.
  Task<bool> run(MessageQueue& queue) {
    while (left_ > 0) {
      co_await queue.wait_filled();
      auto item = queue.pop();
      if (!item) co_return false;
      if (item->answer) --left_;
      const bool ok = co_await take(std::move(*item));
      if (!ok) co_return false;
    }
    if (events_.started()) {
      co_await events_.finish();
    } else {
      co_await answer_json();
    }
    co_return !client_.gone();
  }

 private:
  Task<bool> take(MessageQueue::Item item) {
    if (item.answer && !events_.started()) {
      answers_.push_back(std::move(item.text));
      co_return true;
    }
    if (!events_.started()) {
      const bool started = co_await events_.start();
      if (!started) co_return false;
      for (auto& earlier : answers_) co_await events_.event(std::move(earlier));
    }
    co_return co_await events_.event(std::move(item.text));
  }

  Task<> answer_json() {
    std::string body;
    for (const auto& one : answers_) body.append(body.empty() ? "" : ",").append(one);
    if (batch_) body = "[" + body + "]";
    Answer reply{200, std::move(body), fields_};
    if (starting_ != nullptr && !begins()) {
      reply.fields.clear();
      if (starting_->ended()) reply.status = 502;  // it did not live to refuse
      starting_->end("the server refused to initialize");
    }
    co_await client_.answer(std::move(reply));
  }

  // Whether the server took the session on.
  bool begins() const {
    mcp::MessageScanner scanner;
    return !starting_->ended() && scanner.feed(answers_.front()) && scanner.complete() &&
           scanner.messages().front().has_result;
  }

  ClientLink& client_;
  bool batch_;
  std::size_t left_;
  StdioSession* starting_;
  std::string fields_;
  std::vector<std::string> answers_;
  EventAnswer events_;
};

int status_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::TooMany:
      return 503;
    case ErrorKind::Conflict:
      return 400;
    case ErrorKind::Unavailable:
      return 404;
    default:
      return 500;
  }
}

std::string fields_of(ErrorKind kind) {
  return kind == ErrorKind::TooMany ? "Retry-After: 5\r\n" : "";
}

// A request outside any session that does not start one.
Task<> refuse_stateless(ClientLink& client, const std::vector<mcp::Message>& messages) {
  auto id = first_request_id(messages);
  const auto version = client.field(mcp::kProtocolVersion).value_or("");
  if (version >= mcp::kStatelessVersion) {
    Answer reply{400, mcp::unsupported_version_text(id, version), {}};
    co_await client.answer(std::move(reply));
    co_return;
  }
  auto reply =
      error_answer(400, std::move(id), ErrorCode::InvalidRequest,
                   "the field Mcp-Session-Id is missing; a session starts with initialize");
  co_await client.answer(std::move(reply));
}

// The messages of a POST; the problem where there are none.
Result<Post> read_post(const std::string& body, bool in_session) {
  mcp::MessageScanner scanner;
  const bool understood = scanner.feed(body) && scanner.finish();
  if (!understood || !nlohmann::json::accept(body))
    return fail(ErrorKind::Malformed, scanner.problem().empty() ? std::string("it is not JSON")
                                                                : std::string(scanner.problem()));
  Post post{scanner.messages(), scanner.batch(), 0, false};
  for (const auto& message : post.messages) {
    if (message.kind() == mcp::Message::Kind::Unknown)
      return fail(ErrorKind::Malformed, "a message has neither method nor result nor error");
    if (message.kind() == mcp::Message::Kind::Request) ++post.requests;
    if (message.method == "initialize" && !in_session) post.starts = true;
  }
  return post;
}

Task<> post_to_session(Runtime& runtime, ClientLink& client, Post post, Session session,
                       std::string fields) {
  const bool events = accepts(client, mcp::kEventStream);
  const auto queue = std::make_shared<MessageQueue>(runtime.io, events);
  auto submitted = session->submit(post.messages, client.request().body(), queue);
  if (!submitted) {
    const auto kind = submitted.error().kind;
    auto reply = error_answer(
        status_of(kind), first_request_id(post.messages),
        kind == ErrorKind::Unavailable ? ErrorCode::SessionNotFound : ErrorCode::ServerError,
        submitted.error().message, fields_of(kind));
    co_await client.answer(std::move(reply));
    co_return;
  }
  if (post.requests == 0) {
    Answer reply{202, {}, {}};
    co_await client.answer(std::move(reply));
    co_return;
  }
  client.start_watching([queue] { queue->close(); });
  PostAnswer answer(client, post, post.starts ? session.get() : nullptr, std::move(fields));
  const bool complete = co_await answer.run(*queue);
  client.stop_watching();
  session->detach(queue);
  if (!complete) client.close_after_answer();
  if (!complete && post.starts) session->end("the client left before its session began");
}

Task<> start_session(Runtime& runtime, ClientLink& client, Post post) {
  auto created = runtime.stdio->create();
  if (!created) {
    const auto kind = created.error().kind;
    log::warn("no new session", {{"reason", created.error().message}});
    auto fields = fields_of(kind);
    if (kind == ErrorKind::TooMany) append_field(fields, kRefusedField, kRefusedFull);
    auto reply =
        error_answer(kind == ErrorKind::TooMany ? 503 : 502, first_request_id(post.messages),
                     ErrorCode::ServerError, created.error().message, std::move(fields));
    co_await client.answer(std::move(reply));
    co_return;
  }
  const Session session = *created;
  auto sealed = runtime.seal.seal({runtime.self, session->id()});
  if (!sealed) {
    session->end("its id could not be sealed");
    auto reply = error_answer(500, first_request_id(post.messages), ErrorCode::InternalError,
                              sealed.error().message);
    co_await client.answer(std::move(reply));
    co_return;
  }
  std::string fields;
  append_field(fields, mcp::kSessionId, *sealed);
  co_await post_to_session(runtime, client, std::move(post), session, std::move(fields));
}

Task<> gone(ClientLink& client, std::string id) {
  auto reply = error_answer(404, std::move(id), ErrorCode::SessionNotFound,
                            "session not found: it has ended; start a new session");
  co_await client.answer(std::move(reply));
}

Task<> handle_post(Runtime& runtime, ClientLink& client, std::string id) {
  auto post = read_post(client.request().body(), !id.empty());
  if (!post) {
    auto reply =
        error_answer(400, {}, ErrorCode::ParseError,
                     "the request's body is not a JSON-RPC message: " + post.error().message);
    co_await client.answer(std::move(reply));
    co_return;
  }
  if (post->starts) {
    co_await start_session(runtime, client, std::move(*post));
    co_return;
  }
  if (id.empty()) {
    co_await refuse_stateless(client, post->messages);
    co_return;
  }
  const Session session = runtime.stdio->find(id);
  if (!session) {
    co_await gone(client, first_request_id(post->messages));
    co_return;
  }
  co_await post_to_session(runtime, client, std::move(*post), session, {});
}

// The client's stream for messages that belong to no request.
Task<> handle_get(Runtime& runtime, ClientLink& client, std::string id) {
  if (!accepts(client, mcp::kEventStream)) {
    auto reply = error_answer(406, {}, ErrorCode::InvalidRequest,
                              "the field Accept must name text/event-stream");
    co_await client.answer(std::move(reply));
    co_return;
  }
  const Session session = runtime.stdio->find(id);
  if (!session) {
    co_await gone(client, {});
    co_return;
  }
  const auto queue = std::make_shared<MessageQueue>(runtime.io, true);
  client.start_watching([queue] { queue->close(); });
  EventAnswer events(client, {});
  bool ok = co_await events.start();
  session->set_stream(queue);
  while (ok) {
    co_await queue->wait_filled();
    auto item = queue->pop();
    if (!item) break;
    ok = co_await events.event(std::move(item->text));
  }
  client.stop_watching();
  session->detach(queue);
  if (!client.gone()) co_await events.finish();
}

Task<> handle_delete(Runtime& runtime, ClientLink& client, std::string id) {
  const Session session = runtime.stdio->find(id);
  if (!session) {
    co_await gone(client, {});
    co_return;
  }
  session->end("the client ended the session");
  Answer reply{204, {}, {}};
  co_await client.answer(std::move(reply));
}

}  // namespace

Task<> answer_from_stdio(Runtime& runtime, ClientLink& client, std::string session,
                         std::string sealed) {
  (void)sealed;
  const auto verb = client.request().method();
  if (verb == http::verb::post) {
    co_await handle_post(runtime, client, std::move(session));
  } else if (verb == http::verb::options) {
    Answer reply{204, {}, kAllow};
    co_await client.answer(std::move(reply));
  } else if (verb == http::verb::head) {
    Answer reply{405, {}, kAllow};
    co_await client.answer(std::move(reply));
  } else if (session.empty()) {
    auto reply = error_answer(verb == http::verb::get ? 405 : 400, {}, ErrorCode::InvalidRequest,
                              "the field Mcp-Session-Id is missing", kAllow);
    co_await client.answer(std::move(reply));
  } else if (verb == http::verb::get) {
    co_await handle_get(runtime, client, std::move(session));
  } else {
    co_await handle_delete(runtime, client, std::move(session));
  }
}

}  // namespace mcpfleet::proxy
