#include "kube/election_machine.h"

#include <gtest/gtest.h>

#include <ostream>
#include <random>

namespace mcpfleet::kube {

void PrintTo(const ElectionStep& step, std::ostream* out) {
  constexpr const char* kNames[] = {"Wait", "Read", "Create", "Update"};
  *out << kNames[static_cast<int>(step.action)] << " wait " << step.wait.count() << " ns, holder '"
       << step.record.holder << "' transitions " << step.record.transitions << " version '"
       << step.record.resource_version << "'";
}

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Action = ElectionStep::Action;

constexpr ElectionTerms kTerms{seconds(12), seconds(8), seconds(1)};
constexpr double kNone = 0.0;
constexpr double kMost = 1.0;

Error error(ErrorKind kind) { return {kind, "x"}; }

// A candidate, its clock, and the Lease as stored.
class ElectionMachineTest : public testing::Test {
 protected:
  ElectionStep next() const { return machine_.next(clock_.monotonic(), clock_.wall()); }
  ElectionStep wait(Duration time) const { return {Action::Wait, time, {}}; }

  static LeaseRecord held(std::string holder, std::string version, int transitions = 0) {
    LeaseRecord record;
    record.holder = std::move(holder);
    record.duration = seconds(12);
    record.resource_version = std::move(version);
    record.transitions = transitions;
    return record;
  }
  void read(LeaseRecord record, double jitter = kNone) {
    ASSERT_EQ(next().action, Action::Read);
    machine_.read(std::move(record), clock_.monotonic(), jitter);
  }
  void absent() {
    ASSERT_EQ(next().action, Action::Read);
    machine_.absent(clock_.monotonic(), kNone);
  }
  // The write that it wants succeeds.
  LeaseRecord write(std::string version) {
    auto step = next();
    EXPECT_TRUE(step.action == Action::Create || step.action == Action::Update);
    step.record.resource_version = std::move(version);
    machine_.written(step.record, clock_.monotonic(), clock_.monotonic());
    return step.record;
  }
  void fail(ErrorKind kind) { machine_.failed(error(kind), clock_.monotonic(), kNone); }
  bool leads() const {
    return machine_.leads_until() && clock_.monotonic() < *machine_.leads_until();
  }
  void lead() {
    absent();
    write("1");
  }

  ManualClock clock_;
  ElectionMachine machine_{"me", kTerms};
};

TEST_F(ElectionMachineTest, MakesALeaseThatDoesNotExist) {
  absent();
  const auto step = next();
  EXPECT_EQ(step.action, Action::Create);
  EXPECT_EQ(step.record.holder, "me");
  EXPECT_EQ(step.record.duration, seconds(12));
  EXPECT_EQ(step.record.acquired, clock_.wall());
  EXPECT_EQ(step.record.renewed, clock_.wall());
  EXPECT_EQ(step.record.transitions, 0);
  EXPECT_FALSE(leads()) << "not before the API server has said so";
  write("1");
  EXPECT_TRUE(leads());
  EXPECT_EQ(machine_.term(), 1u);
  EXPECT_EQ(*machine_.leads_until() - clock_.monotonic(), seconds(8));
  EXPECT_EQ(*machine_.holds_until() - clock_.monotonic(), seconds(12));
  EXPECT_EQ(next(), wait(seconds(1)));
}

TEST_F(ElectionMachineTest, SomebodyElseMadeItFirst) {
  absent();
  fail(ErrorKind::AlreadyExists);
  EXPECT_EQ(next(), wait(seconds(1)));
  clock_.advance(seconds(1));
  read(held("other", "1"));
  EXPECT_FALSE(leads());
}

TEST_F(ElectionMachineTest, RenewsWithTheVersionItReplaces) {
  const auto first = clock_.wall();
  lead();
  clock_.advance(seconds(1));
  const auto step = next();
  EXPECT_EQ(step.action, Action::Update);
  EXPECT_EQ(step.record.resource_version, "1");
  EXPECT_EQ(step.record.acquired, first);
  EXPECT_EQ(step.record.renewed, clock_.wall());
  EXPECT_EQ(step.record.transitions, 0);
  write("2");
  EXPECT_EQ(machine_.term(), 1u);
  EXPECT_EQ(*machine_.leads_until() - clock_.monotonic(), seconds(8));
  clock_.advance(seconds(1));
  EXPECT_EQ(next().record.resource_version, "2");
}

TEST_F(ElectionMachineTest, TheTimeCountsFromWhenTheRenewalWasSent) {
  lead();
  clock_.advance(seconds(1));
  auto step = next();
  const auto sent = clock_.monotonic();
  clock_.advance(seconds(3));
  step.record.resource_version = "2";
  machine_.written(step.record, sent, clock_.monotonic());
  EXPECT_EQ(*machine_.leads_until() - clock_.monotonic(), seconds(5));
  EXPECT_EQ(*machine_.holds_until() - clock_.monotonic(), seconds(9));
}

TEST_F(ElectionMachineTest, WaitsWhileAnotherRenews) {
  for (int i = 0; i < 100; ++i) {
    auto record = held("other", std::to_string(i));
    record.renewed = clock_.wall();
    read(record, kMost);
    EXPECT_EQ(next(), wait(milliseconds(1200)));
    clock_.advance(milliseconds(1200));
  }
  EXPECT_FALSE(leads());
}

TEST_F(ElectionMachineTest, TakesALeaseThatIsNotRenewedForItsDuration) {
  read(held("other", "7", 3));
  for (int i = 0; i < 11; ++i) {
    EXPECT_EQ(next(), wait(seconds(1)));
    clock_.advance(seconds(1));
    read(held("other", "7", 3));
  }
  clock_.advance(milliseconds(999));
  EXPECT_EQ(next(), wait(milliseconds(1)));
  clock_.advance(milliseconds(1));
  read(held("other", "7", 3));
  const auto step = next();
  EXPECT_EQ(step.action, Action::Update);
  EXPECT_EQ(step.record.holder, "me");
  EXPECT_EQ(step.record.resource_version, "7");
  EXPECT_EQ(step.record.transitions, 4);
  EXPECT_EQ(step.record.acquired, clock_.wall());
  write("8");
  EXPECT_TRUE(leads());
}

TEST_F(ElectionMachineTest, AChangeOfLabelsIsNoSignOfLife) {
  for (int i = 0; i < 12; ++i) {
    read(held("other", std::to_string(i)));
    clock_.advance(seconds(1));
  }
  read(held("other", "99"));
  EXPECT_EQ(next().action, Action::Update);
  EXPECT_EQ(next().record.resource_version, "99");
}

TEST_F(ElectionMachineTest, ItsOwnClockCountsWhateverTheTimesInTheLeaseSay) {
  auto record = held("other", "1");
  record.renewed = clock_.wall() - std::chrono::hours(5);  // a clock that is slow
  read(record);
  EXPECT_EQ(next(), wait(seconds(1)));
  clock_.advance(seconds(11));
  record.renewed = clock_.wall() - std::chrono::hours(5);
  read(record);
  clock_.advance(seconds(11));
  read(record);
  EXPECT_EQ(next(), wait(seconds(1))) << "seen to change 11 s ago";
}

TEST_F(ElectionMachineTest, TheDurationIsTheHolders) {
  auto record = held("other", "1");
  record.duration = seconds(60);
  read(record);
  clock_.advance(seconds(59));
  read(record);
  EXPECT_EQ(next().action, Action::Wait);
  clock_.advance(seconds(1));
  read(record);
  EXPECT_EQ(next().action, Action::Update);
}

TEST_F(ElectionMachineTest, TakesAReleasedLeaseAtOnce) {
  read(held("", "5", 2));
  const auto step = next();
  EXPECT_EQ(step.action, Action::Update);
  EXPECT_EQ(step.record.transitions, 3);
  EXPECT_EQ(step.record.resource_version, "5");
}

TEST_F(ElectionMachineTest, ALostRaceIsNoLead) {
  read(held("", "5"));
  EXPECT_EQ(next().action, Action::Update);
  fail(ErrorKind::Conflict);
  EXPECT_FALSE(leads());
  EXPECT_EQ(next(), wait(seconds(1)));
  clock_.advance(seconds(1));
  read(held("other", "6"));
  EXPECT_EQ(next().action, Action::Wait);
}

TEST_F(ElectionMachineTest, ALeaderThatCannotRenewLeadsUntilTheDeadlineOnly) {
  lead();
  for (int i = 0; i < 7; ++i) {
    clock_.advance(seconds(1));
    EXPECT_NE(next().action, Action::Wait);
    fail(ErrorKind::Timeout);
    EXPECT_TRUE(leads());
  }
  clock_.advance(milliseconds(999));
  EXPECT_TRUE(leads());
  clock_.advance(milliseconds(1));
  EXPECT_FALSE(leads());
  fail(ErrorKind::Timeout);
  EXPECT_EQ(machine_.leads_until(), std::nullopt);
  EXPECT_EQ(machine_.holds_until(), std::nullopt);
}

TEST_F(ElectionMachineTest, ALeaderThatComesBackToItsOwnLeaseLeadsANewTerm) {
  lead();
  clock_.advance(seconds(9));
  fail(ErrorKind::Unavailable);
  clock_.advance(seconds(1));
  read(held("me", "1"));
  EXPECT_EQ(next().action, Action::Update);
  EXPECT_EQ(next().record.transitions, 0);
  EXPECT_FALSE(leads());
  write("2");
  EXPECT_TRUE(leads());
  EXPECT_EQ(machine_.term(), 2u);
}

TEST_F(ElectionMachineTest, AnAnswerAfterTheDeadlineBeginsANewTerm) {
  lead();
  clock_.advance(seconds(9));  // nobody noticed yet
  write("2");
  EXPECT_TRUE(leads());
  EXPECT_EQ(machine_.term(), 2u);
}

TEST_F(ElectionMachineTest, AConflictWhileLeadingIsLookedIntoAtOnce) {
  lead();
  clock_.advance(seconds(1));
  fail(ErrorKind::Conflict);
  read(held("me", "9"));  // our own renewal whose answer was lost
  EXPECT_EQ(next().action, Action::Update);
  EXPECT_EQ(next().record.resource_version, "9");
  EXPECT_TRUE(leads());

  fail(ErrorKind::Conflict);
  read(held("other", "10", 1));
  EXPECT_FALSE(leads());
  EXPECT_EQ(next().action, Action::Wait);
}

TEST_F(ElectionMachineTest, ALeaderWhoseLeaseWasDeletedMakesItAnew) {
  lead();
  clock_.advance(seconds(1));
  fail(ErrorKind::NotFound);
  EXPECT_TRUE(leads());
  clock_.advance(seconds(1));
  absent();
  EXPECT_EQ(next().action, Action::Create);
  write("2");
  EXPECT_EQ(machine_.term(), 1u);
}

TEST_F(ElectionMachineTest, ACandidateDoesNotUseADeletedLeaseBeforeItWouldHaveExpired) {
  read(held("other", "7"));
  clock_.advance(seconds(1));
  absent();
  EXPECT_EQ(next(), wait(seconds(1)));
  clock_.advance(seconds(11));
  absent();
  EXPECT_EQ(next().action, Action::Create);
}

TEST_F(ElectionMachineTest, ReleaseEmptiesTheHolder) {
  EXPECT_EQ(machine_.release(clock_.wall()), std::nullopt);
  lead();
  clock_.advance(seconds(1));
  const auto record = machine_.release(clock_.wall());
  ASSERT_TRUE(record);
  EXPECT_EQ(record->holder, "");
  EXPECT_EQ(record->resource_version, "1");
  EXPECT_EQ(record->renewed, clock_.wall());
  EXPECT_EQ(record->duration, seconds(12));
  machine_.released(clock_.monotonic());
  EXPECT_FALSE(leads());
  EXPECT_EQ(machine_.release(clock_.wall()), std::nullopt);
}

// Two candidates and a Lease that takes a write only where its version fits: whatever is lost,
// delayed or frozen, there is never a moment at which both lead.
class TwoCandidates {
 public:
  explicit TwoCandidates(unsigned seed) : random_(seed) {}

  void step() {
    clock_.advance(milliseconds(random_() % 400));
    for (const int i : {0, 1}) {
      if (random_() % 400 == 0) frozen_[i] = clock_.monotonic() + seconds(random_() % 20);
      if (frozen_[i] <= clock_.monotonic()) act(candidates_[i]);
    }
  }
  bool leads(int i) const {
    const auto until = candidates_[i].leads_until();
    return until && clock_.monotonic() < *until;
  }
  // Something that it sent while it led may still be under way.
  bool holds(int i) const {
    const auto until = candidates_[i].holds_until();
    return until && clock_.monotonic() < *until;
  }

 private:
  void act(ElectionMachine& machine) {
    const auto now = clock_.monotonic();
    const auto step = machine.next(now, clock_.wall());
    if (step.action == Action::Wait) return;
    const bool request_lost = random_() % 10 == 0;
    const bool answer_lost = random_() % 10 == 0;
    const double jitter = static_cast<double>(random_() % 100) / 100;
    if (request_lost) return machine.failed(error(ErrorKind::Timeout), now, jitter);
    if (step.action == Action::Read) {
      if (answer_lost) return machine.failed(error(ErrorKind::Timeout), now, jitter);
      return stored_ ? machine.read(*stored_, now, jitter) : machine.absent(now, jitter);
    }
    const bool fits = step.action == Action::Create
                          ? !stored_
                          : stored_ && stored_->resource_version == step.record.resource_version;
    if (!fits) return machine.failed(error(ErrorKind::Conflict), now, jitter);
    stored_ = step.record;
    stored_->resource_version = std::to_string(++version_);
    if (answer_lost) return machine.failed(error(ErrorKind::Timeout), now, jitter);
    machine.written(*stored_, now, now);
  }

  std::minstd_rand random_;
  ManualClock clock_;
  std::optional<LeaseRecord> stored_;
  int version_ = 0;
  ElectionMachine candidates_[2] = {{"a", kTerms}, {"b", kTerms}};
  MonotonicTime frozen_[2];
};

TEST(ElectionTest, NeverTwoLeaders) {
  int led[2] = {0, 0};
  for (unsigned seed = 1; seed <= 20; ++seed) {
    TwoCandidates election(seed);
    for (int i = 0; i < 5000; ++i) {
      election.step();
      ASSERT_FALSE(election.leads(0) && election.holds(1)) << "seed " << seed << " step " << i;
      ASSERT_FALSE(election.holds(0) && election.leads(1)) << "seed " << seed << " step " << i;
      for (const int who : {0, 1}) led[who] += election.leads(who) ? 1 : 0;
    }
  }
  EXPECT_GT(led[0], 1000);
  EXPECT_GT(led[1], 1000);
}

}  // namespace
}  // namespace mcpfleet::kube
