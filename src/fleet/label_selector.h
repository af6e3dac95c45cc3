// A Kubernetes LabelSelector as plain values.
//
// Thread safety: plain values, free functions without state.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace mcpfleet::fleet {

using Labels = std::map<std::string, std::string>;

enum class SelectorOperator { In, NotIn, Exists, DoesNotExist };

struct SelectorRequirement {
  std::string key;
  SelectorOperator op = SelectorOperator::In;
  std::vector<std::string> values;  // not empty with In and NotIn, empty with the others
  bool operator==(const SelectorRequirement&) const = default;
};

struct LabelSelector {
  Labels match_labels;
  std::vector<SelectorRequirement> match_expressions;
  bool operator==(const LabelSelector&) const = default;
};

// Whether all of its requirements hold, as Kubernetes reads them: NotIn also holds where there is
// no such label. An empty selector matches everything.
bool matches(const LabelSelector& selector, const Labels& labels);

}  // namespace mcpfleet::fleet
