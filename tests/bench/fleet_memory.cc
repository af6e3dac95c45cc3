// What mcp-metrics-adapter's own parts take for the pods that they scrape: its stores, its scraper
// and its histories, without an API server and without those who ask.
//
//   fleet_memory --pods 1000 --port 9090 --seconds 40
//
// The pods are those of pod_metrics, which must listen on that port of every address in 127/8.
// Prints one JSON object: what the process takes before there are pods and with them, in bytes, and
// how much of that the allocator had handed out.
#include <malloc.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "kube/store.h"
#include "metrics-adapter/demand.h"
#include "metrics-adapter/history/history_part.h"
#include "metrics-adapter/own_metrics.h"
#include "metrics-adapter/pod_target.h"
#include "metrics-adapter/roster.h"
#include "metrics-adapter/scraper.h"
#include "metrics-adapter/server_record.h"
#include "sockets.h"

namespace bench = mcpfleet::bench;
using namespace mcpfleet;

namespace {

struct Memory {
  std::size_t resident = 0;
  std::size_t handed_out = 0;
};

Memory memory() {
  Memory now;
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:")) now.resident = 1024 * std::stoul(line.substr(6));
  now.handed_out = ::mallinfo2().uordblks;
  return now;
}

// A pod as the operator makes it, as far as the adapter reads it.
std::string pod_json(unsigned number, unsigned port) {
  const std::string server = "server-" + std::to_string(number / 10);
  const std::string suffix = std::to_string(10'000 + number);
  const std::string address =
      "127.20." + std::to_string(number / 250) + "." + std::to_string(number % 250 + 1);
  return R"({"metadata":{"namespace":"fleet","name":")" + server + "-5d8f7c9b6d-" + suffix +
         R"(","uid":"0b0e6a1c-5d1f-4f0e-9d0c-0000000)" + suffix +
         R"(","labels":{"mcpfleet.dev/server":")" + server + R"(","app.kubernetes.io/name":")" +
         server +
         R"(","app.kubernetes.io/managed-by":"mcpfleet","pod-template-hash":"5d8f7c9b6d"},)" +
         R"("annotations":{"mcpfleet.dev/metrics-port":")" + std::to_string(port) +
         R"("}},"status":{"phase":"Running","podIP":")" + address +
         R"(","conditions":[{"type":"Ready","status":"True",)" +
         R"("lastTransitionTime":"2026-01-01T00:00:00Z"}]}})";
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Flags flags(argc, argv, {{"pods", "1000"}, {"port", "0"}, {"seconds", "40"}});
  bench::exit_after(flags.number("seconds") + 60);
  const SystemClock clock;
  adapter::OwnMetrics metrics;
  kube::Store<adapter::PodTarget> pods(
      adapter::decode_pod, [](const std::string&) {}, [](const Error&) {});
  adapter::Demand demand;
  adapter::Roster roster([&pods] { return pods.all(); },
                         [] { return std::vector<std::shared_ptr<const adapter::ServerRecord>>(); },
                         [] { return true; }, std::chrono::seconds(30));
  auto scraper = adapter::Scraper::start({}, clock, roster, demand, metrics);
  if (!scraper) bench::die(scraper.error().message);
  adapter::HistoryPart history({}, std::chrono::seconds(1), {}, roster, clock, metrics);
  history.start();
  std::this_thread::sleep_for(std::chrono::seconds(2));
  const auto before = memory();
  pods.list_begin();
  for (unsigned i = 0; i < flags.number("pods"); ++i)
    pods.upsert(pod_json(i, flags.number("port")));
  pods.list_end();
  roster.touch();
  std::this_thread::sleep_for(std::chrono::seconds(flags.number("seconds")));
  const auto after = memory();
  std::printf(R"({"empty":%zu,"with_pods":%zu,"handed_out_empty":%zu,"handed_out":%zu})"
              "\n",
              before.resident, after.resident, before.handed_out, after.handed_out);
}
