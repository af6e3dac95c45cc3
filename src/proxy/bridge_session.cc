#include "proxy/bridge_session.h"

#include "log/log.h"
#include "proxy/bridge_channel.h"

namespace mcpfleet::proxy {

void BridgeSession::set_stream(const std::shared_ptr<MessageQueue>& queue, MonotonicTime now) {
  if (stream_) stream_->close();
  stream_ = queue;
  last_use_ = now;
  for (auto& line : buffered_) queue->push({std::move(line), false});
  buffered_.clear();
  buffered_bytes_ = 0;
}

std::shared_ptr<MessageQueue> BridgeSession::stream() const {
  return stream_ && !stream_->closed() ? stream_ : nullptr;
}

void BridgeSession::deliver(std::string_view text) {
  if (const auto open = stream()) {
    open->push({std::string(text), false});
    return;
  }
  if (!buffered_.empty() && buffered_.back() == text) return;  // it says nothing new
  buffered_.emplace_back(text);
  buffered_bytes_ += text.size();
  while (buffered_.size() > kMaxBuffered || buffered_bytes_ > kMaxBufferedBytes) {
    buffered_bytes_ -= buffered_.front().size();
    buffered_.pop_front();
    log::warn("a message of the server was dropped: its client has no stream open",
              {{"session", short_id(id_)}});
  }
}

void BridgeSession::begin_post(MonotonicTime now) {
  ++posts_;
  last_use_ = now;
}

void BridgeSession::end_post(MonotonicTime now) {
  --posts_;
  last_use_ = now;
}

Duration BridgeSession::idle_for(MonotonicTime now) const {
  return posts_ > 0 || stream() ? Duration::zero() : now - last_use_;
}

void BridgeSession::end(std::string_view reason) {
  ended_ = true;
  if (stream_) stream_->close();
  if (channel_) channel_->end(reason);
}

bool BridgeSession::ended() const { return ended_ || (channel_ && !channel_->accepts()); }

}  // namespace mcpfleet::proxy
