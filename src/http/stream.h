// A running stream of a Client, such as a watch. Internal to src/http.
#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "http/connection.h"

namespace mcpfleet::http {

// Where the reading coroutine and the one who cancels meet.
// Thread safety: cancel() and cancelled() from any thread; the rest on the io_context's thread.
class StreamImpl final : public Stream, public std::enable_shared_from_this<StreamImpl> {
 public:
  StreamImpl(asio::io_context& io, StreamHandler handler) : io_(io), handler_(std::move(handler)) {}

  void cancel() override {
    {
      std::lock_guard lock(mutex_);
      cancelled_ = true;
    }
    post([](StreamImpl& self) { self.close(); });
  }

  void resume() override {
    post([](StreamImpl& self) { self.wake(); });
  }

  // Each of these tells whether the stream goes on.
  bool head(int status, const Headers& headers) {
    std::lock_guard lock(mutex_);
    if (!cancelled_ && handler_.on_head) handler_.on_head(status, headers);
    return !cancelled_;
  }
  bool data(std::string_view bytes) {
    std::lock_guard lock(mutex_);
    if (!cancelled_ && handler_.on_data) handler_.on_data(bytes);
    return !cancelled_;
  }
  void end(std::optional<Error> error) {
    std::lock_guard lock(mutex_);
    if (!cancelled_ && handler_.on_end) handler_.on_end(std::move(error));
    cancelled_ = true;
  }
  bool full() {
    std::lock_guard lock(mutex_);
    return !cancelled_ && handler_.full && handler_.full();
  }
  bool cancelled() {
    std::lock_guard lock(mutex_);
    return cancelled_;
  }

  // The client's thread only, up to the end of the members that are public.
  void close() {
    wake();
    if (connection) connection->close();
  }
  // The client ends, and may be gone before what the caller holds.
  void abandon() {
    close();
    std::lock_guard lock(life_mutex_);
    abandoned_ = true;
  }
  // Until resume() or close().
  asio::awaitable<void> paused() {
    asio::steady_timer pause(io_, Time::max());
    pause_ = &pause;
    error_code ec;
    co_await pause.async_wait(redirect_error(use_awaitable, ec));
    pause_ = nullptr;
  }
  std::unique_ptr<Connection> connection;

 private:
  void wake() {
    if (pause_) pause_->cancel();
  }
  template <typename Action>
  void post(Action action) {
    std::lock_guard lock(life_mutex_);
    if (!abandoned_) asio::post(io_, [self = shared_from_this(), action] { action(*self); });
  }

  asio::io_context& io_;
  asio::steady_timer* pause_ = nullptr;  // while paused() waits
  std::mutex life_mutex_;                // not held in callbacks, unlike mutex_
  bool abandoned_ = false;               // protected by life_mutex_; io_ may be gone
  // Recursive: a callback may cancel its own stream. Held during callbacks, so that none runs once
  // cancel() returned.
  std::recursive_mutex mutex_;
  StreamHandler handler_;
  bool cancelled_ = false;
};

// What the caller holds; letting go of it cancels.
class StreamHandle final : public Stream {
 public:
  explicit StreamHandle(std::shared_ptr<StreamImpl> stream) : stream_(std::move(stream)) {}
  ~StreamHandle() override { stream_->cancel(); }
  void cancel() override { stream_->cancel(); }
  void resume() override { stream_->resume(); }

 private:
  std::shared_ptr<StreamImpl> stream_;
};

// Connects, sends the request and hands on what arrives, until the end.
asio::awaitable<void> run_stream(Connector* connector, std::shared_ptr<StreamImpl> stream,
                                 Endpoint endpoint, BeastRequest request, Time connect_deadline,
                                 std::chrono::milliseconds idle);

}  // namespace mcpfleet::http
