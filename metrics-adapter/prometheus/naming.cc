#include "metrics-adapter/prometheus/naming.h"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>

namespace mcpfleet::adapter::promql {
namespace {

using metrics::LabelSelector;

constexpr std::int64_t kPatternMemory = 1024 * 1024;

Result<std::shared_ptr<const re2::RE2>> compile(const std::string& pattern,
                                                const std::string& field) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kPatternMemory);
  auto compiled = std::make_shared<const re2::RE2>(pattern, options);
  if (!compiled->ok())
    return fail(ErrorKind::Invalid, field + " is no regular expression: " + compiled->error());
  return compiled;
}

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool is_label_name(std::string_view text) {
  return !text.empty() && (text.front() < '0' || text.front() > '9') &&
         std::ranges::all_of(text, is_word);
}

// A PromQL string with its quotation marks.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

// What stands for itself in a regular expression of Prometheus.
std::string literal(std::string_view text) {
  constexpr std::string_view kSpecial = R"(\.+*?()|[]{}^$)";
  std::string out;
  for (const char c : text) {
    if (kSpecial.find(c) != kSpecial.npos) out += '\\';
    out += c;
  }
  return out;
}

std::string joined(const std::vector<std::string>& words, std::string_view between) {
  std::string text;
  for (const auto& word : words) {
    if (&word != &words.front()) text += between;
    text += word;
  }
  return text;
}

// One value is compared, several are alternatives.
std::string matcher(std::string_view label, const std::vector<std::string>& values, bool is) {
  const std::string name(label);
  if (values.size() == 1) return name + (is ? "=" : "!=") + quoted(values.front());
  std::vector<std::string> literals;
  literals.reserve(values.size());
  for (const auto& value : values) literals.push_back(literal(value));
  return name + (is ? "=~" : "!~") + quoted(joined(literals, "|"));
}

Result<std::string> matcher_of(const LabelSelector::Requirement& requirement) {
  using Operator = LabelSelector::Operator;
  const auto& key = requirement.key;
  if (!is_label_name(key))
    return fail(ErrorKind::Invalid,
                "the selector's key '" + key + "' cannot be the name of a Prometheus label");
  switch (requirement.op) {
    case Operator::In:
      return matcher(key, requirement.values, true);
    case Operator::NotIn:
      return matcher(key, requirement.values, false);
    case Operator::Exists:
      return key + "!=\"\"";
    case Operator::DoesNotExist:
      return key + "=\"\"";
    case Operator::GreaterThan:
    case Operator::LessThan:
      break;
  }
  return fail(ErrorKind::Invalid, "the selector compares '" + key +
                                      "' by < or >, which Prometheus cannot do with labels");
}

void add_equal(Matchers& matchers, std::string_view label, const std::vector<std::string>& values) {
  matchers.expressions.push_back(matcher(label, values, true));
  matchers.values.insert_or_assign(std::string(label), joined(values, "|"));
}

// The name of a group after a $, and what is left of the text; an empty name: it was no reference.
std::string_view take_reference(std::string_view& text) {
  const bool braced = text.starts_with('{');
  const auto inner = text.substr(braced ? 1 : 0);
  const auto end = std::ranges::find_if_not(inner, is_word);
  const auto name = inner.substr(0, static_cast<std::size_t>(end - inner.begin()));
  if (name.empty() || (braced && (end == inner.end() || *end != '}'))) return {};
  text.remove_prefix(name.size() + (braced ? 2 : 0));
  return name;
}

}  // namespace

std::string expand(std::string_view as, const std::vector<std::string>& groups,
                   const std::map<std::string, int>& named_groups) {
  std::string out;
  while (!as.empty()) {
    const auto dollar = as.find('$');
    out += as.substr(0, dollar);
    if (dollar == as.npos) break;
    as.remove_prefix(dollar + 1);
    if (as.starts_with('$')) {
      out += '$';
      as.remove_prefix(1);
      continue;
    }
    const auto name = take_reference(as);
    if (name.empty()) {
      out += '$';
      continue;
    }
    std::size_t index = groups.size();
    const auto [stop, error] = std::from_chars(name.data(), name.data() + name.size(), index);
    if (error != std::errc{} || stop != name.data() + name.size()) {
      const auto named = named_groups.find(std::string(name));
      index = named == named_groups.end() ? groups.size() : static_cast<std::size_t>(named->second);
    }
    if (index < groups.size()) out += groups[index];
  }
  return out;
}

Result<Matchers> to_matchers(const LabelSelector& selector) {
  Matchers matchers;
  for (const auto& requirement : selector.requirements()) {
    auto expression = matcher_of(requirement);
    if (!expression) return fail(expression.error());
    matchers.expressions.push_back(std::move(*expression));
    matchers.values.insert_or_assign(requirement.key, joined(requirement.values, "|"));
  }
  return matchers;
}

Result<Namer> Namer::create(const Rule& rule) {
  Namer namer;
  namer.rule_ = rule;
  for (std::size_t i = 0; i < rule.filters.size(); ++i) {
    auto pattern =
        compile(rule.filters[i].pattern, rule.path + ".seriesFilters[" + std::to_string(i) + "]." +
                                             (rule.filters[i].positive ? "is" : "isNot"));
    if (!pattern) return fail(pattern.error());
    namer.filters_.push_back({std::move(*pattern), rule.filters[i].positive});
  }
  if (auto named = namer.set_name(); !named) return fail(named.error());
  auto query = QueryTemplate::parse(rule.metrics_query);
  if (!query) return fail(ErrorKind::Invalid, rule.path + ".metricsQuery " + query.error().message);
  namer.metrics_query_ = std::move(*query);
  if (rule.label_template.empty()) return namer;
  auto label = LabelTemplate::parse(rule.label_template);
  if (!label)
    return fail(ErrorKind::Invalid, rule.path + ".resources.template " + label.error().message);
  namer.label_template_ = std::move(*label);
  return namer;
}

// Without `as`, the name is the one group of `matches`, or all of the name where it has none.
Result<void> Namer::set_name() {
  const bool any = rule_.name_matches.empty();
  auto pattern = compile(any ? ".*" : rule_.name_matches, rule_.path + ".name.matches");
  if (!pattern) return fail(pattern.error());
  name_matches_ = std::move(*pattern);
  if (!any) filters_.push_back({name_matches_, true});
  const int groups = name_matches_->NumberOfCapturingGroups();
  name_as_ = rule_.name_as;
  if (!name_as_.empty()) return {};
  if (groups > 1)
    return fail(ErrorKind::Invalid, rule_.path + ".name.as must say what the name is, since " +
                                        rule_.path + ".name.matches has several groups");
  name_as_ = groups == 0 ? "$0" : "$1";
  return {};
}

bool Namer::accepts(std::string_view series) const {
  return std::ranges::all_of(filters_, [series](const Filter& filter) {
    return re2::RE2::PartialMatch(re2::StringPiece(series.data(), series.size()),
                                  *filter.pattern) == filter.positive;
  });
}

std::string Namer::metric_name(std::string_view series) const {
  std::vector<re2::StringPiece> found(
      static_cast<std::size_t>(name_matches_->NumberOfCapturingGroups()) + 1);
  name_matches_->Match(re2::StringPiece(series.data(), series.size()), 0, series.size(),
                       re2::RE2::UNANCHORED, found.data(), static_cast<int>(found.size()));
  std::vector<std::string> groups;
  groups.reserve(found.size());
  for (const auto& group : found) groups.emplace_back(group.data(), group.size());
  return expand(name_as_, groups, name_matches_->NamedCapturingGroups());
}

std::optional<std::string> Namer::label_of(const Resource& resource,
                                           const LabelNames* among) const {
  const auto there = [among](const std::string& label) {
    return among == nullptr || among->contains(label);
  };
  for (const auto& [label, named] : rule_.overrides)
    if (resource.is_named(named.resource, named.group) && there(label)) return label;
  if (!label_template_) return std::nullopt;
  auto label = label_template_->render(resource.group, resource.singular);
  if (!there(label)) return std::nullopt;
  return label;
}

Result<std::string> Namer::query(const ObjectQuery& about) const {
  auto matchers = to_matchers(about.selector);
  if (!matchers) return fail(matchers.error());
  if (!about.namespace_label.empty())
    add_equal(*matchers, about.namespace_label, {std::string(about.namespace_)});
  add_equal(*matchers, about.label, about.names);
  QueryValues values;
  values.series = about.series;
  values.label_matchers = joined(matchers->expressions, ",");
  values.label_values = std::move(matchers->values);
  values.group_by = {std::string(about.label)};
  return render(values);
}

Result<std::string> Namer::external_query(std::string_view series, std::string_view namespace_label,
                                          std::string_view namespace_,
                                          const LabelSelector& selector) const {
  auto matchers = to_matchers(selector);
  if (!matchers) return fail(matchers.error());
  if (!namespace_label.empty()) add_equal(*matchers, namespace_label, {std::string(namespace_)});
  QueryValues values;
  values.series = series;
  values.label_matchers = joined(matchers->expressions, ",");
  values.label_values = std::move(matchers->values);
  return render(values);
}

Result<std::string> Namer::render(const QueryValues& values) const {
  auto query = metrics_query_.render(values);
  if (!query)
    return fail(ErrorKind::Invalid, rule_.path + ".metricsQuery " + query.error().message);
  return query;
}

}  // namespace mcpfleet::adapter::promql
