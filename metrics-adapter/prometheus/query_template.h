// The templates of the rules file: PromQL, or a label's name, with what a request fills in between
// `<<` and `>>`. Of Go's text/template those forms that fill in one value; no control flow.
//
// Source: text/template's documentation; kubernetes-sigs/prometheus-adapter docs/config.md. Pure.
// Thread safety: plain values.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mcpfleet::adapter::promql {

// One piece of a template: text as it stands, or an action's words, such as {"index",
// ".LabelValuesByName", "\"pod\""}.
struct TemplatePiece {
  std::string text;                // of what is no action
  std::vector<std::string> words;  // of an action; empty: text
};

// Splits at `<<` and `>>`; `<<-` and `->>` take the blanks beside them away. Error: Invalid, to
// follow the name of the field.
Result<std::vector<TemplatePiece>> split_template(std::string_view text);

// What a request fills in.
struct QueryValues {
  std::string series;
  std::string label_matchers;                       // pod=~"a|b",namespace="c"
  std::map<std::string, std::string> label_values;  // by label: the values, joined by |
  std::vector<std::string> group_by;                // labels
};

class QueryTemplate {
 public:
  // Error: Invalid, naming what is in the template that is not supported.
  static Result<QueryTemplate> parse(std::string_view text);

  // Error: Invalid where the template names the value of a label that the request says nothing of,
  // or where nothing comes out.
  Result<std::string> render(const QueryValues& values) const;

 private:
  enum class Kind {
    Text,
    Series,
    LabelMatchers,
    GroupBy,
    GroupBySlice,
    GroupByItem,
    LabelValue,
    LabelValueOrEmpty
  };
  struct Part {
    Kind kind = Kind::Text;
    std::string text;       // of Text; the label's name of a LabelValue
    std::size_t index = 0;  // of GroupByItem
  };
  static Result<Part> part_of(const TemplatePiece& piece);
  static Result<Part> indexed(const TemplatePiece& piece);
  static Result<void> append(std::string& out, const Part& part, const QueryValues& values);

  std::vector<Part> parts_;
};

// "kube_<<.Group>>_<<.Resource>>"
class LabelTemplate {
 public:
  // Error: Invalid; among others where <<.Resource>> is not in it.
  static Result<LabelTemplate> parse(std::string_view text);

  // `group` with its dots and dashes as underscores.
  std::string render(std::string_view group, std::string_view singular) const;

 private:
  enum class Kind { Text, Group, Resource };
  struct Part {
    Kind kind = Kind::Text;
    std::string text;
  };
  std::vector<Part> parts_;
};

}  // namespace mcpfleet::adapter::promql
