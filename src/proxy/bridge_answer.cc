#include "proxy/bridge_answer.h"

#include <array>
#include <charconv>

#include "mcp/event_id.h"
#include "mcp/headers.h"
#include "mcp/message_scanner.h"
#include "mcp/modern_request.h"
#include "mcp/sse.h"

namespace mcpfleet::proxy {
namespace {

std::string chunk(std::string_view data) {
  std::array<char, 16> size{};
  const auto end = std::to_chars(size.data(), size.data() + size.size(), data.size(), 16).ptr;
  return std::string(size.data(), end).append("\r\n").append(data).append("\r\n");
}

mcp::Message first_message(std::string_view text) {
  mcp::MessageScanner scanner;
  const bool understood = scanner.feed(text) && scanner.complete();
  return understood ? scanner.messages().front() : mcp::Message();
}

}  // namespace

bool primes(const ClientLink& client) {
  return client.field(mcp::kProtocolVersion).value_or("") >= mcp::kPrimingVersion;
}

Task<bool> EventAnswer::start() {
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

Task<bool> EventAnswer::send(std::string text) {
  const auto framed = client_.http_1_0() ? std::move(text) : chunk(text);
  co_return co_await client_.send(framed);
}

Task<bool> EventAnswer::event(std::string data, std::string id) {
  auto text = mcp::sse_event(data, id);
  co_return co_await send(std::move(text));
}

Task<bool> EventAnswer::prime(std::string id) {
  auto text = mcp::sse_priming_event(id);
  co_return co_await send(std::move(text));
}

Task<bool> EventAnswer::comment() {
  std::string text = ":\n\n";
  co_return co_await send(std::move(text));
}

Task<> EventAnswer::finish() {
  if (!client_.http_1_0()) co_await client_.send("0\r\n\r\n");
}

std::string StreamPlace::id_of(std::uint64_t item) const {
  return resumable() ? mcp::event_id_text({number_, item}) : std::string();
}

// Somebody else reads the stream now, or nobody does.
bool PostAnswer::is_over() const { return client_.gone() || !queue_->attached(reader_); }

Task<bool> PostAnswer::run(Runtime& runtime) {
  reader_ = queue_->attach();
  while (queue_->owed() > 0) {
    co_await queue_->wait_filled(runtime.now() + kKeepAlive);
    if (is_over()) co_return false;
    bool ok = true;
    if (const auto* const next = queue_->peek()) {
      // Before the item is taken: it is the first that can be asked for again.
      if (!next->answer) ok = co_await start_events();
      if (!ok || is_over()) co_return false;
      ok = co_await take(*queue_->pop());
    } else if (queue_->closed()) {
      // The server may end a subscription without an answer.
      if (!form_.modern || !events_.started()) co_return false;
      break;
    } else if (form_.events) {
      ok = co_await start_events();
      if (ok) ok = co_await events_.comment();
    }
    if (!ok) co_return false;
  }
  place_.finish(runtime.now());
  if (events_.started()) {
    co_await events_.finish();
  } else {
    co_await answer_json();
  }
  if (form_.starting && !begun_) form_.starting->end("the server refused to initialize");
  co_return !client_.gone();
}

Task<bool> PostAnswer::take(MessageQueue::Item item) {
  if (item.answer && form_.starting)
    begun_ = !form_.starting->ended() && first_message(item.text).has_result;
  if (!events_.started()) {
    answers_.push_back(std::move(item.text));
    co_return true;
  }
  co_return co_await events_.event(std::move(item.text), place_.id_of(item.number));
}

Task<bool> PostAnswer::start_events() {
  if (events_.started()) co_return true;
  bool ok = co_await events_.start();
  // What a batch's first requests got cannot be asked for again.
  for (auto& earlier : answers_)
    if (ok) ok = co_await events_.event(std::move(earlier), {});
  if (!ok) co_return false;
  place_.begin();
  if (!form_.primed || !place_.resumable()) co_return true;
  co_return co_await events_.prime(place_.id_of(queue_->taken()));
}

Task<> PostAnswer::answer_json() {
  std::string body;
  for (const auto& one : answers_) body.append(body.empty() ? "" : ",").append(one);
  const int status = form_.modern ? mcp::status_of_modern(first_message(body).error_code) : 200;
  if (form_.batch) body = "[" + body + "]";
  Answer reply{status, std::move(body), form_.fields};
  if (form_.starting && !begun_) {
    reply.fields.clear();
    if (form_.starting->ended()) reply.status = 502;  // it did not live to refuse
  }
  co_await client_.answer(std::move(reply));
}

Task<> write_stream(Runtime& runtime, ClientLink& client, std::shared_ptr<MessageQueue> queue,
                    StreamPlace place, bool fresh) {
  const auto reader = queue->attach();
  client.start_watching([queue] { queue->wake(); });
  EventAnswer events(client, {});
  bool ok = co_await events.start();
  if (ok && fresh && primes(client)) ok = co_await events.prime(place.id_of(queue->taken()));
  while (ok && queue->attached(reader) && queue->owed() > 0) {
    co_await queue->wait_filled(runtime.now() + kKeepAlive);
    if (client.gone() || !queue->attached(reader)) break;
    auto item = queue->pop();
    if (!item && queue->closed()) break;
    ok = item ? co_await events.event(std::move(item->text), place.id_of(item->number))
              : co_await events.comment();
  }
  client.stop_watching();
  if (queue->owed() == 0) place.finish(runtime.now());
  if (queue->attached(reader)) queue->leave();
  if (!client.gone()) co_await events.finish();
}

}  // namespace mcpfleet::proxy
