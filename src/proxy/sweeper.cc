#include "proxy/sweeper.h"

#include <poll.h>

#include <utility>

namespace mcpfleet::proxy {

void Sweeper::add(Watched& watched) {
  watched.index_ = all_.size();
  all_.push_back(&watched);
}

void Sweeper::remove(Watched& watched) {
  auto* const last = all_.back();
  all_[watched.index_] = last;
  last->index_ = watched.index_;
  all_.pop_back();
}

void Sweeper::sweep(MonotonicTime now) {
  std::vector<Watched*> late;
  std::vector<Watched*> watched;
  std::vector<pollfd> sockets;
  for (auto* one : all_) {
    if (one->deadline <= now) late.push_back(one);
    if (one->watched_socket < 0) continue;
    watched.push_back(one);
    // POLLRDHUP tells a half-close even while unread bytes wait.
    sockets.push_back({one->watched_socket, POLLRDHUP, 0});
  }
  std::vector<Watched*> gone;
  if (!sockets.empty() && ::poll(sockets.data(), sockets.size(), 0) > 0) {
    for (std::size_t i = 0; i < sockets.size(); ++i)
      if (sockets[i].revents != 0) gone.push_back(watched[i]);
  }
  for (auto* one : late) {
    one->deadline = MonotonicTime::max();
    one->on_deadline();
  }
  for (auto* one : gone) {
    if (std::exchange(one->watched_socket, -1) >= 0) one->on_hangup();
  }
}

}  // namespace mcpfleet::proxy
