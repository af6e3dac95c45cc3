// Looks now and then whether the API server has learnt to do more.
//
// Thread safety: construction and destruction from one thread; the callback runs on its own.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "kube/client.h"

namespace mcpfleet::op {

class Discovery {
 public:
  // Every few minutes from now on, `found` is told whether there are ServiceMonitors; not where the
  // API server does not say.
  Discovery(kube::Client& client, std::function<void(bool service_monitors)> found);
  ~Discovery();
  Discovery(const Discovery&) = delete;
  Discovery& operator=(const Discovery&) = delete;

 private:
  void run();

  // Constant after construction.
  kube::Client& client_;
  const std::function<void(bool service_monitors)> found_;
  // Protected by mutex_.
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;  // last: it uses what is above
};

}  // namespace mcpfleet::op
