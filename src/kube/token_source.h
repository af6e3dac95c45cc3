// The bearer token of requests; of a file it is read again as the file is rotated.
//
// Thread safety: all functions from any thread.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"

namespace mcpfleet::kube {

class TokenSource {
 public:
  // The kubelet rotates a projected token long before it expires (at 80 % of its life).
  static constexpr std::chrono::seconds kReadAgain{30};

  // `fixed` counts where `file` is empty, or cannot be read yet.
  TokenSource(const Clock& clock, std::string fixed, std::string file)
      : clock_(clock), file_(std::move(file)), value_(std::move(fixed)) {}

  // Empty: none.
  std::string value();
  // The server did not accept it: a newer one may be there already.
  void refused();

 private:
  // Constant after construction.
  const Clock& clock_;
  const std::string file_;
  // Protected by mutex_.
  std::mutex mutex_;
  std::string value_;
  std::optional<MonotonicTime> read_;
};

}  // namespace mcpfleet::kube
