// The pods of one server: which there are, how they do, and which one gets the next call.
//
//   auto pod = pods.choose(Purpose::Call, tried, now, random);
//   pods.begin(*pod, now);
//   ... pass it on ...
//   pods.end(*pod, outcome, took, now);
//
// Statistics are kept for as long as a pod is told of by the same name and address.
//
// Pure: time and chance are arguments. Thread safety: none; one owner.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "fleet/gateway_settings.h"
#include "routing/balancer.h"
#include "routing/pod.h"
#include "routing/refusal.h"

namespace mcpfleet::routing {

class PodSet {
 public:
  // After how long somebody should try again where there is no pod: they come at any time.
  static constexpr Duration kNoPodRetry = std::chrono::seconds(2);

  struct Changes {
    std::vector<PodId> added;
    std::vector<PodId> removed;
  };

  // `max_sessions`: of each pod, at which it gets no new one; 0: any number.
  PodSet(fleet::TrafficSettings settings, std::uint32_t max_sessions);

  // Other settings from now on; what is known of the pods stays.
  void change(const fleet::TrafficSettings& settings, std::uint32_t max_sessions,
              MonotonicTime now);
  // All endpoints as they are now, one of each pod and address (EndpointSlices::joined()).
  Changes update(std::span<const Endpoint> endpoints, MonotonicTime now);

  // The pod for a call or a new session, by the policy of the settings. `tried` are left out where
  // there are others, and so are those whose connections are all in use. Who may be chosen:
  //   pods that are ready, do not drain, and are up;
  //   where all of those are ejected or unhealthy: all that are ready and do not drain;
  //   for a Call where there are none: those that serve although they end or drain, as
  //   kube-proxy does.
  // Refusals: NoPods, NoneReady, PodSessions.
  std::expected<PodId, Refusal> choose(Purpose purpose, std::span<const PodId> tried,
                                       MonotonicTime now, Random& random);
  // The pod of an old session, in whatever state it is: who left a session there finds it nowhere
  // else. Nothing: it is gone; another address is another life of a pod of that name.
  std::optional<PodId> find(std::string_view pod, std::string_view address) const;
  // Whether there is a pod for a call that is not one of these.
  bool other_than(std::span<const PodId> tried, Purpose purpose, MonotonicTime now);

  // Null: it is gone. Valid until update().
  const Pod* get(PodId id) const;
  std::size_t size() const { return by_name_.size(); }
  // Each pod, by name: function(PodId, const Pod&). For metrics, /metrics.json and logs.
  template <typename Function>
  void each(Function function) const {
    for (const Pod* pod : by_name_) function(pod->id, *pod);
  }
  // How many are ready, and how many of those are up.
  struct Counts {
    std::size_t ready = 0;
    std::size_t up = 0;
  };
  Counts counts(MonotonicTime now) const;

  // A call begins at a pod, and ends. Each begin() has its end(). The time for which the pod is
  // ejected, where that is what follows from its end.
  void begin(PodId id, MonotonicTime now);
  std::optional<Duration> end(PodId id, Outcome outcome, Duration took, MonotonicTime now);

  // A session is there, or is no more. LiveSessions calls these.
  void session_began(PodId id);
  void session_ended(PodId id);
  // The pod refused a new session because it is about to end. It gets none until a check says
  // otherwise, or it becomes ready anew.
  void set_draining(PodId id);

  // Active checks of the pods that are ready. When the next one is due; MonotonicTime::max(): none.
  MonotonicTime next_check() const { return next_check_; }
  // A pod to check now, by settings().health: connect as that says, and tell the result by
  // checked(), always. Ask until there is none.
  std::optional<PodId> take_check(MonotonicTime now);
  // True: the pod has gone down, or has come up.
  bool checked(PodId id, const CheckResult& result, MonotonicTime now);

 private:
  struct Slot {
    std::uint32_t life = 0;
    std::unique_ptr<Pod> pod;  // null: free
  };

  Pod* find_mutable(PodId id) const;
  Pod* find_mutable(std::string_view pod, std::string_view address) const;
  Pod& add(const Endpoint& endpoint, MonotonicTime now);
  void adopt(Pod& pod, const Endpoint& endpoint, MonotonicTime now);
  int weight_of(const Endpoint& endpoint) const;
  void look(MonotonicTime now);
  std::span<Pod* const> candidates(Purpose purpose, MonotonicTime now);
  bool has_connection(const Pod& pod) const;
  template <typename Wanted>
  void keep_some(std::span<Pod* const> pods, Wanted wanted);
  bool may_eject(MonotonicTime now) const;
  void find_next_check();

  fleet::TrafficSettings settings_;
  std::uint32_t max_sessions_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;  // slots
  std::vector<Pod*> by_name_;        // and address
  MonotonicTime next_check_ = MonotonicTime::max();

  // Who may be chosen, as of the last look(); anew when that may have changed.
  std::vector<Pod*> up_;
  std::vector<Pod*> ready_;
  std::vector<Pod*> ending_;
  MonotonicTime look_again_ = MonotonicTime::min();
  std::vector<Pod*> some_;  // for choose(), so that it need not allocate
};

}  // namespace mcpfleet::routing
