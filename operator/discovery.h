// Looks now and then whether the API server has learnt to do more.
//
// Thread safety: construction and destruction from one thread; the callback runs on its own.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <thread>

#include "kube/client.h"
#include "operator/child.h"

namespace mcpfleet::op {

class Discovery {
 public:
  using Found = std::function<void(const std::set<ChildKind>& installed)>;

  // Every few minutes from now on, `found` is told which optional kinds of children there are; not
  // where the API server does not say.
  Discovery(kube::Client& client, Found found);
  ~Discovery();
  Discovery(const Discovery&) = delete;
  Discovery& operator=(const Discovery&) = delete;

 private:
  void run();

  // Constant after construction.
  kube::Client& client_;
  const Found found_;
  // Protected by mutex_.
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;  // last: it uses what is above
};

}  // namespace mcpfleet::op
