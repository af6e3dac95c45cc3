#include "proxy/bridge_session.h"

#include <algorithm>
#include <utility>

#include "log/log.h"
#include "proxy/bridge_channel.h"

namespace mcpfleet::proxy {

void BridgeSession::set_stream(const Queue& queue, MonotonicTime now) {
  const auto before = std::exchange(stream_, queue);
  last_use_ = now;
  if (queue->left()) queue->attach();
  if (before && before != queue) {
    before->close();
    while (auto unsent = before->pop()) queue->push({std::move(unsent->text), false});
    std::erase_if(resumable_, [&](const auto& one) { return one.second.queue == before; });
  }
  for (auto& line : buffered_) queue->push({std::move(line), false});
  buffered_.clear();
  buffered_bytes_ = 0;
}

BridgeSession::Queue BridgeSession::stream() const {
  return stream_ && stream_->open() ? stream_ : nullptr;
}

std::uint64_t BridgeSession::add_stream(const Queue& queue) {
  queue->keep();
  resumable_.emplace(++last_stream_, Resumable{queue});
  if (resumable_.size() > kMaxStreams) {
    const auto finished = std::ranges::find_if(
        resumable_, [](const auto& one) { return one.second.forget_at != MonotonicTime::max(); });
    resumable_.erase(finished == resumable_.end() ? resumable_.begin() : finished);
  }
  return last_stream_;
}

BridgeSession::Queue BridgeSession::find_stream(std::uint64_t number) const {
  const auto found = resumable_.find(number);
  return found == resumable_.end() ? nullptr : found->second.queue;
}

void BridgeSession::finish_stream(std::uint64_t number, MonotonicTime now) {
  const auto found = resumable_.find(number);
  if (found != resumable_.end()) found->second.forget_at = now + kKeepFinished;
}

void BridgeSession::forget_streams(MonotonicTime now) {
  std::erase_if(resumable_, [now](const auto& one) { return now >= one.second.forget_at; });
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
  resumable_.clear();
  if (channel_) channel_->end(reason);
}

bool BridgeSession::ended() const { return ended_ || (channel_ && !channel_->accepts()); }

}  // namespace mcpfleet::proxy
