#include "metrics-adapter/operator_lease.h"

#include <gtest/gtest.h>

#include "base/time_text.h"

namespace mcpfleet::adapter {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

class OperatorLeaseTest : public testing::Test {
 protected:
  // As renewed that long ago by the operator's clock.
  std::string lease(Duration age = {}, const std::string& holder = "one") const {
    return R"({"metadata":{"name":"op","namespace":"sys"},"spec":{"holderIdentity":")" + holder +
           R"(","leaseDurationSeconds":12,"renewTime":")" + to_rfc3339_micro(clock_.wall() - age) +
           R"("}})";
  }
  void list(const std::string& lease = "") {
    lease_.list_begin();
    if (!lease.empty()) lease_.upsert(lease);
    lease_.list_end();
  }
  // Empty: good.
  std::string why() const {
    const auto checked = lease_.check(clock_.monotonic());
    return checked ? "" : checked.error().message;
  }

  ManualClock clock_;
  OperatorLease lease_{"sys", "op", clock_};
};

TEST_F(OperatorLeaseTest, WatchesThatOneLease) {
  EXPECT_EQ(lease_.collection().path, "/apis/coordination.k8s.io/v1/namespaces/sys/leases");
  EXPECT_EQ(lease_.collection().field_selector, "metadata.name=op");
}

TEST_F(OperatorLeaseTest, SaysNothingBeforeItKnows) {
  const auto checked = lease_.check(clock_.monotonic());
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().kind, ErrorKind::Unavailable);
}

TEST_F(OperatorLeaseTest, GoodWhileItIsRenewed) {
  list(lease());
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(why(), "");
    clock_.advance(seconds(11));
    lease_.upsert(lease(hours(1)));  // the operator's clock is slow: ours counts
  }
  EXPECT_EQ(why(), "");
}

TEST_F(OperatorLeaseTest, StaleOnceItExpired) {
  list(lease());
  clock_.advance(seconds(12) - Duration(1));
  EXPECT_EQ(why(), "");
  clock_.advance(Duration(1));
  EXPECT_EQ(why(),
            "the operator has not renewed its lease sys/op for 12s, so its recommendation is "
            "stale");
  EXPECT_EQ(lease_.check(clock_.monotonic()).error().kind, ErrorKind::NotFound);
  lease_.upsert(lease({}, "two"));
  EXPECT_EQ(why(), "") << "another operator leads now";
}

TEST_F(OperatorLeaseTest, AReleasedLeaseIsGoodForAsLongAsItWasGranted) {
  list(lease());
  lease_.upsert(lease({}, ""));
  clock_.advance(seconds(11));
  EXPECT_EQ(why(), "") << "the next operator has time to take over";
  clock_.advance(seconds(1));
  EXPECT_NE(why(), "");
}

TEST_F(OperatorLeaseTest, AListMayShowAnOldOne) {
  list(lease(seconds(3600)));
  EXPECT_EQ(why(),
            "the operator has not renewed its lease sys/op for 3600s, so its recommendation is "
            "stale");
  lease_.upsert(lease());
  EXPECT_EQ(why(), "");
}

TEST_F(OperatorLeaseTest, ARenewalInTheFutureIsOneOfNow) {
  list(lease(-hours(1)));
  EXPECT_EQ(why(), "");
  clock_.advance(seconds(12));
  EXPECT_NE(why(), "");
}

TEST_F(OperatorLeaseTest, TheSameSeenAgainIsNoRenewal) {
  const auto first = lease();
  list(first);
  clock_.advance(seconds(12));
  list(first);
  lease_.upsert(first);
  EXPECT_NE(why(), "");
}

TEST_F(OperatorLeaseTest, NoLeaseNoOperator) {
  const std::string missing =
      "the operator does not run (there is no lease sys/op), so its recommendation is stale";
  list();
  EXPECT_EQ(why(), missing);
  lease_.upsert(lease());
  EXPECT_EQ(why(), "");
  lease_.remove("sys", "op");
  EXPECT_EQ(why(), missing);
  list(lease());
  EXPECT_EQ(why(), "");
  list();
  EXPECT_EQ(why(), missing);
}

TEST_F(OperatorLeaseTest, WhatCannotBeReadChangesNothing) {
  list(lease());
  const std::string broken = R"({"metadata":{},"spec":{"renewTime":"soon"}})";
  lease_.upsert(broken);
  list(broken);
  EXPECT_EQ(why(), "");
}

}  // namespace
}  // namespace mcpfleet::adapter
