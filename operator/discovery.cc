#include "operator/discovery.h"

#include "log/log.h"
#include "operator/capabilities.h"

namespace mcpfleet::op {
namespace {

constexpr std::chrono::minutes kInterval{3};

}  // namespace

Discovery::Discovery(kube::Client& client, Found found)
    : client_(client), found_(std::move(found)), thread_([this] { run(); }) {}

Discovery::~Discovery() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  thread_.join();
}

void Discovery::run() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, kInterval, [this] { return stopping_; })) {
    lock.unlock();
    const auto installed = installed_kinds(client_);
    if (installed) {
      found_(*installed);
    } else {
      log::debug("cannot learn which kinds there are", {{"error", installed.error().message}});
    }
    lock.lock();
  }
}

}  // namespace mcpfleet::op
