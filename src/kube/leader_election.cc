#include "kube/leader_election.h"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <utility>

#include "kube/paths.h"
#include "log/log.h"

namespace mcpfleet::kube {
namespace {

using std::chrono::milliseconds;

class ThreadElector final : public LeaderElector {
 public:
  ThreadElector(Client& client, const Clock& clock, LeaderElectionOptions options,
                std::function<void()> changed)
      : client_(client),
        clock_(clock),
        options_(std::move(options)),
        changed_(std::move(changed)),
        collection_(collection_path(kLeaseApiVersion, options_.namespace_, kLeasePlural)),
        path_(object_path(kLeaseApiVersion, options_.namespace_, kLeasePlural, options_.name)),
        machine_(options_.identity, options_.terms) {
    thread_ = std::thread([this] { run(); });
  }

  ~ThreadElector() override { stop(); }

  std::uint64_t term() const override {
    std::lock_guard lock(mutex_);
    return leads() ? shown_.term : 0;
  }

  std::string holder() const override {
    std::lock_guard lock(mutex_);
    return shown_.holder;
  }

  ObjectReference lease() const override {
    std::lock_guard lock(mutex_);
    return {kLeaseApiVersion, "Lease", options_.namespace_, options_.name, shown_.uid};
  }

  Result<milliseconds> may_write() override {
    std::lock_guard lock(mutex_);
    if (!leads()) {
      return fail(ErrorKind::Unavailable, "not sent: this replica does not hold the Lease " +
                                              make_key(options_.namespace_, options_.name));
    }
    return std::chrono::floor<milliseconds>(*shown_.holds_until - clock_.monotonic());
  }

  void retire() override {
    std::lock_guard lock(mutex_);
    retired_ = true;
  }

  void release() override {
    stop();
    const auto record = machine_.release(clock_.wall());
    if (!record) return;
    auto written = client_.merge_patch(path_, encode_lease_patch(*record), options_.field_manager);
    if (written) {
      log::info("released the lease", {{"identity", options_.identity}});
    } else {
      log::warn("the lease is not released", {{"error", written.error().message}});
    }
    machine_.released(clock_.monotonic());
    show();
  }

 private:
  // What other threads see of the machine.
  struct Shown {
    std::uint64_t term = 0;
    std::optional<MonotonicTime> leads_until;
    std::optional<MonotonicTime> holds_until;
    std::string holder;
    std::string uid;
  };

  // Needs the lock.
  bool leads() const {
    return !retired_ && shown_.leads_until && clock_.monotonic() < *shown_.leads_until;
  }

  void run() {
    while (true) {
      const auto step = machine_.next(clock_.monotonic(), clock_.wall());
      if (!pause(step.wait)) return;
      if (step.action != ElectionStep::Action::Wait) attempt(step);
      show();
    }
  }

  // Waits; false when it is to stop.
  bool pause(Duration delay) {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, delay, [this] { return stopping_; });
    return !stopping_;
  }

  void stop() {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
      wake_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
  }

  void attempt(const ElectionStep& step) {
    const auto sent = clock_.monotonic();
    auto answer = ask(step);
    const auto now = clock_.monotonic();
    const bool reading = step.action == ElectionStep::Action::Read;
    if (!answer && reading && answer.error().kind == ErrorKind::NotFound) {
      return machine_.absent(now, jitter());
    }
    if (!answer) return failed(answer.error());
    auto record = decode_lease(*answer);
    if (!record) return failed(record.error());
    trouble_.clear();
    if (reading) return machine_.read(std::move(*record), now, jitter());
    machine_.written(std::move(*record), sent, now);
  }

  Result<std::string> ask(const ElectionStep& step) {
    switch (step.action) {
      case ElectionStep::Action::Create:
        return client_.create_object(collection_,
                                     encode_lease(step.record, options_.namespace_, options_.name));
      case ElectionStep::Action::Update:
        return client_.merge_patch(path_, encode_lease_patch(step.record), options_.field_manager);
      default:
        return client_.get(path_);
    }
  }

  void failed(const Error& error) {
    machine_.failed(error, clock_.monotonic(), jitter());
    const bool usual = error.kind == ErrorKind::Conflict || error.kind == ErrorKind::AlreadyExists;
    // Once for each new trouble, not once a try.
    const bool known = std::exchange(trouble_, error.message) == error.message;
    (usual || known ? log::debug : log::warn)("the lease cannot be read or renewed",
                                              {{"error", error.message}});
  }

  // Tells other threads, and people, what came of it.
  void show() {
    const std::uint64_t term = machine_.leads_until() ? machine_.term() : 0;
    const auto& record = machine_.record();
    const std::string holder = record ? record->holder : "";
    {
      std::lock_guard lock(mutex_);
      shown_ = {term, machine_.leads_until(), machine_.holds_until(), holder,
                record ? record->uid : ""};
    }
    const bool role_changed = term != std::exchange(told_term_, term);
    const bool holder_changed = holder != std::exchange(told_holder_, holder);
    if (role_changed) {
      (term != 0 ? log::info : log::warn)(
          term != 0 ? "leads" : "does not lead any more",
          {{"lease", path_}, {"identity", options_.identity}, {"holder", holder}});
      changed_();
    } else if (holder_changed && term == 0) {
      log::info("stands by", {{"identity", options_.identity}, {"holder", holder}});
    }
  }

  double jitter() { return std::uniform_real_distribution<double>(0.0, 1.0)(random_); }

  // Constant after construction.
  Client& client_;
  const Clock& clock_;
  const LeaderElectionOptions options_;
  const std::function<void()> changed_;
  const std::string collection_;
  const std::string path_;
  // Used by the thread only, and after its end by release().
  ElectionMachine machine_;
  std::minstd_rand random_{std::random_device{}()};
  std::string trouble_;  // the last error since the last success
  std::uint64_t told_term_ = 0;
  std::string told_holder_;
  // Protected by mutex_.
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  Shown shown_;
  bool retired_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<LeaderElector> LeaderElector::start(Client& client, const Clock& clock,
                                                    LeaderElectionOptions options,
                                                    std::function<void()> changed) {
  return std::make_unique<ThreadElector>(client, clock, std::move(options), std::move(changed));
}

}  // namespace mcpfleet::kube
