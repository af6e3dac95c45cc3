// Asks a metrics API over TLS as quickly as it answers: a closed loop, one keep-alive connection a
// thread, each going through all paths from a place of its own.
//
//   metrics_load --address 10.180.0.1:6443 --paths FILE --token-file FILE --connections 8
//                --seconds 10 --items 10
//
// Prints "ready" when every connection has had its first answer, waits for a line on standard
// input, so that a caller can look at a server's clock at both ends, and prints one JSON object.
// An answer is good if its status is 200 and it holds so many values, none of them zero; any other
// is an error, of which the first goes to standard error.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <latch>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "sockets.h"
#include "tls_connection.h"

namespace bench = mcpfleet::bench;

namespace {

using Clock = std::chrono::steady_clock;

// Beyond what the API server's aggregation waits for.
constexpr unsigned kPatienceSeconds = 60;

struct Tally {
  std::vector<std::int64_t> nanoseconds;  // of each good answer
  std::size_t errors = 0;
  Clock::time_point ended;
};

std::vector<std::string> lines_of(const std::string& file) {
  std::ifstream in(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  if (lines.empty()) bench::die("there is nothing in '" + file + "'");
  return lines;
}

std::vector<std::string> requests_from(const bench::Flags& flags) {
  const auto token = lines_of(flags.text("token-file")).front();
  auto requests = lines_of(flags.text("paths"));
  for (auto& request : requests) {
    request = "GET " + request + " HTTP/1.1\r\nHost: " + flags.text("address") +
              "\r\nAccept: application/json\r\nAuthorization: Bearer " + token + "\r\n\r\n";
  }
  return requests;
}

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + part.size())) ++found;
  return found;
}

bool is_good(const bench::HttpAnswer& answer, std::size_t items) {
  if (answer.status != 200) return false;
  const auto text = answer.text();
  return count(text, R"("value":")") == items && count(text, R"("value":"0")") == 0;
}

// One connection's part of the load.
class Asker {
 public:
  Asker(const bench::Flags& flags, const bench::TlsContext& context,
        const std::vector<std::string>& requests, std::size_t first)
      : connection_(context, flags.text("address"), kPatienceSeconds),
        requests_(requests),
        items_(flags.number("items")),
        next_(first) {}

  // Whether the answer was good. Dies when the connection ends: none should.
  bool ask() {
    const auto answer = connection_.exchange(requests_[next_++ % requests_.size()]);
    if (!answer) bench::die("a connection ended, or was silent for too long");
    if (is_good(*answer, items_)) return true;
    tell(*answer);
    return false;
  }

  Tally run(Clock::time_point until) {
    Tally tally;
    do {
      const auto begun = Clock::now();
      const bool good = ask();
      tally.ended = Clock::now();
      if (good) {
        tally.nanoseconds.push_back(std::chrono::nanoseconds(tally.ended - begun).count());
      } else {
        ++tally.errors;
      }
    } while (tally.ended < until);
    return tally;
  }

 private:
  // The first error of all connections.
  static void tell(const bench::HttpAnswer& answer) {
    static std::once_flag told;
    std::call_once(told, [&answer] {
      const auto text = answer.text().substr(0, 2000);
      std::fprintf(stderr, "status %d: %s\n", answer.status, text.c_str());
    });
  }

  bench::TlsConnection connection_;
  const std::vector<std::string>& requests_;
  const std::size_t items_;
  std::size_t next_;
};

double percentile_us(const std::vector<std::int64_t>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto at = static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1) + 0.5);
  return static_cast<double>(sorted[at]) / 1e3;
}

void print(const std::vector<Tally>& tallies, Clock::time_point begun) {
  std::vector<std::int64_t> all;
  std::size_t errors = 0;
  auto ended = begun;
  for (const auto& tally : tallies) {
    all.insert(all.end(), tally.nanoseconds.begin(), tally.nanoseconds.end());
    errors += tally.errors;
    ended = std::max(ended, tally.ended);
  }
  std::ranges::sort(all);
  const double seconds = std::chrono::duration<double>(ended - begun).count();
  std::printf(R"({"answers":%zu,"errors":%zu,"seconds":%.6f,"p50_us":%.1f,"p99_us":%.1f,)",
              all.size(), errors, seconds, percentile_us(all, 0.5), percentile_us(all, 0.99));
  std::printf("\"max_us\":%.1f}\n", percentile_us(all, 1));
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Flags flags(argc, argv,
                           {{"address", ""},
                            {"paths", ""},
                            {"token-file", ""},
                            {"connections", "1"},
                            {"seconds", "10"},
                            {"items", "10"}});
  const auto connections = flags.number("connections");
  const auto seconds = flags.number("seconds");
  if (connections == 0 || connections > 1000) bench::die("--connections must be from 1 to 1000");
  bench::exit_after(seconds + 4 * kPatienceSeconds);
  const auto requests = requests_from(flags);
  const bench::TlsContext context;
  std::vector<Tally> tallies(connections);
  std::latch ready(connections);
  std::latch go(1);
  Clock::time_point begun;  // written before `go`
  std::vector<std::jthread> threads;
  for (unsigned i = 0; i < connections; ++i) {
    threads.emplace_back([&, i] {
      Asker asker(flags, context, requests, i * requests.size() / connections);
      asker.ask();
      ready.count_down();
      go.wait();
      tallies[i] = asker.run(begun + std::chrono::seconds(seconds));
    });
  }
  ready.wait();
  std::printf("ready\n");
  std::fflush(stdout);
  std::string line;
  std::getline(std::cin, line);
  begun = Clock::now();
  go.count_down();
  threads.clear();
  print(tallies, begun);
}
