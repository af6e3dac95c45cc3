// Blocking TCP sockets and command-line flags for the small programs of the benchmarks.
//
// Errors end the program with one sentence on standard error: there is nothing to rescue in a
// measurement that went wrong.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mcpfleet::bench {

[[noreturn]] void die(const std::string& sentence);

// Owns a file descriptor.
class Fd {
 public:
  explicit Fd(int value = -1) : value_(value) {}
  ~Fd();
  Fd(Fd&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Fd& operator=(Fd&& other) noexcept;
  int get() const { return value_; }

 private:
  int value_;
};

// "127.0.0.1:8080". IPv4 only, numeric: what pods and loopback have here.
sockaddr_in parse_address(const std::string& text);
std::string format_address(const sockaddr_in& address);

// A listening socket; port 0 takes a free one. Prints "listening IP:PORT" on standard output.
Fd listen_on(const std::string& address);
// A connected socket with TCP_NODELAY. An Fd of -1 where the peer refuses.
Fd connect_to(const sockaddr_in& address);
// The next connection, with TCP_NODELAY.
Fd accept_from(const Fd& listener);
// Sends all of it; false when the peer is gone.
bool send_all(const Fd& socket, std::string_view bytes);
// The next bytes, at most `size`; 0 when the peer is gone.
std::size_t receive(const Fd& socket, char* into, std::size_t size);

// Ends this program with success after so many seconds, whatever it does then: what a benchmark
// starts must not outlive it.
void exit_after(unsigned seconds);

// "--name value" pairs. A name that was not declared, or one without a value, is an error.
class Flags {
 public:
  // `defaults` are all flags there are.
  Flags(int argc, char** argv, std::map<std::string, std::string, std::less<>> defaults);
  const std::string& text(std::string_view name) const;  // the last one given
  unsigned number(std::string_view name) const;
  std::vector<std::string> all(std::string_view name) const;  // each that was given

 private:
  std::map<std::string, std::string, std::less<>> values_;
  std::vector<std::pair<std::string, std::string>> given_;
};

}  // namespace mcpfleet::bench
