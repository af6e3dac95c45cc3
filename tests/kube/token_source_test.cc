#include "kube/token_source.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace mcpfleet::kube {
namespace {

class TokenSourceTest : public testing::Test {
 protected:
  void write(const char* token) const { std::ofstream(file_) << token << "\n"; }
  ~TokenSourceTest() override { std::filesystem::remove(file_); }

  const std::string file_ = testing::TempDir() + "/token-" +
                            testing::UnitTest::GetInstance()->current_test_info()->name();
  ManualClock clock_;
};

TEST_F(TokenSourceTest, AFixedTokenStays) {
  TokenSource token(clock_, "fixed", "");
  EXPECT_EQ(token.value(), "fixed");
  token.refused();
  EXPECT_EQ(token.value(), "fixed");
}

TEST_F(TokenSourceTest, ARotatedFileIsReadAgain) {
  write("first");
  TokenSource token(clock_, "fixed", file_);
  EXPECT_EQ(token.value(), "first");
  write("second");
  clock_.advance(TokenSource::kReadAgain - std::chrono::seconds(1));
  EXPECT_EQ(token.value(), "first");
  clock_.advance(std::chrono::seconds(1));
  EXPECT_EQ(token.value(), "second");
}

TEST_F(TokenSourceTest, ARefusedTokenIsReadAgainAtOnce) {
  write("first");
  TokenSource token(clock_, "", file_);
  EXPECT_EQ(token.value(), "first");
  write("second");
  token.refused();
  EXPECT_EQ(token.value(), "second");
}

TEST_F(TokenSourceTest, AFileThatIsGoneOrEmptyKeepsTheLastToken) {
  write("first");
  TokenSource token(clock_, "", file_);
  EXPECT_EQ(token.value(), "first");
  write("");
  token.refused();
  EXPECT_EQ(token.value(), "first");
  std::filesystem::remove(file_);
  token.refused();
  EXPECT_EQ(token.value(), "first");
}

}  // namespace
}  // namespace mcpfleet::kube
