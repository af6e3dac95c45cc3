#include "proxy/server_link.h"

namespace mcpfleet::proxy {

ServerLink::ServerLink(Runtime& runtime, std::string name)
    : runtime_(runtime), name_(std::move(name)), filled_(runtime.io) {}

void ServerLink::write(std::string_view message) {
  if (ended_) return;
  unwritten_bytes_ += message.size();
  unwritten_.emplace_back(message);
  filled_.cancel();
}

Task<std::optional<std::string>> ServerLink::next() {
  while (unwritten_.empty() && !ended_) {
    error_code ignored;
    filled_.expires_at(Timer::time_point::max());
    co_await filled_.async_wait(caught(ignored));
  }
  std::optional<std::string> message;
  if (!ended_) {
    message = std::move(unwritten_.front());
    unwritten_.pop_front();
  }
  co_return message;
}

bool ServerLink::deliver(std::string_view text) {
  scanner_.reset();
  const bool understood = scanner_.feed(text) && scanner_.finish();
  if (!understood || scanner_.messages().empty()) return false;
  const auto reader = reader_.lock();
  if (!reader) return true;
  for (const auto& message : scanner_.messages())
    reader->on_message(message, text.substr(message.begin, message.end - message.begin));
  return true;
}

Task<> ServerLink::wait_room() {
  if (const auto reader = reader_.lock()) co_await reader->wait_room();
}

void ServerLink::end(std::string_view reason) {
  if (ended_) return;
  ended_ = true;
  end_reason_ = reason;
  filled_.cancel();
  close();
  if (const auto reader = reader_.lock()) reader->on_end();
}

}  // namespace mcpfleet::proxy
