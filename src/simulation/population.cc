#include "simulation/population.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "simulation/generate.h"
#include "simulation/random.h"

namespace mcpfleet::simulation {
namespace {

constexpr int kDay = 24 * 3600;
// So long a rate is taken as constant: a day curve moves by less than half a percent in it.
constexpr int kPiece = 60;
constexpr double kMuch = 0.01;  // of the time over the objective

// One server's day.
struct Curve {
  double base;
  double peak;
  int shift;  // seconds

  double rate(int second) const { return day_rate(base, peak, second + shift, kDay); }
};

Curve draw_curve(const Population& population, Random& random) {
  const double mean =
      population.least * std::pow(population.most / population.least, random.uniform());
  const double night = 0.1 + 0.5 * random.uniform();  // of the mean
  return {mean * night, mean * (2 - night), static_cast<int>(random.uniform() * kDay)};
}

// Feeds a server its calls, a piece at a time, and adds up what became of them.
class OneServer {
 public:
  OneServer(const Workload& workload, ReplicaPolicy& policy, const Curve& curve, int replicas,
            Random& random)
      : curve_(curve), random_(random), replay_(workload, policy, replicas) {}

  void run(std::vector<int>& pods_by_second) {
    const int seconds = static_cast<int>(pods_by_second.size());
    std::array<double, kPiece> calls;
    int now = 0;
    for (int begin = 0; begin < seconds; begin += kPiece) {
      const int length = std::min(kPiece, seconds - begin);
      const Poisson poisson(curve_.rate(begin));
      for (int i = 0; i < length; ++i) calls[static_cast<std::size_t>(i)] = poisson.draw(random_);
      replay_.run({calls.data(), static_cast<std::size_t>(length)},
                  [&](const Server& server, const CallSecond& second, double arrivals) {
                    const int pods = server.pods().replicas();
                    totals_.add(second, arrivals, pods);
                    pods_by_second[static_cast<std::size_t>(now++)] += pods;
                  });
    }
  }
  const Totals& totals() const { return totals_; }
  double pod_seconds() const { return replay_.server().pod_seconds(); }

 private:
  Curve curve_;
  Random& random_;
  Replay replay_;
  Totals totals_;
};

void add(const OneServer& one, double seconds, PopulationResult& result) {
  const Totals& totals = one.totals();
  result.calls.arrived += totals.arrived;
  result.calls.served += totals.served;
  result.calls.late += totals.late;
  result.calls.lost += totals.lost;
  result.calls.over_seconds += totals.over_seconds;
  result.calls.peak_replicas = std::max(result.calls.peak_replicas, totals.peak_replicas);
  result.server_seconds += seconds;
  result.pod_seconds += one.pod_seconds();
  if (totals.over_seconds > kMuch * seconds) ++result.servers_over;
}

}  // namespace

Result<PopulationResult> simulate(const Population& population, const Contestant& who,
                                  const fleet::MCPServer& server, const Workload& workload) {
  PopulationResult result;
  std::vector<int> pods(static_cast<std::size_t>(population.hours) * 3600);
  for (int i = 0; i < population.servers; ++i) {
    Random random(population.seed * 0x9e3779b97f4a7c15 + static_cast<std::uint64_t>(i));
    const Curve curve = draw_curve(population, random);
    const int replicas = first_replicas({{}, {curve.rate(0)}}, workload);
    auto policy = make_policy(who, server, workload, draw_phases(random.bits()), replicas);
    if (!policy) return fail(policy.error());
    OneServer one(workload, **policy, curve, replicas, random);
    one.run(pods);
    add(one, static_cast<double>(pods.size()), result);
  }
  const auto peak = std::max_element(pods.begin(), pods.end());
  if (peak == pods.end()) return result;
  result.peak_pods = *peak;
  result.peak_second = peak - pods.begin();
  return result;
}

}  // namespace mcpfleet::simulation
