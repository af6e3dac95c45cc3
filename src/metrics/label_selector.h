// Kubernetes label selectors, whole grammar: "a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1".
//
// Source: k8s.io/apimachinery pkg/labels/selector.go.
// Thread safety: plain values.
#pragma once

#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mcpfleet::metrics {

class LabelSelector {
 public:
  enum class Operator { In, NotIn, Exists, DoesNotExist, GreaterThan, LessThan };
  struct Requirement {
    std::string key;
    Operator op = Operator::Exists;
    std::vector<std::string>
        values;  // none for Exists and DoesNotExist; one whole number for the comparisons
  };
  // The value of a label, nullopt where it is not set.
  using Lookup = std::function<std::optional<std::string_view>(std::string_view key)>;

  // The empty text selects everything. Error: Invalid, with the place.
  static Result<LabelSelector> parse(std::string_view text);

  bool matches(const Lookup& label) const;
  bool empty() const { return requirements_.empty(); }
  const std::vector<Requirement>& requirements() const { return requirements_; }

  // What it says of some keys alone, or of all others.
  LabelSelector of(std::initializer_list<std::string_view> keys) const;
  LabelSelector without(std::initializer_list<std::string_view> keys) const;

  // As a metav1.LabelSelector in JSON; "null" for the one that selects everything.
  std::string to_json() const;

 private:
  std::vector<Requirement> requirements_;
};

}  // namespace mcpfleet::metrics
