#include "scaling/amounts.h"

#include <algorithm>
#include <cstdint>

namespace mcpfleet::scaling {

int pods(const fleet::Amount& amount, int replicas) {
  if (amount.pods) return std::max(*amount.pods, 1);
  const std::int64_t hundredths = std::int64_t{amount.percent.value_or(1)} * replicas;
  return static_cast<int>(std::clamp<std::int64_t>((hundredths + 99) / 100, 1, 1'000'000));
}

bool compare(fleet::Operator op, double value, double threshold) {
  switch (op) {
    case fleet::Operator::Greater:
      return value > threshold;
    case fleet::Operator::Less:
      return value < threshold;
    case fleet::Operator::GreaterOrEqual:
      return value >= threshold;
    case fleet::Operator::LessOrEqual:
      return value <= threshold;
  }
  return false;
}

}  // namespace mcpfleet::scaling
