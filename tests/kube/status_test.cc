#include "kube/status.h"

#include <gtest/gtest.h>

namespace mcpfleet::kube {
namespace {

std::string status(const char* reason, const char* message) {
  return std::string(R"({"kind":"Status","reason":")") + reason + R"(","message":")" + message +
         "\"}";
}

TEST(DecodeStatus, KindsAndMessages) {
  const struct {
    const char* name;
    int code;
    std::string body;
    Error want;
  } kCases[] = {
      {"not found",
       404,
       status("NotFound", "pods x not found"),
       {ErrorKind::NotFound, "pods x not found"}},
      {"conflict", 409, status("Conflict", "modified"), {ErrorKind::Conflict, "modified"}},
      {"already exists",
       409,
       status("AlreadyExists", "there"),
       {ErrorKind::AlreadyExists, "there"}},
      {"expired", 410, status("Expired", "too old"), {ErrorKind::Gone, "too old"}},
      {"expired by reason alone", 400, status("Expired", "token"), {ErrorKind::Gone, "token"}},
      {"invalid", 422, status("Invalid", "spec.x"), {ErrorKind::Invalid, "spec.x"}},
      {"bad request", 400, status("BadRequest", "b"), {ErrorKind::Invalid, "b"}},
      {"forbidden", 403, status("Forbidden", "f"), {ErrorKind::Forbidden, "f"}},
      {"too many", 429, status("TooManyRequests", "slow"), {ErrorKind::TooMany, "slow"}},
      {"no Status", 503, "upstream broke", {ErrorKind::Unavailable, "HTTP status 503"}},
      {"a message that is no text",
       500,
       R"({"kind":"Status","message":5})",
       {ErrorKind::Unavailable, "HTTP status 500"}},
      {"gateway timeout", 504, "", {ErrorKind::Timeout, "HTTP status 504"}},
  };
  for (const auto& c : kCases) EXPECT_EQ(decode_status(c.code, c.body), c.want) << c.name;
}

TEST(RetryAfter, IsBoundedAndOptional) {
  using std::chrono::seconds;
  EXPECT_EQ(retry_after({{"Retry-After", "2"}}, seconds(5)), seconds(2));
  EXPECT_EQ(retry_after({{"retry-after", "86400"}}, seconds(5)), seconds(5));
  EXPECT_EQ(retry_after({{"Retry-After", "Fri, 31 Dec"}}, seconds(5)), std::nullopt);
  EXPECT_EQ(retry_after({}, seconds(5)), std::nullopt);
}

}  // namespace
}  // namespace mcpfleet::kube
