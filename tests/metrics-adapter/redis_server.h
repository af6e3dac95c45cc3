// A real Redis on a free loopback port, with nothing on disk.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "metrics-adapter/history/redis_connection.h"

namespace mcpfleet::adapter {

// Whether a condition comes to hold within ten seconds.
template <typename Condition>
bool comes_true(const Condition& condition) {
  for (int i = 0; i < 1000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

class RedisServer {
 public:
  explicit RedisServer(std::string password = "") : password_(std::move(password)) {
    // What a broken connection does to a program that does not ignore it.
    std::signal(SIGPIPE, SIG_IGN);
    port_ = free_port();
    start();
  }
  ~RedisServer() { kill(); }
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  RedisAddress address() const { return {"127.0.0.1", port_, 0, "", password_}; }

  // Ends it at once, as a crash does.
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

  void start() {
    pid_ = ::fork();
    if (pid_ == 0) run();
    ASSERT_GT(pid_, 0);
    ASSERT_TRUE(comes_true([this] {
      auto connection = RedisConnection::open(address(), std::chrono::seconds(1));
      return connection.has_value();
    })) << "redis-server does not start; is it installed (hack/deps install test)?";
  }

  std::vector<std::string> ask(RedisCommand command) const {
    auto connection = RedisConnection::open(address(), std::chrono::seconds(5));
    if (!connection) ADD_FAILURE() << connection.error().message;
    if (!connection) return {};
    auto replies = (*connection)->run(std::vector<RedisCommand>{std::move(command)});
    if (!replies) ADD_FAILURE() << replies.error().message;
    if (!replies) return {};
    EXPECT_FALSE(replies->front().refused) << replies->front().texts.front();
    return replies->front().texts;
  }

 private:
  static std::uint16_t free_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    ::close(fd);
    return ntohs(address.sin_port);
  }

  [[noreturn]] void run() const {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int nothing = ::open("/dev/null", O_RDWR);
    ::dup2(nothing, STDOUT_FILENO);
    ::dup2(nothing, STDERR_FILENO);
    const auto port = std::to_string(port_);
    std::vector<const char*> words{"redis-server", "--bind", "127.0.0.1", "--port",
                                   port.c_str(),   "--save", "",          "--appendonly",
                                   "no",           "--dir",  "/tmp"};
    if (!password_.empty()) words.insert(words.end(), {"--requirepass", password_.c_str()});
    words.push_back(nullptr);
    ::execvp(words[0], const_cast<char* const*>(words.data()));
    ::_exit(127);
  }

  const std::string password_;
  std::uint16_t port_ = 0;
  pid_t pid_ = 0;
};

}  // namespace mcpfleet::adapter
