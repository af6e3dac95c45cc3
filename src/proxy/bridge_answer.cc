#include "proxy/bridge_answer.h"

#include <array>
#include <charconv>

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

Task<bool> EventAnswer::event(std::string data) {
  auto text = mcp::sse_event(data);
  co_return co_await send(std::move(text));
}

Task<bool> EventAnswer::comment() {
  std::string text = ":\n\n";
  co_return co_await send(std::move(text));
}

Task<> EventAnswer::finish() {
  if (!client_.http_1_0()) co_await client_.send("0\r\n\r\n");
}

Task<bool> PostAnswer::run(Runtime& runtime, MessageQueue& queue) {
  while (form_.requests > 0) {
    co_await queue.wait_filled(runtime.now() + kKeepAlive);
    auto item = queue.pop();
    bool ok = true;
    if (item) {
      if (item->answer) --form_.requests;
      ok = co_await take(std::move(*item));
    } else if (queue.closed()) {
      // The server may end a subscription without an answer.
      if (!form_.modern || !events_.started() || client_.gone()) co_return false;
      break;
    } else if (form_.events) {
      ok = co_await start_events();
      if (ok) ok = co_await events_.comment();
    }
    if (!ok) co_return false;
  }
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
  if (item.answer && !events_.started()) {
    answers_.push_back(std::move(item.text));
    co_return true;
  }
  const bool started = co_await start_events();
  if (!started) co_return false;
  co_return co_await events_.event(std::move(item.text));
}

Task<bool> PostAnswer::start_events() {
  if (events_.started()) co_return true;
  bool ok = co_await events_.start();
  for (auto& earlier : answers_)
    if (ok) ok = co_await events_.event(std::move(earlier));
  co_return ok;
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

}  // namespace mcpfleet::proxy
