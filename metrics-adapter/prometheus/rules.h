// The rules file: which of Prometheus' series are metrics of what, and by which query. The format
// is prometheus-adapter's, read unchanged.
//
// Source: kubernetes-sigs/prometheus-adapter pkg/config/config.go and docs/config.md. Pure.
// Thread safety: plain values.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mcpfleet::adapter::promql {

// Of a series' name; it need not match all of it.
struct SeriesFilter {
  std::string pattern;   // RE2 syntax, as Go's
  bool positive = true;  // `is`; else `isNot`
};

// A kind of objects as people name it: plural or singular, with or without its group.
struct GroupResource {
  std::string group;  // empty: core, or whatever has such a resource
  std::string resource;
};

struct Rule {
  std::string path;          // where it stands in the file: "rules[0]"
  std::string series_query;  // PromQL selector
  std::vector<SeriesFilter> filters;
  std::map<std::string, GroupResource> overrides;  // by the label's name
  std::string label_template;                      // resource to label; empty: none
  bool namespaced = true;                          // of external rules: only the asked namespace
  std::string name_matches;                        // empty: every name
  std::string name_as;                             // empty: see Namer
  std::string metrics_query;                       // template of the PromQL
};

struct Rules {
  std::vector<Rule> custom;
  std::vector<Rule> external;
  bool has_resource_rules = false;  // those of metrics.k8s.io, which are not served
};

// Error: Invalid, one sentence that names the field, such as "rules[1].name.as must be a text".
// Fields that are not known are errors, too. At most 1 MiB and 1000 rules of each sort.
Result<Rules> parse_rules(std::string_view yaml);

}  // namespace mcpfleet::adapter::promql
