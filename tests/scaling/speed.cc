// What observing and deciding cost: prints nanoseconds of processor time a call, the best of
// several rounds, so that what else the machine does counts little.
//
//   cmake -G Ninja -B build/release-speed -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS_RELEASE=-O2
//   cmake --build build/release-speed --target scaling_speed
//   build/release-speed/bin/scaling_speed
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "facts.h"

namespace mcpfleet::scaling {
namespace {

constexpr int kSeconds = 2'000'000;
constexpr int kRounds = 5;

struct Cost {
  double observe = 1e9;
  double both = 1e9;
};

double nanoseconds_since(std::clock_t begin) {
  return static_cast<double>(std::clock() - begin) * 1e9 / CLOCKS_PER_SEC;
}

// A day curve with pods that follow.
double run(const Policy& policy, bool decide, long& sum) {
  Scaler scaler;
  Facts facts;
  facts.pods = ready_pods(8);
  const std::clock_t begin = std::clock();
  for (int i = 0; i < kSeconds; ++i) {
    facts.now = kMorning + std::chrono::seconds(i);
    const double load = 400 + ((i >> 6) % 300);
    facts[Signal::RequestsPerSecond] = Measurement::of(load, facts.now);
    facts[Signal::Concurrency] = Measurement::of(load / 10, facts.now);
    facts[Signal::Latency] = Measurement::of(0.1, facts.now);
    scaler.observe(policy, facts);
    if (!decide) continue;
    const Verdict verdict = scaler.decide(policy, facts, 0);
    facts.pods = ready_pods(verdict.replicas);
    sum += verdict.replicas;
  }
  return nanoseconds_since(begin) / kSeconds;
}

void measure(const char* what, const Policy& policy) {
  Cost cost;
  long sum = 0;
  for (int i = 0; i < kRounds; ++i) {
    cost.observe = std::min(cost.observe, run(policy, false, sum));
    cost.both = std::min(cost.both, run(policy, true, sum));
  }
  std::printf("%-28s observe %6.1f ns   decide %6.1f ns   (checksum %ld)\n", what, cost.observe,
              cost.both - cost.observe, sum);
}

int run_all() {
  Policy policy = rate_policy();
  policy.behavior = Behavior{};
  measure("one target", policy);
  policy.panic = Panic{};
  measure("and panic", policy);
  policy.targets.concurrency = 5;
  measure("and a second target", policy);
  policy.targets.latency = {Quantile::P95, 0.2};
  measure("and a latency objective", policy);
  policy.forecast = Forecast{};
  policy.schedules = {{"day", Cron::parse("0 8 * * MON-FRI").value(), std::chrono::hours(10), 6,
                       std::chrono::minutes(10)}};
  measure("and a schedule and forecast", policy);
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace mcpfleet::scaling

int main() { return mcpfleet::scaling::run_all(); }
