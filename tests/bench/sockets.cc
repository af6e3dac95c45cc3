#include "sockets.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace mcpfleet::bench {

namespace {

void without_delay(int socket) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

bool parse_number(std::string_view text, unsigned& number) {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  return problem == std::errc() && end == text.data() + text.size();
}

}  // namespace

void die(const std::string& sentence) {
  std::fprintf(stderr, "%s: %s\n", program_invocation_short_name, sentence.c_str());
  std::exit(2);
}

Fd::~Fd() {
  if (value_ >= 0) ::close(value_);
}

Fd& Fd::operator=(Fd&& other) noexcept {
  std::swap(value_, other.value_);
  return *this;
}

sockaddr_in parse_address(const std::string& text) {
  const auto colon = text.rfind(':');
  sockaddr_in address{};
  address.sin_family = AF_INET;
  unsigned port = 0;
  if (colon == std::string::npos ||
      ::inet_pton(AF_INET, text.substr(0, colon).c_str(), &address.sin_addr) != 1 ||
      !parse_number(std::string_view(text).substr(colon + 1), port) || port > 65535) {
    die("'" + text + "' is not a numeric IPv4 address with a port, such as 127.0.0.1:8080");
  }
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

std::string format_address(const sockaddr_in& address) {
  char ip[INET_ADDRSTRLEN] = {};
  ::inet_ntop(AF_INET, &address.sin_addr, ip, sizeof ip);
  return std::string(ip) + ":" + std::to_string(ntohs(address.sin_port));
}

Fd listen_on(const std::string& text) {
  auto address = parse_address(text);
  Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  socklen_t size = sizeof address;
  if (::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(listener.get(), SOMAXCONN) != 0) {
    die("cannot listen on " + text + ": " + std::strerror(errno));
  }
  ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size);
  std::printf("listening %s\n", format_address(address).c_str());
  std::fflush(stdout);
  return listener;
}

Fd connect_to(const sockaddr_in& address) {
  Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return Fd();
  }
  without_delay(socket.get());
  return socket;
}

Fd accept_from(const Fd& listener) {
  Fd socket(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (socket.get() < 0) die(std::string("accept: ") + std::strerror(errno));
  without_delay(socket.get());
  return socket;
}

bool send_all(const Fd& socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::size_t receive(const Fd& socket, char* into, std::size_t size) {
  for (;;) {
    const auto got = ::recv(socket.get(), into, size, 0);
    if (got < 0 && errno == EINTR) continue;
    return got > 0 ? static_cast<std::size_t>(got) : 0;
  }
}

void exit_after(unsigned seconds) {
  std::signal(SIGALRM, [](int) { ::_exit(0); });
  ::alarm(seconds);
}

Flags::Flags(int argc, char** argv, std::map<std::string, std::string, std::less<>> defaults)
    : values_(std::move(defaults)) {
  for (int i = 1; i < argc; i += 2) {
    const std::string_view word = argv[i];
    const auto flag = word.starts_with("--") ? values_.find(word.substr(2)) : values_.end();
    if (flag == values_.end()) die("there is no flag '" + std::string(word) + "'");
    if (i + 1 == argc) die("the flag '" + std::string(word) + "' needs a value");
    flag->second = argv[i + 1];
    given_.emplace_back(flag->first, flag->second);
  }
}

const std::string& Flags::text(std::string_view name) const { return values_.find(name)->second; }

unsigned Flags::number(std::string_view name) const {
  unsigned number = 0;
  if (!parse_number(text(name), number)) {
    die("--" + std::string(name) + " must be a whole number, not '" + text(name) + "'");
  }
  return number;
}

std::vector<std::string> Flags::all(std::string_view name) const {
  std::vector<std::string> found;
  for (const auto& [flag, value] : given_) {
    if (flag == name) found.push_back(value);
  }
  return found;
}

}  // namespace mcpfleet::bench
