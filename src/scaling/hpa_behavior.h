// How fast a HorizontalPodAutoscaler may move: limits, stabilisation windows and policies, and what
// has to be remembered for them. Internal to scaling.
//
// Pure: no clock. A time later than `now` (the clock jumped back) is within every window and
// period, as in Kubernetes: it can delay a change, and never causes one. Thread safety: plain
// values.
#pragma once

#include <vector>

#include "scaling/hpa_spec.h"

namespace mcpfleet::scaling {

// What has to be remembered from sync to sync. What is out of date makes room for what is new, so
// that it stays as long as the windows and periods are in syncs.
struct HpaMemory {
  struct Recommendation {
    int replicas = 0;  // before any limit
    WallTime time;
  };
  // A change of the replicas that was carried out.
  struct Event {
    int change = 0;  // above 0 in both directions
    WallTime time;
    bool outdated = false;
  };

  // The first sync begins with the replicas that it finds; any later call changes nothing.
  void begin(int replicas, WallTime now);
  // The replicas were changed. Remembered only with a behavior: nothing else asks.
  void changed(const HpaSpec& spec, int from, int to, WallTime now);

  std::vector<Recommendation> recommendations;
  std::vector<Event> ups;
  std::vector<Event> downs;
};

// A number of replicas, and the reason and message of the condition that says how it came about.
// The texts are Kubernetes' own, and constants.
struct HpaNormalized {
  int replicas = 0;
  bool limited = false;
  const char* able_reason = "";  // of AbleToScale
  const char* able_message = "";
  const char* limit_reason = "";  // of ScalingLimited
  const char* limit_message = "";
};

// What `desired` becomes, from `current` replicas: first what the windows let through, then what
// limits and policies allow. Remembers `desired` as a recommendation.
HpaNormalized normalize(const HpaSpec& spec, const HpaSettings& settings, int current, int desired,
                        HpaMemory& memory, WallTime now);

}  // namespace mcpfleet::scaling
