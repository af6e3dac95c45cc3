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
    asio::post(io_, [self = shared_from_this()] {
      if (self->connection) self->connection->close();
    });
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
  bool cancelled() {
    std::lock_guard lock(mutex_);
    return cancelled_;
  }

  std::unique_ptr<Connection> connection;  // the client's thread only

 private:
  asio::io_context& io_;
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

 private:
  std::shared_ptr<StreamImpl> stream_;
};

// Connects, sends the request and hands on what arrives, until the end.
asio::awaitable<void> run_stream(Connector* connector, std::shared_ptr<StreamImpl> stream,
                                 Endpoint endpoint, BeastRequest request, Time connect_deadline,
                                 std::chrono::milliseconds idle);

}  // namespace mcpfleet::http
