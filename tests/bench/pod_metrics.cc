// Plays the metrics port of many pods in one cheap process: whoever connects to 127.a.b.c gets the
// /metrics of the pod with that address. Counters move with time, gauges stay until they are set.
//
//   pod_metrics --listen 0.0.0.0:0 --control 127.0.0.1:0 --tools 1 --seconds 3600
//
// Prints both addresses, the pods' first. GET /ADDRESS/VALUE on the control port sets the requests
// in flight of one pod.
#include <arpa/inet.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <charconv>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "sockets.h"

namespace bench = mcpfleet::bench;

namespace {

constexpr std::size_t kMaxRequest = 16 * 1024;

// What the pods say. A pod is its address in host byte order.
class Pods {
 public:
  explicit Pods(unsigned tools) : tools_(tools), started_(std::chrono::steady_clock::now()) {}

  // "/127.0.1.2/5"; false where it is not of that form.
  bool set(std::string_view path) {
    const auto slash = path.rfind('/');
    in_addr address{};
    if (!path.starts_with('/') || slash == 0 || slash == path.npos ||
        ::inet_pton(AF_INET, std::string(path.substr(1, slash - 1)).c_str(), &address) != 1) {
      return false;
    }
    unsigned value = 0;
    const auto text = path.substr(slash + 1);
    if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc()) {
      return false;
    }
    in_flight_[ntohl(address.s_addr)] = value;
    return true;
  }

  std::string metrics(std::uint32_t pod) const {
    const auto running = std::chrono::steady_clock::now() - started_;
    const double seconds = std::chrono::duration<double>(running).count();
    std::string text = "# TYPE mcp_requests_total counter\n";
    for (unsigned tool = 0; tool < tools_; ++tool) {
      const double rate = 2 + (pod + tool) % 5;  // a second
      text += R"(mcp_requests_total{method="tools/call",tool="tool-)" + std::to_string(tool) +
              "\"} " + std::to_string(1000 + static_cast<std::uint64_t>(rate * seconds)) + '\n';
    }
    const auto set = in_flight_.find(pod);
    text += "# TYPE mcp_requests_in_flight gauge\nmcp_requests_in_flight " +
            std::to_string(set == in_flight_.end() ? 1 + pod % 4 : set->second) +
            "\n# TYPE mcp_active_sessions gauge\nmcp_active_sessions " +
            std::to_string(3 + pod % 7) + '\n';
    return text;
  }

 private:
  const unsigned tools_;
  const std::chrono::steady_clock::time_point started_;
  std::unordered_map<std::uint32_t, unsigned> in_flight_;
};

std::string answer(int status, std::string_view body) {
  std::string text =
      "HTTP/1.1 " + std::to_string(status) + (status == 200 ? " OK" : " Bad Request");
  text += "\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: ";
  return text.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
}

std::uint32_t own_address(const bench::Fd& socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohl(address.sin_addr.s_addr);
}

// One thread for all connections. Blocking sockets do: each is read once when it has something, and
// an answer is far smaller than what a socket takes at once.
class Loop {
 public:
  Loop(Pods& pods, const bench::Fd& listener, const bench::Fd& control)
      : pods_(pods),
        listener_(listener),
        control_(control),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    watch(listener_);
    watch(control_);
  }

  void run() {
    epoll_event events[64];
    for (;;) {
      const int ready = ::epoll_wait(epoll_.get(), events, 64, -1);
      for (int i = 0; i < ready; ++i) {
        const int fd = events[i].data.fd;
        if (fd == listener_.get()) {
          accept(listener_, false);
        } else if (fd == control_.get()) {
          accept(control_, true);
        } else if (auto& connection = connections_.at(fd); !serve(connection)) {
          connections_.erase(fd);
        }
      }
    }
  }

 private:
  struct Connection {
    bench::Fd socket;
    bool controls;
    std::uint32_t pod;
    std::string received;
  };

  void watch(const bench::Fd& socket) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = socket.get();
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket.get(), &event);
  }

  void accept(const bench::Fd& from, bool controls) {
    auto socket = bench::accept_from(from);
    const auto pod = own_address(socket);
    constexpr std::uint32_t kLoopback = 127;
    if (pod >> 24 != kLoopback) return;  // nobody on another machine has business here
    watch(socket);
    const int fd = socket.get();
    connections_.insert_or_assign(fd, Connection{std::move(socket), controls, pod, {}});
  }

  // False: the connection is over.
  bool serve(Connection& connection) {
    char buffer[4096];
    const auto size = bench::receive(connection.socket, buffer, sizeof buffer);
    if (size == 0 || connection.received.size() + size > kMaxRequest) return false;
    auto& bytes = connection.received;
    bytes.append(buffer, size);
    for (auto end = bytes.find("\r\n\r\n"); end != bytes.npos; end = bytes.find("\r\n\r\n")) {
      const auto reply = connection.controls ? control(bytes.substr(0, end))
                                             : answer(200, pods_.metrics(connection.pod));
      if (!bench::send_all(connection.socket, reply)) return false;
      bytes.erase(0, end + 4);
    }
    return true;
  }

  std::string control(std::string_view head) {
    const auto begin = head.find(' ');
    const auto end = head.find(' ', begin + 1);
    const bool done = end != head.npos && pods_.set(head.substr(begin + 1, end - begin - 1));
    return done ? answer(200, "") : answer(400, "the path must be /ADDRESS/VALUE\n");
  }

  Pods& pods_;
  const bench::Fd& listener_;
  const bench::Fd& control_;
  bench::Fd epoll_;
  std::unordered_map<int, Connection> connections_;
};

}  // namespace

int main(int argc, char** argv) {
  const bench::Flags flags(
      argc, argv,
      {{"listen", "0.0.0.0:0"}, {"control", "127.0.0.1:0"}, {"tools", "1"}, {"seconds", "3600"}});
  bench::exit_after(flags.number("seconds"));
  const auto listener = bench::listen_on(flags.text("listen"));
  const auto control = bench::listen_on(flags.text("control"));
  Pods pods(flags.number("tools"));
  Loop(pods, listener, control).run();
}
