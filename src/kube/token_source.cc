#include "kube/token_source.h"

#include <fstream>

namespace mcpfleet::kube {

std::string TokenSource::value() {
  std::lock_guard lock(mutex_);
  const auto now = clock_.monotonic();
  if (!file_.empty() && (!read_ || now - *read_ >= kReadAgain)) {
    std::ifstream in(file_);
    std::string text;
    // A token that cannot be read now may be readable soon: the old one is kept.
    if (in >> text) value_ = text;
    read_ = now;
  }
  return value_;
}

void TokenSource::refused() {
  std::lock_guard lock(mutex_);
  read_.reset();
}

}  // namespace mcpfleet::kube
