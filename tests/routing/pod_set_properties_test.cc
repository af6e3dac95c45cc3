// What must hold for any course of events. Seeds are fixed, so a failure comes again.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "pods.h"

namespace mcpfleet::routing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kPods = 8;

class Course {
 public:
  explicit Course(std::uint64_t seed) : random_(seed), settings_(any_settings()) {
    pods_.emplace(settings_, max_sessions_);
  }

  void step() {
    now_ += milliseconds(random_.below(4000));
    switch (random_.below(10)) {
      case 0:
        update();
        break;
      case 1:
        check_pods();
        break;
      case 2:
        pods_->set_draining(any_pod());
        break;
      case 3:
        end_session();
        break;
      case 4:
        if (random_.below(20) == 0) {
          settings_ = any_settings();
          pods_->change(settings_, max_sessions_, now_);
        }
        break;
      case 5:
      case 6:
        end_call();
        break;
      default:
        choose();
    }
    check();
  }

 private:
  fleet::TrafficSettings any_settings() {
    fleet::TrafficSettings settings;
    settings.load_balancing.policy = static_cast<fleet::LoadBalancingPolicy>(random_.below(5));
    settings.ejection.consecutive_failures = static_cast<int>(random_.below(4));
    settings.ejection.max_percent = static_cast<int>(random_.below(101));
    settings.ejection.base_time = seconds(1 + random_.below(30));
    settings.ejection.max_time = seconds(30 + random_.below(60));
    settings.ejection.slow_start = seconds(random_.below(30));
    settings.health.unhealthy_threshold = static_cast<int>(1 + random_.below(3));
    max_sessions_ = random_.below(2) == 0 ? 0 : 1 + random_.below(5);
    return settings;
  }
  Endpoint any_endpoint(int number) {
    switch (random_.below(4)) {
      case 0:
        return terminating(number);
      case 1:
        return unready(number);
      default:
        return ready(number);
    }
  }
  PodId any_pod() { return id_of(*pods_, static_cast<int>(random_.below(kPods))); }

  void update() {
    std::vector<Endpoint> endpoints;
    for (int i = 0; i < kPods; ++i)
      if (random_.below(4) > 0) endpoints.push_back(any_endpoint(i));
    const auto before = pods_->size();
    const auto changes = pods_->update(endpoints, now_);
    EXPECT_EQ(pods_->size(), endpoints.size());
    EXPECT_EQ(before + changes.added.size() - changes.removed.size(), endpoints.size());
    for (const auto id : changes.removed) EXPECT_EQ(pods_->get(id), nullptr);
    for (const auto id : changes.added) EXPECT_EQ(pods_->get(id)->stats.requests, 0U);
  }
  void check_pods() {
    while (const auto due = pods_->take_check(now_)) {
      EXPECT_TRUE(pods_->get(*due)->endpoint.ready);
      if (random_.below(3) == 0) pods_->update(std::vector<Endpoint>{}, now_);
      pods_->checked(*due, {.ok = random_.below(3) > 0}, now_);
    }
    EXPECT_GT(pods_->next_check(), now_);
  }
  void end_session() {
    if (sessions_.empty()) return;
    pods_->session_ended(sessions_.back());
    sessions_.pop_back();
  }
  void end_call() {
    if (calls_.empty()) return;
    const auto one = random_.below(static_cast<std::uint32_t>(calls_.size()));
    const auto outcome = static_cast<Outcome>(random_.below(7));
    const auto limit = ejected_limit();
    const auto ejected = pods_->end(calls_[one], outcome, milliseconds(random_.below(500)), now_);
    if (ejected) {
      EXPECT_TRUE(is_failure(outcome));
      EXPECT_LE(*ejected, settings_.ejection.max_time);
      EXPECT_LE(count_ejected(), limit);
      EXPECT_GT(settings_.ejection.consecutive_failures, 0);
    }
    calls_.erase(calls_.begin() + one);
  }

  void choose() {
    const auto purpose = random_.below(2) == 0 ? Purpose::Call : Purpose::NewSession;
    std::vector<PodId> tried;
    for (auto i = random_.below(3); i > 0; --i) tried.push_back(any_pod());
    const auto id = pods_->choose(purpose, tried, now_, random_);
    if (!id) {
      expect_none_allowed(purpose, id.error().limit);
      return;
    }
    const Pod* pod = pods_->get(*id);
    ASSERT_NE(pod, nullptr);
    expect_allowed(*pod, purpose, tried);
    pods_->begin(*id, now_);
    calls_.push_back(*id);
    if (purpose == Purpose::NewSession) {
      pods_->session_began(*id);
      sessions_.push_back(*id);
    }
  }

  // What the rules say, in other words than those of the code.
  bool new_ones(const Pod& pod) const { return pod.endpoint.ready && !pod.draining; }
  bool room(const Pod& pod, Purpose purpose) const {
    return purpose == Purpose::Call || max_sessions_ == 0 || pod.stats.sessions < max_sessions_;
  }
  int rank(const Pod& pod, Purpose purpose) const {
    if (new_ones(pod)) return pod.up(now_) ? 3 : 2;
    return purpose == Purpose::Call && pod.endpoint.serving ? 1 : 0;
  }
  void expect_allowed(const Pod& chosen, Purpose purpose, const std::vector<PodId>& tried) const {
    const int want = rank(chosen, purpose);
    EXPECT_GT(want, 0);
    EXPECT_TRUE(room(chosen, purpose));
    const auto was_tried = [&](const Pod& pod) { return std::ranges::count(tried, pod.id) > 0; };
    pods_->each([&](PodId, const Pod& other) {
      EXPECT_LE(rank(other, purpose), want) << other.endpoint.pod;
      if (was_tried(chosen) && rank(other, purpose) == want && room(other, purpose)) {
        EXPECT_TRUE(was_tried(other)) << other.endpoint.pod;
      }
    });
  }
  void expect_none_allowed(Purpose purpose, Limit limit) const {
    int best = 0;
    pods_->each([&](PodId, const Pod& pod) { best = std::max(best, rank(pod, purpose)); });
    if (pods_->size() == 0) {
      EXPECT_EQ(limit, Limit::NoPods);
    } else if (best == 0) {
      EXPECT_EQ(limit, Limit::NoneReady);
    } else {
      EXPECT_EQ(limit, Limit::PodSessions);
      pods_->each([&](PodId, const Pod& pod) {
        EXPECT_TRUE(rank(pod, purpose) < best || !room(pod, purpose)) << pod.endpoint.pod;
      });
    }
  }

  int count_ejected() const {
    int count = 0;
    pods_->each([&](PodId, const Pod& pod) {
      if (pod.endpoint.ready && pod.ejection.ejected(now_)) ++count;
    });
    return count;
  }
  int ejected_limit() const {
    int ready = 0;
    pods_->each([&](PodId, const Pod& pod) { ready += pod.endpoint.ready ? 1 : 0; });
    return std::max(
        {ready * settings_.ejection.max_percent / 100, ready > 1 ? 1 : 0, count_ejected()});
  }

  // Counts are what was begun and has not ended, at pods that are still there.
  void check() const {
    std::size_t calls = 0;
    std::size_t sessions = 0;
    pods_->each([&](PodId id, const Pod& pod) {
      const auto in_flight = static_cast<std::size_t>(std::ranges::count(calls_, id));
      EXPECT_EQ(pod.stats.in_flight, in_flight);
      EXPECT_EQ(pod.stats.sessions, static_cast<std::size_t>(std::ranges::count(sessions_, id)));
      EXPECT_LE(pod.stats.errors, pod.stats.requests);
      calls += in_flight;
      sessions += pod.stats.sessions;
      EXPECT_EQ(pods_->find(pod.endpoint.pod, pod.endpoint.address), id);
    });
    EXPECT_LE(calls, calls_.size());
    EXPECT_LE(sessions, sessions_.size());
  }

  Random random_;
  std::uint32_t max_sessions_ = 0;
  fleet::TrafficSettings settings_;
  std::optional<PodSet> pods_;
  MonotonicTime now_ = kStart;
  std::vector<PodId> calls_;
  std::vector<PodId> sessions_;
};

TEST(PodSetPropertyTest, OnlyWhoIsAllowedIsChosenAndCountsAreRight) {
  for (std::uint64_t seed = 1; seed <= 50 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Course course(seed);
    for (int i = 0; i < 1000 && !testing::Test::HasFailure(); ++i) course.step();
  }
}

}  // namespace
}  // namespace mcpfleet::routing
