// Streamable HTTP for a server that speaks stdio or HTTP+SSE.
#include <boost/beast/http/verb.hpp>
#include <nlohmann/json.hpp>

#include "log/log.h"
#include "mcp/event_id.h"
#include "mcp/headers.h"
#include "mcp/modern_request.h"
#include "proxy/bridge_answer.h"
#include "proxy/bridge_service.h"
#include "proxy/front.h"
#include "proxy/relay.h"
#include "proxy/sidecar_relay.h"

namespace mcpfleet::proxy {
namespace {

namespace http = boost::beast::http;
using mcp::ErrorCode;
using Session = std::shared_ptr<BridgeSession>;

constexpr const char* kAllow = "Allow: GET, POST, DELETE, OPTIONS\r\n";

bool accepts(const ClientLink& client, std::string_view type) {
  const auto accept = client.field("Accept");
  return accept && (accept->find(type) != std::string_view::npos ||
                    accept->find("*/*") != std::string_view::npos);
}

struct Post {
  std::vector<mcp::Message> messages;
  bool batch = false;
  std::size_t requests = 0;
  bool starts = false;  // initialize, outside any session
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

Task<> refuse(ClientLink& client, const Post& post, const Error& error) {
  const auto kind = error.kind;
  const auto code =
      kind == ErrorKind::Unavailable ? ErrorCode::SessionNotFound : ErrorCode::ServerError;
  auto reply = error_answer(status_of(kind), first_request_id(post.messages), code, error.message,
                            fields_of(kind));
  co_await client.answer(std::move(reply));
}

// A link or a session could not be had.
Task<> refuse_start(ClientLink& client, const Post& post, const Error& error) {
  log::warn("a request found no way to the server", {{"reason", error.message}});
  auto fields = fields_of(error.kind);
  if (error.kind == ErrorKind::TooMany) append_field(fields, kRefusedField, kRefusedFull);
  auto reply =
      error_answer(error.kind == ErrorKind::TooMany ? 503 : 502, first_request_id(post.messages),
                   ErrorCode::ServerError, error.message, std::move(fields));
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

// Gives a POST to the server, and its client what comes of it. With `form.modern` a client that
// goes away has cancelled its request.
Task<> submit(Runtime& runtime, ClientLink& client, Post post,
              std::shared_ptr<BridgeChannel> channel, std::uint64_t number, PostAnswer::Form form) {
  form.batch = post.batch;
  form.events = accepts(client, mcp::kEventStream);
  const bool modern = form.modern;
  const auto starting = form.starting;
  form.primed = primes(client);
  const auto queue = std::make_shared<MessageQueue>(runtime.io, form.events, post.requests);
  const auto submitted = channel->submit(number, post.messages, client.request().body(), queue);
  if (!submitted) {
    co_await refuse(client, post, submitted.error());
    co_return;
  }
  if (post.requests == 0) {
    Answer reply{202, {}, {}};
    co_await client.answer(std::move(reply));
    co_return;
  }
  client.start_watching([queue] { queue->wake(); });
  PostAnswer answer(client, std::move(form), queue);
  const bool complete = co_await answer.run(runtime);
  client.stop_watching();
  if (complete || !answer.resumable() || starting) {
    channel->detach(queue, modern);
  } else {
    answer.leave();
  }
  if (!complete) client.close_after_answer();
  if (!complete && starting) starting->end("the client left before its session began");
}

Task<> post_to_session(Runtime& runtime, ClientLink& client, Post post, Session session,
                       PostAnswer::Form form) {
  const auto channel = co_await runtime.bridge->channel_of(session);
  if (!channel) {
    co_await refuse_start(client, post, channel.error());
    co_return;
  }
  form.session = session;
  session->begin_post(runtime.now());
  co_await submit(runtime, client, std::move(post), *channel, session->number(), std::move(form));
  session->end_post(runtime.now());
}

// All sessions share a link whose server knows of one handshake: ours.
Task<> answer_handshake(Runtime& runtime, ClientLink& client, const Post& post,
                        std::string fields) {
  auto id = first_request_id(post.messages);
  Answer reply{200, runtime.bridge->shared_handshake(id), std::move(fields)};
  const auto now = runtime.now();
  runtime.stats.begin();
  runtime.stats.end(runtime.stats.series("initialize", {}), now, now, false);
  co_await client.answer(std::move(reply));
}

Task<> start_session(Runtime& runtime, ClientLink& client, Post post) {
  if (runtime.drain.refuses_sessions(runtime.now())) {
    auto reply = refusal_of_session(client, first_request_id(post.messages));
    co_await client.answer(std::move(reply));
    co_return;
  }
  if (!runtime.bridge->eras().handshake) {
    auto reply = error_answer(400, first_request_id(post.messages), ErrorCode::InvalidRequest,
                              "this server speaks no version with initialize, but " +
                                  std::string(mcp::kStatelessVersion));
    co_await client.answer(std::move(reply));
    co_return;
  }
  auto created = runtime.bridge->create();
  if (!created) {
    co_await refuse_start(client, post, created.error());
    co_return;
  }
  const Session& session = *created;
  auto sealed = runtime.seal.seal({runtime.self, session->id()});
  if (!sealed) {
    session->end("its id could not be sealed");
    co_await refuse_start(client, post, sealed.error());
    co_return;
  }
  PostAnswer::Form form;
  append_field(form.fields, mcp::kSessionId, *sealed);
  if (!session->channel()) {
    co_await answer_handshake(runtime, client, post, std::move(form.fields));
    co_return;
  }
  form.starting = session;
  co_await post_to_session(runtime, client, std::move(post), session, std::move(form));
}

// A request of 2026-07-28 or later, which stands alone.
Task<> answer_modern(Runtime& runtime, ClientLink& client, Post post,
                     const mcp::MirrorFields& fields) {
  const auto& message = post.messages.front();
  const auto id = message.id;
  if (!runtime.bridge->eras().modern) {
    const auto version = fields.protocol_version.value_or(message.protocol_version);
    Answer reply{400, mcp::unsupported_version_text(id, version), {}};
    co_await client.answer(std::move(reply));
    co_return;
  }
  auto refusal = mcp::refuse_modern(message, fields);
  if (message.kind() != mcp::Message::Kind::Request)
    refusal = mcp::Refusal{ErrorCode::InvalidRequest, "only requests stand alone"};
  if (refusal) {
    auto reply = error_answer(400, id, refusal->code, refusal->text);
    co_await client.answer(std::move(reply));
    co_return;
  }
  const auto channel = runtime.bridge->modern_channel();
  if (!channel) {
    co_await refuse_start(client, post, channel.error());
    co_return;
  }
  PostAnswer::Form form;
  form.modern = true;
  const auto number = runtime.bridge->new_client();
  co_await submit(runtime, client, std::move(post), *channel, number, std::move(form));
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
  const mcp::MirrorFields fields{client.field(mcp::kProtocolVersion), client.field(mcp::kMethod),
                                 client.field(mcp::kName)};
  const bool single = post->messages.size() == 1 && !post->batch;
  if (id.empty() && single && mcp::is_modern(post->messages.front(), fields)) {
    co_await answer_modern(runtime, client, std::move(*post), fields);
    co_return;
  }
  if (post->starts && post->messages.size() > 1) {
    auto reply = error_answer(400, first_request_id(post->messages), ErrorCode::InvalidRequest,
                              "initialize must come alone");
    co_await client.answer(std::move(reply));
    co_return;
  }
  if (post->starts) {
    co_await start_session(runtime, client, std::move(*post));
    co_return;
  }
  if (id.empty()) {
    auto reply =
        error_answer(400, first_request_id(post->messages), ErrorCode::InvalidRequest,
                     "the field Mcp-Session-Id is missing; a session starts with initialize");
    co_await client.answer(std::move(reply));
    co_return;
  }
  const Session session = runtime.bridge->find(id);
  if (!session) {
    co_await gone(client, first_request_id(post->messages));
    co_return;
  }
  PostAnswer::Form form;
  co_await post_to_session(runtime, client, std::move(*post), session, std::move(form));
}

// Goes on with a stream of a POST or GET that broke off, and with no other.
Task<> resume(Runtime& runtime, ClientLink& client, Session session, std::string_view last) {
  const auto id = mcp::parse_event_id(last);
  const auto queue = id ? session->find_stream(id->stream) : nullptr;
  if (!queue || !queue->rewind(id->number)) {
    auto reply = error_answer(400, {}, ErrorCode::InvalidRequest,
                              "the field Last-Event-ID names no event of this session that can be "
                              "continued from: its stream is over, or too much came since");
    co_await client.answer(std::move(reply));
    co_return;
  }
  if (session->is_own_stream(queue)) session->set_stream(queue, runtime.now());
  StreamPlace place(session, queue);
  place.go_on(id->stream);
  co_await write_stream(runtime, client, queue, std::move(place), false);
}

// The client's stream for messages that belong to no request.
Task<> handle_get(Runtime& runtime, ClientLink& client, std::string id) {
  if (!accepts(client, mcp::kEventStream)) {
    auto reply = error_answer(406, {}, ErrorCode::InvalidRequest,
                              "the field Accept must name text/event-stream");
    co_await client.answer(std::move(reply));
    co_return;
  }
  const Session session = runtime.bridge->find(id);
  if (!session) {
    co_await gone(client, {});
    co_return;
  }
  if (const auto last = client.field(mcp::kLastEventId)) {
    co_await resume(runtime, client, session, *last);
    co_return;
  }
  const auto queue = std::make_shared<MessageQueue>(runtime.io, true, 1);
  session->set_stream(queue, runtime.now());
  StreamPlace place(session, queue);
  place.begin();
  co_await write_stream(runtime, client, queue, std::move(place), true);
}

Task<> handle_delete(Runtime& runtime, ClientLink& client, std::string id) {
  const Session session = runtime.bridge->find(id);
  if (!session) {
    co_await gone(client, {});
    co_return;
  }
  session->end("the client ended the session");
  Answer reply{204, {}, {}};
  co_await client.answer(std::move(reply));
}

}  // namespace

Task<> answer_by_bridge(Runtime& runtime, ClientLink& client, std::string session,
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
    const bool sessions = runtime.bridge->eras().handshake;
    auto reply =
        error_answer(verb == http::verb::get || !sessions ? 405 : 400, {},
                     ErrorCode::InvalidRequest, "the field Mcp-Session-Id is missing", kAllow);
    co_await client.answer(std::move(reply));
  } else if (verb == http::verb::get) {
    co_await handle_get(runtime, client, std::move(session));
  } else {
    co_await handle_delete(runtime, client, std::move(session));
  }
}

}  // namespace mcpfleet::proxy
