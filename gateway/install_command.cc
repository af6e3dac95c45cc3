#include "gateway/install_command.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace mcpfleet::sidecar {
namespace {

struct Descriptor {
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
  int number;
};

std::unexpected<Error> unavailable(const std::string& step) {
  return fail(ErrorKind::Unavailable, step + ": " + std::strerror(errno));
}

Result<void> copy(int from, int to) {
  std::array<char, 64 * 1024> piece{};
  for (;;) {
    const auto got = ::read(from, piece.data(), piece.size());
    if (got == 0) return {};
    if (got < 0) return unavailable("cannot read this program");
    for (ssize_t done = 0; done < got;) {
      const auto written = ::write(to, piece.data() + done, static_cast<std::size_t>(got - done));
      if (written < 0) return unavailable("cannot write");
      done += written;
    }
  }
}

}  // namespace

Result<void> install(const std::string& destination) {
  const Descriptor from{::open("/proc/self/exe", O_RDONLY | O_CLOEXEC)};
  if (from.number < 0) return unavailable("cannot open this program");
  const auto temporary = destination + ".new";
  const Descriptor to{::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755)};
  if (to.number < 0) return unavailable("cannot create " + temporary);
  if (auto copied = copy(from.number, to.number); !copied) {
    ::unlink(temporary.c_str());
    return copied;
  }
  // The umask may have taken rights away that other users' containers need.
  if (::fchmod(to.number, 0755) != 0 || ::rename(temporary.c_str(), destination.c_str()) != 0) {
    auto problem = unavailable("cannot put " + destination + " in place");
    ::unlink(temporary.c_str());
    return problem;
  }
  return {};
}

}  // namespace mcpfleet::sidecar
