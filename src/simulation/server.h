// One simulated server: its pods, the calls that wait for them, and what can be measured there.
//
// A call waits in one queue in front of all pods and is then served for the service time. Thread
// safety: one thread at a time.
#pragma once

#include <cstdint>

#include "simulation/call_queue.h"
#include "simulation/history.h"
#include "simulation/pods.h"
#include "simulation/policy.h"
#include "simulation/wait_window.h"
#include "simulation/workload.h"

namespace mcpfleet::simulation {

class Server {
 public:
  Server(const Workload& workload, int replicas)
      : pod_(workload.pod), rate_(workload.pod.rate()), pods_(pod_, replicas), queue_(workload) {}

  // Lets a second go by in which `arrivals` calls come.
  CallSecond step(double arrivals) {
    pods_.begin(second_);
    const double waiting = queue_.waiting();
    const CallSecond result = queue_.step(arrivals, rate_ * pods_.ready());
    const double busy = result.served * pod_.service_seconds;
    history_.add({arrivals, result.served + result.lost, busy + (waiting + queue_.waiting()) / 2,
                  busy, result.lost, result.wait_sum, static_cast<double>(pods_.ready())});
    waits_.add(result.served + result.lost, queue_.waits());
    pod_seconds_ += pods_.replicas();
    ++second_;
    return result;
  }

  void scale(int replicas) {
    if (replicas != pods_.replicas()) pods_.scale(second_, replicas);
  }
  Seen seen() const {
    return {second_, pods_.ready(), pods_.replicas(), pod_.service_seconds, history_, waits_};
  }

  const Pods& pods() const { return pods_; }
  const CallQueue& queue() const { return queue_; }
  // What was paid for: pods from the write that made them until they have stopped.
  double pod_seconds() const { return pod_seconds_ + pods_.stopping_seconds(); }

 private:
  PodShape pod_;
  double rate_;
  std::int64_t second_ = 0;
  double pod_seconds_ = 0;
  Pods pods_;
  CallQueue queue_;
  History history_;
  WaitWindow waits_;
};

}  // namespace mcpfleet::simulation
