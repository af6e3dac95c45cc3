#include "scaling/hpa_spec.h"

namespace mcpfleet::scaling {

HpaScalingRules HpaScalingRules::default_up() {
  const Duration period = std::chrono::seconds(15);
  return {Duration::zero(),
          HpaSelect::Max,
          {{HpaPolicy::Type::Pods, 4, period}, {HpaPolicy::Type::Percent, 100, period}},
          std::nullopt};
}

HpaScalingRules HpaScalingRules::default_down() {
  return {std::nullopt,
          HpaSelect::Max,
          {{HpaPolicy::Type::Percent, 100, std::chrono::seconds(15)}},
          std::nullopt};
}

}  // namespace mcpfleet::scaling
