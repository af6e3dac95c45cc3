#include "gateway/install_command.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace mcpfleet::sidecar {
namespace {

namespace fs = std::filesystem;

class InstallTest : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path folder_ = fs::path(::testing::TempDir()) / ("install-" + std::to_string(::getpid()));
};

TEST_F(InstallTest, CopiesTheProgramExecutableForEveryone) {
  const auto target = folder_ / "copy";
  std::ofstream(target) << "an older version";
  const auto mask = ::umask(0077);
  const auto installed = install(target);
  ::umask(mask);
  ASSERT_TRUE(installed) << installed.error().message;
  EXPECT_EQ(fs::file_size(target), fs::file_size("/proc/self/exe"));
  struct stat found{};
  ASSERT_EQ(::stat(target.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777, 0755u);
  EXPECT_FALSE(fs::exists(folder_ / "copy.new"));
}

TEST_F(InstallTest, SaysWhereItCannotGo) {
  const auto installed = install(folder_ / "missing" / "copy");
  ASSERT_FALSE(installed);
  EXPECT_NE(installed.error().message.find("missing/copy.new: No such file"), std::string::npos);
  EXPECT_FALSE(install(folder_));  // a folder is no place for a file of that name
}

}  // namespace
}  // namespace mcpfleet::sidecar
