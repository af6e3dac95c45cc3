#include "operator/scaling_loop.h"

#include <condition_variable>
#include <set>
#include <thread>
#include <tuple>

#include "kube/paths.h"
#include "log/log.h"

namespace mcpfleet::op {
namespace {

using std::chrono::seconds;

constexpr const char* kRate = "mcp_requests_per_second";
constexpr const char* kSessions = "mcp_active_sessions";
constexpr seconds kSessionInterval{30};
// How often a server without a value is asked why.
constexpr seconds kExplainInterval{10};

struct Query {
  std::string namespace_;
  std::string metric;
  std::string tool;
  auto operator<=>(const Query&) const = default;
};

bool needs_calls(const std::string& metric) {
  return metric.starts_with("mcp_request_duration_seconds") || metric == "mcp_error_ratio";
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
    counts_[kube::make_key(namespace_, name)] = static_cast<std::int64_t>(value);
  }
}

scaling::Sample absent_sample(const std::string& metric, bool calls_are_counted, std::string why) {
  if (needs_calls(metric) && calls_are_counted) return scaling::Sample::idle();
  return scaling::Sample::missing(std::move(why));
}

class ScalingLoop::Impl {
 public:
  Impl(kube::Client& client, const World& world, const Surroundings& surroundings, Scalers& scalers,
       SessionCounts& sessions, const Clock& clock,
       std::function<void(const std::string& key)> changed)
      : reader_(client),
        world_(world),
        surroundings_(surroundings),
        scalers_(scalers),
        sessions_(sessions),
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
    answers_.clear();
    const auto servers = world_.servers.all();
    read_sessions(servers);
    for (const auto& server : servers) {
      if (stopping()) return;
      if (!server->invalid && server->server.autoscaling && !server->server.deleting &&
          !server->server.autoscaling->rules.empty()) {
        evaluate(server->server);
      }
    }
  }

  void read_sessions(const std::vector<Server>& servers) {
    if (clock_.monotonic() < sessions_due_) return;
    sessions_due_ = clock_.monotonic() + kSessionInterval;
    std::set<std::string> namespaces;
    std::set<std::string> keys;
    for (const auto& server : servers) {
      namespaces.insert(server->namespace_);
      keys.insert(fleet::key(server->server));
    }
    std::erase_if(last_read_, [&](const auto& e) { return !keys.contains(std::get<0>(e.first)); });
    std::erase_if(explained_, [&](const auto& e) { return !keys.contains(std::get<0>(e.first)); });
    for (const auto& name : namespaces) {
      if (stopping()) return;
      if (const auto& values = read({name, kSessions, ""})) sessions_.set(name, *values);
    }
  }

  // One request a round for each query.
  const Result<MetricValues>& read(const Query& query) {
    const auto known = answers_.find(query);
    if (known != answers_.end()) return known->second;
    auto values = reader_.read_all(query.namespace_, query.metric, query.tool);
    if (values.has_value() == failing_.contains(query)) tell(query, values);
    return answers_.emplace(query, std::move(values)).first->second;
  }

  // Once when a query begins to fail, once when it is well again.
  void tell(const Query& query, const Result<MetricValues>& values) {
    if (values) {
      failing_.erase(query);
      log::info("metrics can be read again",
                {{"namespace", query.namespace_}, {"metric", query.metric}});
    } else {
      failing_.insert(query);
      log::warn("metrics cannot be read", {{"namespace", query.namespace_},
                                           {"metric", query.metric},
                                           {"error", values.error().message}});
    }
  }

  void evaluate(const fleet::MCPServer& server) {
    const std::string key = fleet::key(server);
    const auto replicas = replicas_of(server);
    if (!replicas) return;
    const auto now = clock_.wall();
    std::vector<Measured> measured;
    std::set<std::tuple<std::string, std::string>> seen;
    for (const auto& rule : server.autoscaling->rules) {
      auto& last = last_read_[{key, rule.name}];
      if (!scaling::due(rule, last, now) || !seen.insert({rule.metric, rule.tool}).second) continue;
      last = now;
      measured.push_back({rule.metric, rule.tool, sample(server, rule)});
    }
    if (scalers_.tick(server, measured, *replicas, now)) changed_(key);
  }

  // Nothing: there is nothing to scale yet.
  std::optional<int> replicas_of(const fleet::MCPServer& server) const {
    if (server.workload_ref) return surroundings_.workload_replicas(server);
    const auto deployment = world_.deployments.get(fleet::key(server));
    if (deployment == nullptr || deployment->controller_uid != server.uid) return std::nullopt;
    return deployment->seen.replicas;
  }

  scaling::Sample sample(const fleet::MCPServer& server, const fleet::Rule& rule) {
    const Query query{server.namespace_, rule.metric, rule.tool};
    const auto& values = read(query);
    if (!values) return scaling::Sample::missing(values.error().message);
    if (const auto found = values->find(server.name); found != values->end()) {
      return scaling::Sample::of(found->second);
    }
    bool counted = false;
    if (needs_calls(rule.metric)) {
      const auto& rates = read({server.namespace_, kRate, rule.tool});
      counted = rates && rates->contains(server.name);
    }
    return absent_sample(rule.metric, counted, counted ? "" : explain(server, query));
  }

  std::string explain(const fleet::MCPServer& server, const Query& query) {
    auto& known = explained_[{fleet::key(server), query.metric, query.tool}];
    if (known.text.empty() || clock_.monotonic() >= known.until) {
      known.text = reader_.explain(server.namespace_, server.name, query.metric, query.tool);
      if (known.text.empty()) known.text = "the metrics API has no value for " + query.metric;
      known.until = clock_.monotonic() + kExplainInterval;
    }
    return known.text;
  }

  struct Explanation {
    std::string text;
    MonotonicTime until;
  };

  // Constant after construction, or safe by themselves.
  MetricReader reader_;
  const World& world_;
  const Surroundings& surroundings_;
  Scalers& scalers_;
  SessionCounts& sessions_;
  const Clock& clock_;
  const std::function<void(const std::string& key)> changed_;
  // Used by the thread only.
  std::map<Query, Result<MetricValues>> answers_;  // of this round
  std::set<Query> failing_;
  std::map<std::tuple<std::string, std::string>, std::optional<WallTime>> last_read_;
  std::map<std::tuple<std::string, std::string, std::string>, Explanation> explained_;
  MonotonicTime sessions_due_{};
  // Protected by mutex_.
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

ScalingLoop::ScalingLoop(kube::Client& client, const World& world, const Surroundings& surroundings,
                         Scalers& scalers, SessionCounts& sessions, const Clock& clock,
                         std::function<void(const std::string& key)> changed)
    : impl_(std::make_unique<Impl>(client, world, surroundings, scalers, sessions, clock,
                                   std::move(changed))) {}

ScalingLoop::~ScalingLoop() = default;

}  // namespace mcpfleet::op
