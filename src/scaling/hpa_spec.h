// A HorizontalPodAutoscaler (autoscaling/v2) as plain values: what its author asks for, with the
// API server's defaults filled in, and how its controller is set up.
//
// The words are those of the API. hpa_decode.h reads them from JSON. Thread safety: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"

namespace mcpfleet::scaling {

enum class HpaSource { Resource, ContainerResource, Pods, Object, External };

// What is compared. Utilization is of Resource and ContainerResource, Value of Object and External.
enum class HpaTarget { Utilization, AverageValue, Value };

struct HpaMetric {
  HpaSource source = HpaSource::Resource;
  std::string name = "cpu";      // of the resource or of the metric
  std::string container = {};    // ContainerResource
  std::string object_kind = {};  // Object: the kind of what it describes
  HpaTarget target = HpaTarget::Utilization;
  std::int64_t amount = 80;  // Utilization: percent of the request; else thousandths; above 0
};

struct HpaPolicy {
  enum class Type { Pods, Percent };
  Type type = Type::Pods;
  int value = 0;  // pods or percent that may change within a period
  Duration period = std::chrono::seconds(15);
};

// Which policy counts where they differ: that of the largest change, that of the smallest, or the
// direction is switched off.
enum class HpaSelect { Max, Min, Disabled };

// One direction of scaling.
struct HpaScalingRules {
  std::optional<Duration> window;  // of stabilisation; absent: the controller's (scaling down only)
  HpaSelect select = HpaSelect::Max;
  std::vector<HpaPolicy> policies;
  std::optional<double> tolerance;  // a ratio: 0.1 is a tenth; absent: the controller's

  // What the API server fills in where `behavior` is given and this direction is not.
  static HpaScalingRules default_up();
  static HpaScalingRules default_down();
};

struct HpaBehavior {
  HpaScalingRules up = HpaScalingRules::default_up();
  HpaScalingRules down = HpaScalingRules::default_down();
};

struct HpaSpec {
  int min_replicas = 1;
  int max_replicas = 1;
  std::vector<HpaMetric> metrics = {HpaMetric{}};
  // Absent is not the same as the defaults: then at most max(2 × replicas, 4) are asked for at a
  // time, and nothing else limits the pace.
  std::optional<HpaBehavior> behavior = {};
};

// The flags of kube-controller-manager, --horizontal-pod-autoscaler-*, with their defaults.
struct HpaSettings {
  double tolerance = 0.1;
  Duration cpu_initialization_period = std::chrono::minutes(5);
  Duration initial_readiness_delay = std::chrono::seconds(30);
  Duration downscale_stabilization = std::chrono::minutes(5);
};

}  // namespace mcpfleet::scaling
