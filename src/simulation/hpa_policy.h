// The HPA controller as a policy, reading metrics through a pipeline: the product's own, or a
// rival's.
//
// The arithmetic is scaling/hpa.h. What differs between pipelines is how old their values are and
// over how long they are averaged. Thread safety: one thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "scaling/hpa.h"
#include "simulation/policy.h"
#include "simulation/workload.h"

namespace mcpfleet::simulation {

// When a source looks, and what it then says.
struct Pipeline {
  int every = 1;    // seconds from scrape to scrape
  int window = 30;  // seconds that a value is averaged over; at least 1
  int phase = 0;    // the second of the first scrape
  int delay = 1;    // seconds from a scrape until its value can be read

  // The end of the newest measurement that can be read at `now`; below 0: there is none yet.
  std::int64_t newest(std::int64_t now) const {
    const std::int64_t since = now - delay - phase;
    return since < 0 ? -1 : now - delay - since % every;
  }
};

// What a metric of the HPA's spec measures, in the order of the spec.
struct HpaSignal {
  enum class Kind { Rate, InFlight, Cpu, Floor };
  Kind kind = Kind::Rate;
  Pipeline pipeline;
};

class HpaPolicy final : public ReplicaPolicy {
 public:
  static constexpr std::size_t kMaxMetrics = 4;

  // `spec` has as many metrics as there are signals, 1 to kMaxMetrics. `phase`: the second of the
  // HPA's first sync, which are 15 s apart.
  HpaPolicy(scaling::HpaSpec spec, std::vector<HpaSignal> signals, const PodShape& pod, int phase);

  int period() const override { return kSync; }
  int phase() const override { return phase_; }
  int decide(const Seen& seen) override;

  // What the recommendation (Kind::Floor) says from now on.
  void set_floor(int replicas) { floor_ = replicas; }

 private:
  static constexpr int kSync = 15;  // --horizontal-pod-autoscaler-sync-period
  static constexpr std::size_t kGroups = kMaxMetrics + 2;

  // What a metric's newest measurement says, and how many of the pods it knows.
  struct Measured {
    int known = 0;
    std::int64_t milli = 0;  // Floor and External: the value; else of each pod
    std::int64_t at = -1;    // the second that it ends with
  };
  Measured measure(const HpaSignal& signal, bool total, const Seen& seen) const;
  void group_pods(const Seen& seen);
  void answer(std::size_t metric);

  scaling::HpaSpec spec_;
  scaling::HpaSettings settings_;
  scaling::Hpa hpa_;
  std::vector<HpaSignal> signals_;
  PodShape pod_;
  int phase_;
  int floor_ = 0;
  std::array<Measured, kMaxMetrics> measured_;
  std::array<scaling::HpaPod, kGroups> pods_;
  std::array<int, kGroups> bounds_{};  // of the pods that serve: how many up to the group's end
  std::size_t groups_ = 0;
  std::array<std::array<scaling::HpaSample, kGroups>, kMaxMetrics> samples_;
  std::array<scaling::HpaReading, kMaxMetrics> readings_;
};

}  // namespace mcpfleet::simulation
