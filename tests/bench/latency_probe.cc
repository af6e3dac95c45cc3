// How long a tool call takes over each of several ways to a server, in one run: short blocks of
// calls in an order that is random in each round, so that whatever else happens on the machine
// meets all ways alike. One call at a time, one keep-alive connection and one session a way.
//
//   latency_probe --target direct=http://127.0.0.1:3001/mcp
//                 --target relay=http://127.0.0.1:4001/mcp
//
// Prints one JSON object: a way's percentiles in nanoseconds, and all samples by round, so that a
// caller can compare rounds in pairs.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "mcp_connection.h"
#include "sockets.h"

namespace bench = mcpfleet::bench;

namespace {

struct Way {
  std::string name;
  std::string url;
  bench::McpConnection connection;
  std::vector<std::vector<std::int64_t>> rounds;
};

std::vector<Way> connect_all(const bench::Flags& flags) {
  std::vector<Way> ways;
  for (const auto& target : flags.all("target")) {
    const auto equals = target.find('=');
    if (equals == std::string::npos) bench::die("--target must be NAME=URL, not '" + target + "'");
    const auto url = target.substr(equals + 1);
    ways.push_back({target.substr(0, equals),
                    url,
                    bench::McpConnection(url, flags.text("tool"), flags.text("arguments")),
                    {}});
  }
  if (ways.empty()) bench::die("--target NAME=URL is needed at least once");
  return ways;
}

void measure(std::vector<Way>& ways, const bench::Flags& flags) {
  const auto until =
      std::chrono::steady_clock::now() + std::chrono::seconds(flags.number("seconds"));
  const auto& expect = flags.text("expect");
  std::mt19937 random(flags.number("seed"));
  std::vector<std::size_t> order(ways.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  for (unsigned round = 0; round < flags.number("rounds"); ++round) {
    std::ranges::shuffle(order, random);
    for (const auto index : order) {
      Way& way = ways[index];
      // The first calls after a pause find cold caches and sleeping threads.
      for (unsigned i = 0; i < flags.number("discard"); ++i) way.connection.call(expect);
      auto& samples = way.rounds.emplace_back();
      for (unsigned i = 0; i < flags.number("block"); ++i) {
        samples.push_back(way.connection.call(expect));
      }
    }
    if (std::chrono::steady_clock::now() > until) break;
  }
}

std::int64_t percentile(const std::vector<std::int64_t>& sorted, double share) {
  return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1) + 0.5)];
}

void print(const Way& way) {
  std::vector<std::int64_t> all;
  for (const auto& round : way.rounds) all.insert(all.end(), round.begin(), round.end());
  std::ranges::sort(all);
  std::printf(R"({"name":"%s","url":"%s","calls":%zu,"reconnects":%u,)", way.name.c_str(),
              way.url.c_str(), all.size(), way.connection.reconnects());
  std::printf(R"("p50_ns":%ld,"p90_ns":%ld,"p99_ns":%ld,"max_ns":%ld,"rounds_ns":[)",
              percentile(all, 0.5), percentile(all, 0.9), percentile(all, 0.99), all.back());
  for (std::size_t i = 0; i < way.rounds.size(); ++i) {
    std::printf(i ? ",[" : "[");
    for (std::size_t k = 0; k < way.rounds[i].size(); ++k) {
      std::printf(k ? ",%ld" : "%ld", way.rounds[i][k]);
    }
    std::printf("]");
  }
  std::printf("]}");
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Flags flags(argc, argv,
                           {{"target", ""},
                            {"tool", "echo"},
                            {"arguments", R"({"message":"hi"})"},
                            {"expect", "Echo: hi"},
                            {"rounds", "100"},
                            {"block", "50"},
                            {"discard", "5"},
                            {"seconds", "120"},  // no new round after so long
                            {"seed", "1"}});
  if (flags.number("block") == 0 || flags.number("rounds") == 0) {
    bench::die("--block and --rounds must be at least 1");
  }
  auto ways = connect_all(flags);
  measure(ways, flags);
  std::printf("{\"ways\":[");
  for (std::size_t i = 0; i < ways.size(); ++i) {
    if (i) std::printf(",");
    print(ways[i]);
    ways[i].connection.close();
  }
  std::printf("]}\n");
}
