#include "proxy/group_memory.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

namespace mcpfleet::proxy {
namespace {

// Numbers of /proc/PID/stat behind the name, which may hold anything but ends with the last
// bracket.
constexpr std::size_t kGroup = 2;
constexpr std::size_t kResident = 21;

std::string_view field(std::string_view text, std::size_t index) {
  for (; index > 0; --index) {
    const auto space = text.find(' ');
    if (space == std::string_view::npos) return {};
    text.remove_prefix(space + 1);
  }
  return text.substr(0, text.find(' '));
}

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string_view read_stat(std::string_view pid, std::array<char, 1024>& buffer) {
  const auto path = std::string("/proc/").append(pid).append("/stat");
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  const auto got = ::read(file, buffer.data(), buffer.size());
  ::close(file);
  const std::string_view text(buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  const auto name_end = text.rfind(')');
  return name_end == std::string_view::npos ? std::string_view() : text.substr(name_end + 2);
}

}  // namespace

std::unordered_map<pid_t, std::uint64_t> memory_of_groups() {
  std::unordered_map<pid_t, std::uint64_t> used;
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  std::array<char, 1024> buffer{};
  std::error_code ended;
  for (std::filesystem::directory_iterator entry("/proc", ended), end; !ended && entry != end;
       entry.increment(ended)) {
    const auto pid = entry->path().filename().string();
    if (pid.front() < '0' || pid.front() > '9') continue;
    const auto stat = read_stat(pid, buffer);
    if (stat.empty()) continue;
    used[static_cast<pid_t>(number(field(stat, kGroup)))] += number(field(stat, kResident)) * page;
  }
  return used;
}

}  // namespace mcpfleet::proxy
