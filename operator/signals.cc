#include "operator/signals.h"

#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <thread>

namespace mcpfleet::op {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kGrace{1500};

}  // namespace

struct Signals::State {
  std::mutex mutex;
  std::condition_variable changed;
  bool came = false;
};

Signals::Signals() : state_(std::make_shared<State>()) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::thread([state = state_, set] {
    int signal = 0;
    sigwait(&set, &signal);
    {
      std::lock_guard lock(state->mutex);
      state->came = true;
      state->changed.notify_all();
    }
    std::this_thread::sleep_for(kGrace);
    std::_Exit(0);
  }).detach();
}

bool Signals::came() const {
  std::lock_guard lock(state_->mutex);
  return state_->came;
}

bool Signals::wait(milliseconds timeout, const std::function<bool()>& also) const {
  std::unique_lock lock(state_->mutex);
  return state_->changed.wait_for(lock, timeout, [&] { return state_->came || also(); });
}

void Signals::poke() const {
  std::lock_guard lock(state_->mutex);
  state_->changed.notify_all();
}

}  // namespace mcpfleet::op
