// One long answer of the API server, handed from the HTTP client's thread to the one that reads it.
//
// Thread safety: handler()'s functions run on the client's thread, stop() on any, the rest on the
// reader's.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "http/client.h"

namespace mcpfleet::kube {

class Transfer {
 public:
  // What may wait for the reader: beyond it the rest is left to wait in the network.
  static constexpr std::size_t kMostWaiting = 128UL * 1024;

  // For the stream to be read. The Transfer must outlive it.
  http::StreamHandler handler();

  enum class State { More, Ended, Silent, Stopped };
  // Waits for data, the end, or stop(), for `most` at most (Silent); then appends to `out` what
  // came.
  State wait(http::Stream& stream, std::string& out, Duration most);
  void stop();

  // The HTTP status; 0 before there is one.
  int status() const;
  // Why it ended; nothing where the server ended it properly.
  std::optional<Error> error() const;
  // What the server asked for, 30 s at most.
  std::optional<Duration> retry_after() const;

 private:
  void head(int status, const http::Headers& headers);
  void append(std::string_view data);
  void end(std::optional<Error> error);

  // Protected by mutex_.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string data_;
  int status_ = 0;
  bool ended_ = false;
  bool stopped_ = false;
  std::optional<Error> error_;
  std::optional<Duration> retry_after_;
};

}  // namespace mcpfleet::kube
