#include "operator/scaling_loop.h"

#include <array>
#include <condition_variable>
#include <map>
#include <set>
#include <thread>

#include "kube/paths.h"
#include "log/log.h"
#include "operator/gatherer.h"
#include "operator/pod_counts.h"
#include "operator/scale_writer.h"

namespace mcpfleet::op {
namespace {

using std::chrono::seconds;

constexpr const char* kSessions = "mcp_active_sessions";
constexpr seconds kSessionInterval{30};
constexpr std::array kLoads{scaling::Signal::RequestsPerSecond, scaling::Signal::Concurrency,
                            scaling::Signal::Sessions};

bool is_decided(const ServerEntry& entry) {
  return !entry.invalid && entry.server.autoscaling && !entry.server.deleting &&
         fleet::decides(*entry.server.autoscaling);
}

// What is done is told when it is stored; this is what only would be done.
void tell_decision(const std::string& key, const scaling::LoggedDecision& decision) {
  const bool would = !decision.acted && decision.advised != decision.from;
  (would ? log::info : log::debug)(would ? "would scale" : "decided",
                                   {{"server", key},
                                    {"from", decision.from},
                                    {"to", decision.acted ? decision.to : decision.advised},
                                    {"by", decision.by},
                                    {"reason", decision.reason},
                                    {"message", decision.message}});
}

}  // namespace

std::optional<std::int64_t> SessionCounts::of(const std::string& key) const {
  std::lock_guard lock(mutex_);
  const auto found = counts_.find(key);
  return found == counts_.end() ? std::nullopt : std::optional(found->second);
}

void SessionCounts::set(const std::string& namespace_, const MetricValues& values) {
  std::lock_guard lock(mutex_);
  std::erase_if(counts_, [&](const auto& entry) {
    return kube::split_key(entry.first).namespace_ == namespace_;
  });
  for (const auto& [name, value] : values) {
    counts_[kube::make_key(namespace_, name)] = static_cast<std::int64_t>(value.value);
  }
}

class ScalingLoop::Impl {
 public:
  Impl(kube::Client& client, const World& world, const Surroundings& surroundings, Scalers& scalers,
       SessionCounts& sessions, Telemetry& telemetry, const Clock& clock,
       std::function<void(const std::string& key)> changed)
      : client_(client),
        world_(world),
        surroundings_(surroundings),
        scalers_(scalers),
        sessions_(sessions),
        telemetry_(telemetry),
        clock_(clock),
        changed_(std::move(changed)),
        thread_([this] { run(); }) {}

  ~Impl() {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
      wake_.notify_all();
    }
    thread_.join();
  }

 private:
  using Server = std::shared_ptr<const ServerEntry>;

  void run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      const auto next = std::chrono::steady_clock::now() + seconds(1);
      lock.unlock();
      round();
      lock.lock();
      wake_.wait_until(lock, next, [this] { return stopping_; });
    }
  }

  bool stopping() {
    std::lock_guard lock(mutex_);
    return stopping_;
  }

  void round() {
    const auto servers = world_.servers.all();
    gatherer_.begin_round(servers);
    read_sessions(servers);
    std::set<std::string> decided;
    std::set<std::string_view> uids;
    for (const auto& server : servers) {
      if (stopping()) return;
      if (!is_decided(*server)) continue;
      decided.insert(fleet::key(server->server));
      uids.insert(server->uid);
      decide(server->server);
    }
    telemetry_.keep_advised(decided);
    std::erase_if(recalled_, [&](const auto& entry) { return !uids.contains(entry.first.first); });
    std::erase_if(failing_writes_, [&](const std::string& key) { return !decided.contains(key); });
  }

  void read_sessions(const std::vector<Server>& servers) {
    if (clock_.monotonic() < sessions_due_) return;
    sessions_due_ = clock_.monotonic() + kSessionInterval;
    std::set<std::string> namespaces;
    for (const auto& server : servers) namespaces.insert(server->namespace_);
    for (const auto& name : namespaces) {
      if (stopping()) return;
      if (const auto& values = gatherer_.read({name, kSessions, "", {}}))
        sessions_.set(name, *values);
    }
  }

  void decide(const fleet::MCPServer& server) {
    const std::string key = fleet::key(server);
    const auto scaled = scaled_of(server);
    if (!scaled) return;
    const auto now = clock_.wall();
    const Replicas replicas{
        scaled->counts.replicas,
        pods_of(scaled->counts,
                server.workload_ref ? std::vector<desired::ObservedPod>{} : world_.pods.of(key))};
    auto tick = gatherer_.gather(server, now);
    if (server.autoscaling->forecast) recall(server, tick.facts, replicas, now);
    const auto ticked = scalers_.tick(server, std::move(tick), replicas, now);
    if (ticked.begun) tell_decision(key, *ticked.begun);
    telemetry_.set_advised(key, ticked.advised);
    if (ticked.write && !scaled->contested) write(server, replicas.pods.wanted, *ticked.write);
    if (ticked.tell) changed_(key);
  }

  // Before the first value of a load counts, its past is read, if it can be.
  void recall(const fleet::MCPServer& server, const scaling::Facts& facts, const Replicas& replicas,
              WallTime now) {
    const auto needed = needed_signals(server);
    for (const auto signal : kLoads) {
      if (!needed[scaling::index(signal)]) continue;
      auto& recalled = recalled_[{server.uid, signal}];
      if (recalled) continue;
      recalled = facts[signal].kind == scaling::Measurement::Kind::Value;
      const auto minutes = gatherer_.past(server, signal);
      if (!minutes) continue;
      recalled = true;
      scalers_.recall(server, signal, *minutes, replicas, now);
    }
  }

  // Nothing: there is nothing to scale yet.
  std::optional<Workloads::Scaled> scaled_of(const fleet::MCPServer& server) const {
    if (server.workload_ref) return surroundings_.scaled_workload(server);
    const auto deployment = world_.deployments.get(fleet::key(server));
    if (deployment == nullptr || deployment->controller_uid != server.uid) return std::nullopt;
    return Workloads::Scaled{deployment->seen, false};
  }

  void write(const fleet::MCPServer& server, int before, int replicas) {
    const std::string key = fleet::key(server);
    const auto written = write_scale(client_, server, replicas);
    if (written) {
      scalers_.wrote(key, before, replicas, clock_.wall());
      failing_writes_.erase(key);
      log::info("scaled", {{"server", key}, {"from", before}, {"to", replicas}});
    } else if (failing_writes_.insert(key).second) {
      log::warn("cannot scale, and goes on trying",
                {{"server", key}, {"to", replicas}, {"error", written.error().message}});
    }
  }

  // Constant after construction, or safe by themselves.
  kube::Client& client_;
  const World& world_;
  const Surroundings& surroundings_;
  Scalers& scalers_;
  SessionCounts& sessions_;
  Telemetry& telemetry_;
  const Clock& clock_;
  const std::function<void(const std::string& key)> changed_;
  // Used by the thread only.
  Gatherer gatherer_{client_, world_, clock_};
  std::set<std::string> failing_writes_;  // by server key
  // Of a life: whose past was read, or is of no use any more. By uid.
  std::map<std::pair<std::string, scaling::Signal>, bool> recalled_;
  MonotonicTime sessions_due_{};
  // Protected by mutex_.
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

ScalingLoop::ScalingLoop(kube::Client& client, const World& world, const Surroundings& surroundings,
                         Scalers& scalers, SessionCounts& sessions, Telemetry& telemetry,
                         const Clock& clock, std::function<void(const std::string& key)> changed)
    : impl_(std::make_unique<Impl>(client, world, surroundings, scalers, sessions, telemetry, clock,
                                   std::move(changed))) {}

ScalingLoop::~ScalingLoop() = default;

}  // namespace mcpfleet::op
