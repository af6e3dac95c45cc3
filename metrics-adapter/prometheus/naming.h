// One rule at work: which series it takes, what their metrics are called, what they are metrics of,
// and the PromQL that gives their values.
//
// Source: kubernetes-sigs/prometheus-adapter docs/config.md and pkg/naming. Pure.
// Thread safety: const functions from any thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "metrics-adapter/prometheus/query_template.h"
#include "metrics-adapter/prometheus/resource.h"
#include "metrics-adapter/prometheus/rules.h"
#include "metrics/label_selector.h"

namespace re2 {
class RE2;
}

namespace mcpfleet::adapter::promql {

using LabelNames = std::set<std::string, std::less<>>;

// What a query for custom metrics is about.
struct ObjectQuery {
  std::string_view series;
  std::string_view label;            // that holds the objects' names
  std::string_view namespace_label;  // empty: the objects have no namespace
  std::string_view namespace_;
  const std::vector<std::string>& names;   // of the objects; at least one
  const metrics::LabelSelector& selector;  // of the series
};

class Namer {
 public:
  // Error: Invalid, one sentence that names the field: a regular expression or a template that
  // cannot be read, or name.as missing where name.matches has several groups.
  static Result<Namer> create(const Rule& rule);

  const Rule& rule() const { return rule_; }
  // Whether its filters and name.matches let a series pass.
  bool accepts(std::string_view series) const;
  // What the metrics API calls a series that it accepts.
  std::string metric_name(std::string_view series) const;

  // The label that holds the names of such objects; `among`: only one of these. An override comes
  // before the template.
  std::optional<std::string> label_of(const Resource& resource, const LabelNames* among) const;

  // Error: Invalid, naming what of the selector or the template cannot be had.
  Result<std::string> query(const ObjectQuery& about) const;
  // For external metrics. An empty `namespace_label`: of all namespaces.
  Result<std::string> external_query(std::string_view series, std::string_view namespace_label,
                                     std::string_view namespace_,
                                     const metrics::LabelSelector& selector) const;

 private:
  struct Filter {
    std::shared_ptr<const re2::RE2> pattern;
    bool positive = true;
  };
  Namer() = default;
  Result<void> set_name();
  Result<std::string> render(const QueryValues& values) const;

  Rule rule_;
  std::vector<Filter> filters_;
  std::shared_ptr<const re2::RE2> name_matches_;
  std::string name_as_;
  std::optional<LabelTemplate> label_template_;
  QueryTemplate metrics_query_;
};

// What a selector means to Prometheus: matchers such as `job="x"`, and the values by label, joined
// by |. Error: Invalid; < and > have no such meaning, and a key must be a label's name.
struct Matchers {
  std::vector<std::string> expressions;
  std::map<std::string, std::string> values;
};
Result<Matchers> to_matchers(const metrics::LabelSelector& selector);

// Go's regexp.Expand: $1, ${1}, $name and $$ in `as`; what did not match is empty. `groups[0]` is
// the whole match.
std::string expand(std::string_view as, const std::vector<std::string>& groups,
                   const std::map<std::string, int>& named_groups);

}  // namespace mcpfleet::adapter::promql
