// The scraper against real servers on loopback, good and bad ones.
#include "metrics-adapter/scraper.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <thread>

#include "metrics/answer.h"

namespace mcpfleet::adapter {
namespace {

using namespace std::chrono_literals;

// A pod's port: reads requests and writes what `answer` gives, byte for byte; an empty answer is
// none at all, until the test ends.
class RawPod {
 public:
  explicit RawPod(std::function<std::string(int number)> answer) : answer_(std::move(answer)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_, 16), 0);
    socklen_t size = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~RawPod() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    for (const int fd : open_) ::close(fd);
    ::close(listener_);
  }
  std::uint16_t port() const { return port_; }
  int requests() const { return requests_.load(); }

 private:
  // One request a connection.
  void run() {
    for (;;) {
      const int fd = ::accept(listener_, nullptr, nullptr);
      if (fd < 0) return;
      char request[4096];
      if (::recv(fd, request, sizeof request, 0) <= 0) {
        ::close(fd);
        continue;
      }
      const auto text = answer_(requests_++);
      if (text.empty()) {
        open_.push_back(fd);
        continue;
      }
      std::size_t sent = 0;
      while (sent < text.size()) {
        const auto n = ::send(fd, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
        if (n <= 0) break;
        sent += static_cast<std::size_t>(n);
      }
      ::shutdown(fd, SHUT_WR);
      while (::recv(fd, request, sizeof request, 0) > 0) continue;
      ::close(fd);
    }
  }

  const std::function<std::string(int)> answer_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> requests_{0};
  std::vector<int> open_;
  std::thread thread_;
};

std::string plain(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

std::string good(int number) {
  return plain("mcp_requests_total{method=\"tools/call\",tool=\"a\"} " +
               std::to_string(100 + 10 * number) + "\nmcp_requests_in_flight 1\n");
}

class ScraperTest : public testing::Test {
 protected:
  void add(const char* name, std::uint16_t port, bool opted_in = false) {
    auto target = std::make_shared<PodTarget>();
    target->namespace_ = "ns";
    target->name = name;
    target->uid = name;
    if (!opted_in) target->server = "x";
    target->opted_in = opted_in;
    target->ip = "127.0.0.1";
    target->port = port;
    target->ready = true;
    pods_.push_back(target);
  }
  void start() {
    ScraperOptions options;
    options.interval = interval_;
    options.limits.max_bytes = 64 * 1024;
    options.max_series = max_series_;
    scraper_ = Scraper::start(options, clock_, roster_, demand_, metrics_).value();
  }
  std::shared_ptr<const PodHealth> health(const std::string& name) {
    const auto snapshot = roster_.snapshot();
    const auto space = snapshot->namespaces.find("ns");
    if (space == snapshot->namespaces.end()) return std::make_shared<PodHealth>();
    for (const auto& entry : space->second.pods)
      if (entry.target->name == name) return entry.record->health.load();
    return std::make_shared<PodHealth>();
  }
  // Waits for a condition, with a deadline; the clock of the scraper is the real one.
  template <typename Condition>
  bool eventually(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(2ms);
    }
    return true;
  }
  bool fails_with(const std::string& name, const std::string& text) {
    const bool seen =
        eventually([&] { return health(name)->failure.find(text) != std::string::npos; });
    EXPECT_TRUE(seen) << name << " has '" << health(name)->failure << "', not '" << text << "'";
    return seen;
  }

  Duration interval_ = 200ms;
  SystemClock clock_;
  OwnMetrics metrics_;
  Demand demand_;
  std::size_t max_series_ = 100;
  std::vector<std::shared_ptr<const PodTarget>> pods_;
  Roster roster_{[this] { return pods_; },
                 [] { return std::vector<std::shared_ptr<const ServerRecord>>(); },
                 [] { return true; }, 30s};
  std::unique_ptr<Scraper> scraper_;
};

TEST_F(ScraperTest, GivesARateAfterTwoScrapes) {
  RawPod pod(good);
  add("p", pod.port());
  start();
  ASSERT_TRUE(eventually([&] {
    const auto now = health("p");
    return now->view != nullptr && now->view->total.requests >= 10;
  }));
  EXPECT_EQ(health("p")->view->in_flight, 1);
  EXPECT_TRUE(eventually([&] { return scraper_->warm(); }));
  EXPECT_NE(metrics_.exposition().find("mcpfleet_adapter_targets 1"), std::string::npos);
}

TEST_F(ScraperTest, IsWarmOnlyWhenEveryPodHasHadTwoTurns) {
  RawPod pod(good);
  add("p", pod.port());
  start();
  ASSERT_TRUE(eventually([&] { return scraper_->warm(); }));
  EXPECT_GE(pod.requests(), 2);
}

TEST_F(ScraperTest, ReadsAChunkedAnswer) {
  RawPod pod([](int) {
    return "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
           "10\r\nmcp_active_sessi\r\n6\r\nons 7\n\r\n0\r\n\r\n";
  });
  add("p", pod.port());
  start();
  ASSERT_TRUE(eventually([&] { return health("p")->view != nullptr; })) << health("p")->failure;
  EXPECT_EQ(health("p")->view->sessions, 7);
}

TEST_F(ScraperTest, ABadPodCostsOnlyItself) {
  interval_ = 500ms;  // a sanitizer must get at the large ones' limit before the deadline
  RawPod fine(good);
  RawPod silent([](int) { return ""; });
  RawPod garbage([](int) { return plain("<html>hello</html>"); });
  RawPod binary([](int) { return "\x16\x03\x01\x02garbage that is no HTTP\r\n\r\n"; });
  RawPod large([](int) { return plain(std::string(500'000, 'x')); });
  RawPod endless([](int) {
    return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\n" +
           std::string(500'000, 'y');
  });
  RawPod broken_off(
      [](int) { return "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nmcp_active_sessions 7\n"; });
  RawPod refusing([](int) {
    return "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
  });
  RawPod foreign([](int) { return plain("go_goroutines 7\n"); });
  RawPod nan([](int) { return plain("mcp_active_sessions NaN\n"); });
  add("fine", fine.port());
  add("silent", silent.port());
  add("garbage", garbage.port());
  add("binary", binary.port());
  add("large", large.port());
  add("endless", endless.port());
  add("broken_off", broken_off.port());
  add("refusing", refusing.port());
  add("foreign", foreign.port());
  add("nan", nan.port());
  start();
  fails_with("silent", "127.0.0.1:" + std::to_string(silent.port()));
  fails_with("garbage", "/metrics: line 1: a metric's name cannot start with '<'");
  fails_with("binary", "127.0.0.1:" + std::to_string(binary.port()));
  fails_with("large", "/metrics is larger than 65536 bytes");
  fails_with("endless", "/metrics is larger than 65536 bytes");
  fails_with("broken_off", "127.0.0.1:" + std::to_string(broken_off.port()));
  fails_with("refusing", "/metrics answered HTTP status 503");
  fails_with("foreign", "/metrics: none of its series is a metric of an MCP server");
  fails_with("nan", "line 1: mcp_active_sessions must be a finite number");
  EXPECT_TRUE(eventually([&] { return health("fine")->view && fine.requests() > 5; }));
  EXPECT_EQ(health("fine")->failure, "");
}

TEST_F(ScraperTest, KeepsTheOldDataAndTheTimeSinceItFails) {
  std::atomic<bool> broken{false};
  RawPod pod([&broken](int number) { return broken ? plain("?") : good(number); });
  add("p", pod.port());
  start();
  ASSERT_TRUE(eventually([&] { return health("p")->view != nullptr; }));
  broken = true;
  ASSERT_TRUE(fails_with("p", "line 1"));
  const auto since = health("p")->failing_since;
  const int requests = pod.requests();
  ASSERT_TRUE(eventually([&] { return pod.requests() > requests + 2; }));
  EXPECT_EQ(health("p")->failing_since, since);
  EXPECT_NE(health("p")->view, nullptr);
  broken = false;
  ASSERT_TRUE(eventually([&] { return health("p")->failure.empty(); }));
  EXPECT_FALSE(health("p")->failing_since);
}

TEST_F(ScraperTest, KeepsSeriesThatAreAskedForAndNoMoreThanAllowed) {
  max_series_ = 4;
  const auto many = [](int number) {
    std::string text;
    for (int i = 0; i < 3; ++i)
      text += "jobs_total{queue=\"q" + std::to_string(i) + "\"} " + std::to_string(number) + "\n";
    return plain(text + "other 1\n");
  };
  RawPod first(many);
  RawPod second(many);
  add("first", first.port(), true);
  add("second", second.port(), true);
  const auto kept = [this](const char* name) {
    const auto view = health(name)->view;
    return view == nullptr || view->series == nullptr ? 0 : view->series->size();
  };
  start();
  ASSERT_TRUE(eventually([&] { return health("first")->view && health("second")->view; }));
  EXPECT_EQ(kept("first") + kept("second"), 0u) << "nobody asked";
  EXPECT_FALSE(health("first")->view->has_mcp);
  ASSERT_TRUE(demand_.ask("ns", "jobs_per_second", clock_.monotonic()));
  ASSERT_TRUE(eventually([&] { return kept("first") + kept("second") == 4; }));
  const int requests = first.requests();
  ASSERT_TRUE(eventually([&] { return first.requests() > requests + 2; }));
  EXPECT_EQ(kept("first") + kept("second"), 4u);
  const auto text = metrics_.exposition();
  EXPECT_NE(text.find("mcpfleet_adapter_kept_series 4\n"), text.npos) << text;
  EXPECT_EQ(text.find("mcpfleet_adapter_refused_series_total 0\n"), text.npos);
}

// What a sidecar answers at first: its counters 20 s and 10 s ago, and now; 10 a second since.
std::string with_past(int number) {
  if (number > 0) return good(29 + number);
  std::string text;
  for (const int ago : {20, 10})
    text += "mcp_requests_total{method=\"tools/call\",tool=\"a\"} " +
            std::to_string(400 - 10 * ago) + "\nmcp_snapshot_age_seconds " + std::to_string(ago) +
            "\n# EOF\n";
  return plain(text + "mcp_requests_total{method=\"tools/call\",tool=\"a\"} 400\n");
}

TEST_F(ScraperTest, KnowsAtOnceWhatASidecarTellsOfItsPast) {
  RawPod pod(with_past);
  add("p", pod.port());
  start();
  ASSERT_TRUE(eventually([&] { return health("p")->view != nullptr; }));
  const auto view = health("p")->view;
  EXPECT_GE(view->covered, 19s);
  EXPECT_LE(view->covered, 25s);
  EXPECT_GE(view->total.requests, 200);
  EXPECT_EQ(health("p")->failure, "");
}

TEST_F(ScraperTest, APastThatCannotBeIsLeftOut) {
  RawPod pod([](int number) {
    std::string text;
    for (const char* age : {"5", "10", "0", "1e9"})
      text += "mcp_active_sessions 9\nmcp_snapshot_age_seconds " + std::string(age) + "\n# EOF\n";
    return plain(text + "mcp_active_sessions " + std::to_string(number) + "\n# EOF\n");
  });
  add("p", pod.port());
  start();
  ASSERT_TRUE(eventually([&] { return pod.requests() > 3; }));
  EXPECT_LT(health("p")->view->covered, 30s);
  EXPECT_EQ(health("p")->failure, "");
  EXPECT_LT(health("p")->view->sessions, 9);
}

TEST_F(ScraperTest, ReadsTheJsonOfMcpo) {
  RawPod pod([](int number) {
    return plain(
        R"({"performance":{"search":{"total_requests":)" + std::to_string(10 * number) +
        R"(,"avg_duration":0.5,"success_rate":90}},"concurrency":{"current_concurrent":3}})");
  });
  add("p", pod.port());
  start();
  ASSERT_TRUE(eventually([&] {
    const auto view = health("p")->view;
    return view && view->total.requests >= 20;
  }));
  const auto view = health("p")->view;
  EXPECT_EQ(view->in_flight, 3);
  EXPECT_NEAR(view->total.told_seconds, view->total.requests * 0.5, 1e-9);
  EXPECT_NEAR(view->total.errors, view->total.requests * 0.1, 1e-9);
}

TEST_F(ScraperTest, FollowsTheRoster) {
  RawPod first(good);
  RawPod second(good);
  add("first", first.port());
  start();
  ASSERT_TRUE(eventually([&] { return first.requests() > 0; }));
  EXPECT_EQ(second.requests(), 0);
  scraper_.reset();  // pods_ is not locked
  pods_.clear();
  add("second", second.port());
  roster_.touch();
  start();
  const int before = first.requests();
  ASSERT_TRUE(eventually([&] { return second.requests() > 2; }));
  EXPECT_LE(first.requests(), before + 1);
}

TEST_F(ScraperTest, APodWithoutAnAddressIsLeftAlone) {
  add("pending", 1);
  auto pending = std::make_shared<PodTarget>(*pods_.front());
  pending->ip.clear();
  RawPod fine(good);
  add("fine", fine.port());
  pods_.front() = pending;
  start();
  ASSERT_TRUE(eventually([&] { return fine.requests() > 2; }));
  EXPECT_FALSE(health("pending")->failing_since);
}

}  // namespace
}  // namespace mcpfleet::adapter
