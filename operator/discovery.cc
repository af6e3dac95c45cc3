#include "operator/discovery.h"

#include "log/log.h"
#include "operator/capabilities.h"

namespace mcpfleet::op {
namespace {

constexpr std::chrono::minutes kInterval{3};

}  // namespace

Discovery::Discovery(kube::Client& client, std::function<void(bool service_monitors)> found)
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
    const auto exist = has_service_monitors(client_);
    if (exist) {
      found_(*exist);
    } else {
      log::debug("cannot learn whether there are ServiceMonitors",
                 {{"error", exist.error().message}});
    }
    lock.lock();
  }
}

}  // namespace mcpfleet::op
