#include "kube/lease.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/time_text.h"

namespace mcpfleet::kube {
namespace {

using nlohmann::json;
using std::chrono::seconds;

constexpr const char* kStored = R"({"apiVersion":"coordination.k8s.io/v1","kind":"Lease",
  "metadata":{"name":"l","namespace":"n","uid":"u","resourceVersion":"17"},
  "spec":{"holderIdentity":"me","leaseDurationSeconds":12,"leaseTransitions":3,
          "acquireTime":"2026-01-01T00:00:00.000001Z","renewTime":"2026-01-01T00:01:00.250000Z"}})";

TEST(LeaseTest, Decodes) {
  const auto record = decode_lease(kStored);
  ASSERT_TRUE(record) << record.error().message;
  EXPECT_EQ(record->holder, "me");
  EXPECT_EQ(record->duration, seconds(12));
  EXPECT_EQ(record->transitions, 3);
  EXPECT_EQ(record->acquired, parse_rfc3339("2026-01-01T00:00:00.000001Z").value());
  EXPECT_EQ(record->renewed, parse_rfc3339("2026-01-01T00:01:00.25Z").value());
  EXPECT_EQ(record->resource_version, "17");
  EXPECT_EQ(record->uid, "u");
}

TEST(LeaseTest, AbsentFieldsAreEmpty) {
  for (const char* text :
       {R"({"metadata":{}})", R"({"metadata":{},"spec":{}})",
        R"({"metadata":{},"spec":{"holderIdentity":null,"leaseDurationSeconds":"12"}})"}) {
    EXPECT_EQ(decode_lease(text), LeaseRecord{}) << text;
  }
}

TEST(LeaseTest, RefusesWhatIsNoLease) {
  EXPECT_EQ(decode_lease("{").error().kind, ErrorKind::Malformed);
  EXPECT_EQ(decode_lease("[]").error().kind, ErrorKind::Malformed);
  EXPECT_EQ(decode_lease(R"({"spec":{}})").error().kind, ErrorKind::Malformed);
  const auto broken = decode_lease(R"({"metadata":{},"spec":{"renewTime":"soon"}})");
  ASSERT_FALSE(broken);
  EXPECT_TRUE(broken.error().message.starts_with("a Lease's spec.renewTime: "));
}

TEST(LeaseTest, WhatIsWrittenReadsTheSame) {
  auto record = decode_lease(kStored).value();
  auto created = json::parse(encode_lease(record, "n", "l"));
  EXPECT_EQ(created["metadata"], (json{{"name", "l"}, {"namespace", "n"}}));
  EXPECT_EQ(created["spec"], json::parse(kStored)["spec"]);
  const auto patch = json::parse(encode_lease_patch(record));
  EXPECT_EQ(patch["metadata"], (json{{"resourceVersion", "17"}}));
  EXPECT_EQ(patch["spec"], json::parse(kStored)["spec"]);
}

TEST(LeaseTest, ExpiresItsDurationAfterItWasSeenToChange) {
  ManualClock clock;
  LeaseObservation seen;
  EXPECT_TRUE(seen.expired(clock.monotonic())) << "nothing was seen";
  auto record = decode_lease(kStored).value();
  seen.observe(record, clock.monotonic());
  clock.advance(seconds(5));
  seen.observe(record, clock.monotonic());
  record.resource_version = "18";
  seen.observe(record, clock.monotonic());
  EXPECT_EQ(seen.record()->resource_version, "18");
  clock.advance(seconds(6));
  EXPECT_FALSE(seen.expired(clock.monotonic()));
  clock.advance(seconds(1));
  EXPECT_TRUE(seen.expired(clock.monotonic()));
  record.renewed = *record.renewed + seconds(1);
  seen.observe(record, clock.monotonic());
  EXPECT_FALSE(seen.expired(clock.monotonic()));
  EXPECT_EQ(seen.changed_at(), clock.monotonic());
}

TEST(LeaseTest, MayHaveChangedLongBeforeItWasSeen) {
  ManualClock clock;
  LeaseObservation seen;
  seen.observe_aged(decode_lease(kStored).value(), clock.monotonic(), seconds(10));
  EXPECT_FALSE(seen.expired(clock.monotonic()));
  clock.advance(seconds(2));
  EXPECT_TRUE(seen.expired(clock.monotonic()));
}

}  // namespace
}  // namespace mcpfleet::kube
