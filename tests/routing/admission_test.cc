#include "routing/admission.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/random.h"
#include "pods.h"

namespace mcpfleet::routing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

CallerId caller(std::uint64_t number) { return {.high = 1, .low = number}; }

class AdmissionTest : public testing::Test {
 protected:
  static fleet::Limits limits(int in_flight, int queue) {
    fleet::Limits limits;
    limits.max_in_flight = in_flight;
    limits.max_queue = queue;
    limits.queue_timeout = seconds(10);
    return limits;
  }
  bool admits(std::uint64_t who = 0) {
    return std::holds_alternative<Admitted>(admission_.ask(caller(who), now_));
  }
  Waiting waits(std::uint64_t who = 0) {
    const auto answer = admission_.ask(caller(who), now_);
    const auto* waiting = std::get_if<Waiting>(&answer);
    EXPECT_NE(waiting, nullptr);
    return waiting == nullptr ? Waiting{} : *waiting;
  }
  Refusal refused(std::uint64_t who = 0) {
    const auto answer = admission_.ask(caller(who), now_);
    const auto* refusal = std::get_if<Refusal>(&answer);
    EXPECT_NE(refusal, nullptr);
    return refusal == nullptr ? Refusal{} : *refusal;
  }

  Admission admission_{limits(2, 3)};
  MonotonicTime now_ = kStart;
};

TEST_F(AdmissionTest, AdmitsQueuesAndRefuses) {
  EXPECT_TRUE(admits());
  EXPECT_TRUE(admits());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(waits().deadline, now_ + seconds(10));
  EXPECT_EQ(refused(), (Refusal{.limit = Limit::Queue, .value = 2, .retry_after = seconds(1)}));
  EXPECT_EQ(admission_.in_flight(), 2U);
  EXPECT_EQ(admission_.queued(), 3U);
}

TEST_F(AdmissionTest, AnEndLetsTheNextOneGo) {
  admits();
  admits();
  const auto first = waits();
  const auto second = waits();
  EXPECT_FALSE(admission_.next(now_));
  admission_.done(now_);
  EXPECT_EQ(admission_.next(now_), first.ticket);
  EXPECT_FALSE(admission_.next(now_));
  admission_.done(now_);
  EXPECT_EQ(admission_.next(now_), second.ticket);
  EXPECT_EQ(admission_.in_flight(), 2U);
}

TEST_F(AdmissionTest, NobodyOvertakesThoseWhoWait) {
  admits();
  admits();
  const auto first = waits();
  admission_.done(now_);
  const auto second = waits();
  EXPECT_EQ(admission_.next(now_), first.ticket);
  admission_.done(now_);
  EXPECT_EQ(admission_.next(now_), second.ticket);
}

TEST_F(AdmissionTest, WhoWaitedTooLongIsToldSo) {
  admits();
  admits();
  const auto waiting = waits();
  now_ = waiting.deadline;
  admission_.done(now_);
  EXPECT_FALSE(admission_.next(now_));
  const auto refusal = admission_.give_up(waiting.ticket);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->limit, Limit::QueueTime);
  EXPECT_EQ(refusal->value, 2);
  EXPECT_EQ(refusal->period, seconds(10));
  EXPECT_FALSE(admission_.give_up(waiting.ticket));
  EXPECT_EQ(admission_.queued(), 0U);
  EXPECT_TRUE(admits());
}

TEST_F(AdmissionTest, WhoGoesAwayIsNotWaitedFor) {
  admits();
  admits();
  const auto first = waits();
  const auto second = waits();
  EXPECT_TRUE(admission_.cancel(first.ticket));
  admission_.done(now_);
  EXPECT_EQ(admission_.next(now_), second.ticket);
  // Too late: it is in flight, and ends like any other.
  EXPECT_FALSE(admission_.cancel(second.ticket));
}

TEST_F(AdmissionTest, OneWhoFillsTheQueueMakesRoomForAnother) {
  admits(1);
  admits(1);
  waits(1);
  waits(1);
  const auto newest = waits(1);
  const auto other = waits(2);
  EXPECT_EQ(other.displaced, newest.ticket);
  EXPECT_EQ(admission_.displaced().limit, Limit::Queue);
  EXPECT_EQ(admission_.queued(), 3U);
  EXPECT_FALSE(admission_.cancel(newest.ticket));
  // Two and one: that is fair enough for a third of the first, not for one of a third caller.
  EXPECT_EQ(refused(1).limit, Limit::Queue);
  EXPECT_TRUE(waits(3).displaced);
  EXPECT_EQ(refused(4).limit, Limit::Queue);
}

TEST_F(AdmissionTest, WithoutAQueueNobodyWaits) {
  admission_.change(limits(1, 0));
  EXPECT_TRUE(admits());
  EXPECT_EQ(refused().value, 1);
}

TEST_F(AdmissionTest, LimitsChangeWithoutLosingAnybody) {
  admits();
  admits();
  const auto first = waits();
  const auto second = waits();
  const auto third = waits();
  admission_.change(limits(1, 1));
  EXPECT_EQ(admission_.in_flight(), 2U);
  EXPECT_EQ(admission_.queued(), 3U);
  EXPECT_EQ(refused().value, 1);
  admission_.done(now_);
  EXPECT_FALSE(admission_.next(now_));
  admission_.change(limits(3, 1));
  EXPECT_EQ(admission_.next(now_), first.ticket);
  EXPECT_EQ(admission_.next(now_), second.ticket);
  EXPECT_FALSE(admission_.next(now_));
  admission_.done(now_);
  EXPECT_EQ(admission_.next(now_), third.ticket);
}

TEST_F(AdmissionTest, SaysWhenThereMayBeAPlace) {
  admits();
  admits();
  waits();
  for (int i = 0; i < 20; ++i) {
    now_ += seconds(2);
    admission_.done(now_);
    ASSERT_TRUE(admission_.next(now_));
    waits();
  }
  waits();
  waits();
  // A place each two seconds, and three before the next one.
  EXPECT_NEAR(std::chrono::duration<double>(refused().retry_after).count(), 8, 0.01);
  admission_.change(limits(2, 1000));
  for (int i = 0; i < 500; ++i) waits();
  admission_.change(limits(2, 0));
  EXPECT_EQ(refused().retry_after, seconds(60));
}

TEST_F(AdmissionTest, AnEndTooManyIsNoDebt) {
  admission_.done(now_);
  EXPECT_EQ(admission_.in_flight(), 0U);
}

// Whatever comes in whatever order: the limits hold, and everybody who came is somewhere.
class Course {
 public:
  explicit Course(std::uint64_t seed) : random_(seed) {}

  void step() {
    now_ += milliseconds(random_.below(200));
    switch (random_.below(8)) {
      case 0:
      case 1:
      case 2:
        ask();
        break;
      case 3:
      case 4:
      case 5:
        if (!in_flight_.empty()) end();
        break;
      case 6:
        if (!waiting_.empty()) leave();
        break;
      default:
        change();
    }
    go_on();
    check();
  }

 private:
  void ask() {
    const auto answer = admission_.ask(caller(random_.below(4)), now_);
    if (std::holds_alternative<Admitted>(answer)) {
      EXPECT_LT(in_flight_.size(), static_cast<std::size_t>(limits_.max_in_flight));
      in_flight_.push_back(0);
    } else if (const auto* waiting = std::get_if<Waiting>(&answer)) {
      if (waiting->displaced) {
        EXPECT_EQ(std::erase(waiting_, *waiting->displaced), 1U);
      } else {
        EXPECT_LT(waiting_.size(), static_cast<std::size_t>(limits_.max_queue));
      }
      waiting_.push_back(waiting->ticket);
    } else {
      EXPECT_GE(waiting_.size(), static_cast<std::size_t>(limits_.max_queue));
    }
  }
  void end() {
    in_flight_.pop_back();
    admission_.done(now_);
  }
  void leave() {
    const auto one = waiting_[random_.below(static_cast<std::uint32_t>(waiting_.size()))];
    if (random_.below(2) == 0) {
      EXPECT_TRUE(admission_.cancel(one));
    } else {
      EXPECT_TRUE(admission_.give_up(one));
    }
    std::erase(waiting_, one);
  }
  void change() {
    limits_.max_in_flight = static_cast<int>(1 + random_.below(5));
    limits_.max_queue = static_cast<int>(random_.below(6));
    limits_.queue_timeout = seconds(1 + random_.below(5));
    admission_.change(limits_);
  }
  void go_on() {
    while (const auto ticket = admission_.next(now_)) {
      EXPECT_LT(in_flight_.size(), static_cast<std::size_t>(limits_.max_in_flight));
      EXPECT_EQ(std::erase(waiting_, *ticket), 1U);
      in_flight_.push_back(0);
    }
  }
  void check() const {
    EXPECT_EQ(admission_.in_flight(), in_flight_.size());
    EXPECT_EQ(admission_.queued(), waiting_.size());
  }

  Random random_;
  fleet::Limits limits_;
  Admission admission_{limits_};
  MonotonicTime now_ = kStart;
  std::vector<int> in_flight_;
  std::vector<Ticket> waiting_;
};

TEST(AdmissionPropertyTest, LimitsAlwaysHold) {
  for (std::uint64_t seed = 1; seed <= 40 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Course course(seed);
    for (int i = 0; i < 1000; ++i) course.step();
  }
}

// One caller floods the server, the other sends a call whenever its last one is answered.
TEST(AdmissionPropertyTest, AFloodDoesNotStarveAnother) {
  fleet::Limits limits;
  limits.max_in_flight = 4;
  limits.max_queue = 20;
  Admission admission(limits);
  std::optional<Ticket> mine;
  int served = 0;
  int refused = 0;
  for (int round = 0; round < 200; ++round) {
    const auto now = kStart + milliseconds(10 * round);
    for (int i = 0; i < 10; ++i) {
      const auto answer = admission.ask(caller(1), now);
      const auto* waiting = std::get_if<Waiting>(&answer);
      if (waiting != nullptr && mine) {
        EXPECT_NE(waiting->displaced, mine);
      }
    }
    if (!mine) {
      const auto answer = admission.ask(caller(2), now);
      if (const auto* waiting = std::get_if<Waiting>(&answer)) mine = waiting->ticket;
      if (std::holds_alternative<Refusal>(answer)) ++refused;
    }
    for (int i = 0; i < 2; ++i) admission.done(now);
    while (const auto ticket = admission.next(now)) {
      if (ticket != mine) continue;
      mine = std::nullopt;
      ++served;
    }
  }
  EXPECT_EQ(refused, 0);
  EXPECT_GE(served, 198);
}

}  // namespace
}  // namespace mcpfleet::routing
