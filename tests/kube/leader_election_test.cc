// The elector's thread against a Lease in memory, and the real clock.
#include "kube/leader_election.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <nlohmann/json.hpp>

#include "fake_client.h"

namespace mcpfleet::kube {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Stores one Lease, as the API server does: a patch of an older version is a Conflict.
class LeaseServer {
 public:
  LeaseServer() {
    client.answer = [this](const FakeClient::Call& call) { return serve(call); };
  }

  // Until it is called again with false, nothing is answered but an error.
  void be_gone(bool gone) {
    std::lock_guard lock(mutex_);
    gone_ = gone;
  }
  void store(const json& spec) {
    std::lock_guard lock(mutex_);
    save(spec);
  }
  json spec() const {
    std::lock_guard lock(mutex_);
    return lease_ ? lease_->at("spec") : json();
  }

  FakeClient client;

 private:
  Result<std::string> serve(const FakeClient::Call& call) {
    std::lock_guard lock(mutex_);
    if (gone_) return fail(ErrorKind::Unavailable, "connection refused");
    EXPECT_EQ(call.path, call.verb == "create"
                             ? "/apis/coordination.k8s.io/v1/namespaces/ns/leases"
                             : "/apis/coordination.k8s.io/v1/namespaces/ns/leases/operator");
    if (call.verb == "create") {
      if (lease_) return fail(ErrorKind::AlreadyExists, "it exists");
      return save(json::parse(call.body)["spec"]);
    }
    if (!lease_) return fail(ErrorKind::NotFound, "no such lease");
    if (call.verb == "get") return lease_->dump();
    EXPECT_EQ(call.verb, "patch");
    const auto patch = json::parse(call.body);
    if (patch["metadata"]["resourceVersion"] != (*lease_)["metadata"]["resourceVersion"]) {
      return fail(ErrorKind::Conflict, "the object has been modified");
    }
    return save(patch["spec"]);
  }

  std::string save(const json& spec) {
    lease_ = json{
        {"metadata",
         {{"name", "operator"}, {"uid", "u-1"}, {"resourceVersion", std::to_string(++version_)}}},
        {"spec", spec}};
    return lease_->dump();
  }

  mutable std::mutex mutex_;
  std::optional<json> lease_;
  int version_ = 0;
  bool gone_ = false;
};

class Waiter {
 public:
  void poke() {
    std::lock_guard lock(mutex_);
    changed_.notify_all();
  }
  template <typename Condition>
  bool until(const Condition& condition) {
    std::unique_lock lock(mutex_);
    const auto deadline = std::chrono::steady_clock::now() + seconds(20);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      changed_.wait_for(lock, milliseconds(5));
    }
    return true;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
};

class LeaderElectionTest : public testing::Test {
 protected:
  std::unique_ptr<LeaderElector> candidate(const std::string& identity,
                                           ElectionTerms terms = {seconds(12), seconds(8),
                                                                  milliseconds(5)}) {
    return LeaderElector::start(server_.client, clock_, {"ns", "operator", identity, "test", terms},
                                [this] { waiter_.poke(); });
  }
  bool comes_to_lead(const LeaderElector& elector) {
    return waiter_.until([&] { return elector.term() != 0; });
  }

  SystemClock clock_;
  LeaseServer server_;
  Waiter waiter_;
};

TEST_F(LeaderElectionTest, LeadsAndMayWrite) {
  const auto a = candidate("a");
  ASSERT_TRUE(comes_to_lead(*a));
  EXPECT_EQ(server_.spec()["holderIdentity"], "a");
  EXPECT_EQ(a->holder(), "a");
  const auto left = a->may_write();
  ASSERT_TRUE(left);
  EXPECT_GT(*left, seconds(4)) << "more than between the deadline and the lease's end";
  EXPECT_LE(*left, seconds(12));
  EXPECT_EQ(a->lease().uid, "u-1");
  EXPECT_EQ(a->lease().kind, "Lease");
  const auto first = server_.spec()["renewTime"];
  EXPECT_TRUE(waiter_.until([&] { return server_.spec()["renewTime"] != first; })) << "renews it";
}

TEST_F(LeaderElectionTest, TheSecondStandsByUntilTheFirstReleases) {
  const auto a = candidate("a");
  ASSERT_TRUE(comes_to_lead(*a));
  const auto b = candidate("b");
  ASSERT_TRUE(waiter_.until([&] { return b->holder() == "a"; }));
  EXPECT_EQ(b->term(), 0u);
  const auto refused = b->may_write();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "not sent: this replica does not hold the Lease ns/operator");

  a->retire();
  EXPECT_EQ(a->term(), 0u);
  EXPECT_FALSE(a->may_write());
  EXPECT_EQ(server_.spec()["holderIdentity"], "a") << "kept until what is under way has ended";
  a->release();
  ASSERT_TRUE(comes_to_lead(*b));
  EXPECT_EQ(server_.spec()["holderIdentity"], "b");
  EXPECT_EQ(server_.spec()["leaseTransitions"], 1);
}

TEST_F(LeaderElectionTest, EndsWithoutAReleaseWhenItDoesNotLead) {
  server_.store({{"holderIdentity", "other"}, {"leaseDurationSeconds", 3600}});
  const auto a = candidate("a");
  ASSERT_TRUE(waiter_.until([&] { return a->holder() == "other"; }));
  a->release();
  EXPECT_EQ(server_.spec()["holderIdentity"], "other");
}

TEST_F(LeaderElectionTest, WritesNothingOnceItCouldNotRenew) {
  const auto a = candidate("a", {seconds(2), milliseconds(100), milliseconds(5)});
  ASSERT_TRUE(comes_to_lead(*a));
  const auto term = a->term();
  server_.be_gone(true);
  ASSERT_TRUE(waiter_.until([&] { return a->term() == 0; }));
  EXPECT_FALSE(a->may_write());
  server_.be_gone(false);
  ASSERT_TRUE(comes_to_lead(*a)) << "the lease is still its own";
  EXPECT_NE(a->term(), term) << "what began before has to begin anew";
}

TEST_F(LeaderElectionTest, GivesWayWhenAnotherHoldsTheLease) {
  const auto a = candidate("a");
  ASSERT_TRUE(comes_to_lead(*a));
  server_.store({{"holderIdentity", "b"}, {"leaseDurationSeconds", 3600}});
  ASSERT_TRUE(waiter_.until([&] { return a->term() == 0; }));
  EXPECT_EQ(a->holder(), "b");
}

}  // namespace
}  // namespace mcpfleet::kube
