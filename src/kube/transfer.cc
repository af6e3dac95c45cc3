#include "kube/transfer.h"

#include <utility>

#include "kube/status.h"

namespace mcpfleet::kube {
namespace {

constexpr std::chrono::seconds kMaxRetryAfter{30};

}  // namespace

http::StreamHandler Transfer::handler() {
  return {.on_head = [this](int status, const http::Headers& headers) { head(status, headers); },
          .on_data = [this](std::string_view data) { append(data); },
          .full =
              [this] {
                std::lock_guard lock(mutex_);
                return data_.size() >= kMostWaiting;
              },
          .on_end = [this](std::optional<Error> error) { end(std::move(error)); }};
}

Transfer::State Transfer::wait(http::Stream& stream, std::string& out, Duration most) {
  // Gives back what a burst needed, before it waits perhaps for long.
  if (out.empty()) out = std::string();
  bool was_full = false;
  State state = State::More;
  {
    std::unique_lock lock(mutex_);
    const bool came =
        changed_.wait_for(lock, most, [this] { return stopped_ || ended_ || !data_.empty(); });
    was_full = data_.size() >= kMostWaiting;
    if (out.empty()) {
      std::swap(out, data_);
    } else {
      out += data_;
    }
    data_.clear();
    if (stopped_) {
      state = State::Stopped;
    } else if (ended_) {
      state = State::Ended;
    } else if (!came) {
      state = State::Silent;
    }
  }
  if (was_full) stream.resume();
  return state;
}

void Transfer::stop() {
  std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

int Transfer::status() const {
  std::lock_guard lock(mutex_);
  return status_;
}

std::optional<Error> Transfer::error() const {
  std::lock_guard lock(mutex_);
  return error_;
}

std::optional<Duration> Transfer::retry_after() const {
  std::lock_guard lock(mutex_);
  return retry_after_;
}

void Transfer::head(int status, const http::Headers& headers) {
  std::lock_guard lock(mutex_);
  status_ = status;
  if (const auto after = kube::retry_after(headers, kMaxRetryAfter)) retry_after_ = *after;
}

void Transfer::append(std::string_view data) {
  std::lock_guard lock(mutex_);
  data_ += data;
  changed_.notify_all();
}

void Transfer::end(std::optional<Error> error) {
  std::lock_guard lock(mutex_);
  if (ended_) return;
  ended_ = true;
  error_ = std::move(error);
  changed_.notify_all();
}

}  // namespace mcpfleet::kube
