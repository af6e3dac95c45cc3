#include "gateway/drain_command.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace mcpfleet::sidecar {
namespace {

constexpr auto kPatience = std::chrono::seconds(10);  // beyond the drain's own timeout

struct Descriptor {
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
  int number;
};

void set_timeout(int socket, std::chrono::seconds seconds) {
  const timeval time{seconds.count(), 0};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
}

}  // namespace

Result<std::string> drain(const DrainCommand& command) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (command.socket.size() >= sizeof address.sun_path)
    return fail(ErrorKind::Invalid, "--socket: the path is too long");
  std::memcpy(address.sun_path, command.socket.data(), command.socket.size());
  const Descriptor socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (socket.number < 0 ||
      ::connect(socket.number, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return fail(ErrorKind::Unavailable,
                "no sidecar can be reached at " + command.socket + ": " + std::strerror(errno));
  set_timeout(socket.number,
              std::chrono::duration_cast<std::chrono::seconds>(command.timeout) + kPatience);
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(command.timeout).count();
  const auto request = "drain " + std::to_string(milliseconds) + "\n";
  if (::send(socket.number, request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size()))
    return fail(ErrorKind::Unavailable,
                std::string("cannot ask for the drain: ") + std::strerror(errno));
  std::string line;
  std::array<char, 256> piece{};
  while (line.find('\n') == std::string::npos && line.size() < 4096) {
    const auto got = ::recv(socket.number, piece.data(), piece.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(ErrorKind::Timeout, "the sidecar did not answer in time");
    if (got == 0) return fail(ErrorKind::Unavailable, "the sidecar ended during the drain");
    line.append(piece.data(), static_cast<std::size_t>(got));
  }
  return line.substr(0, line.find('\n'));
}

}  // namespace mcpfleet::sidecar
