#include "fleet/label_selector.h"

#include <algorithm>

namespace mcpfleet::fleet {
namespace {

bool holds(const SelectorRequirement& requirement, const Labels& labels) {
  const auto label = labels.find(requirement.key);
  const bool there = label != labels.end();
  const bool among =
      there && std::ranges::find(requirement.values, label->second) != requirement.values.end();
  switch (requirement.op) {
    case SelectorOperator::In:
      return among;
    case SelectorOperator::NotIn:
      return !among;
    case SelectorOperator::Exists:
      return there;
    case SelectorOperator::DoesNotExist:
      return !there;
  }
  return false;
}

}  // namespace

bool matches(const LabelSelector& selector, const Labels& labels) {
  const auto equal = [&labels](const auto& wanted) {
    const auto label = labels.find(wanted.first);
    return label != labels.end() && label->second == wanted.second;
  };
  return std::ranges::all_of(selector.match_labels, equal) &&
         std::ranges::all_of(selector.match_expressions, [&labels](const auto& requirement) {
           return holds(requirement, labels);
         });
}

}  // namespace mcpfleet::fleet
