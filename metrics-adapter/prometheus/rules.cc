#include "metrics-adapter/prometheus/rules.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <initializer_list>

namespace mcpfleet::adapter::promql {
namespace {

constexpr std::size_t kMaxFile = 1024 * 1024;
constexpr std::size_t kMaxRules = 1000;
constexpr std::size_t kMaxEntries = 1000;  // of a list or map in a rule

std::unexpected<Error> invalid(const std::string& path, const std::string& what) {
  return fail(ErrorKind::Invalid, path + " " + what);
}

// One mapping of the file, whose fields are known by name.
class Fields {
 public:
  static Result<Fields> of(const YAML::Node& node, std::string path,
                           std::initializer_list<std::string_view> known) {
    if (!node.IsMap()) return invalid(path, "must be a mapping");
    for (const auto& entry : node) {
      if (!entry.first.IsScalar()) return invalid(path, "has a field whose name is no text");
      const auto& name = entry.first.Scalar();
      if (std::ranges::find(known, name) == known.end())
        return invalid(path.empty() ? name : path + "." + name, "is no field that is known");
    }
    return Fields(node, std::move(path));
  }

  std::string path_of(const char* name) const { return path_.empty() ? name : path_ + "." + name; }
  // Undefined where the field is missing or empty.
  YAML::Node node(const char* name) const {
    const YAML::Node found = node_[name];
    return found && !found.IsNull() ? found : YAML::Node(YAML::NodeType::Undefined);
  }

  // Empty where it is missing.
  Result<std::string> text(const char* name) const {
    const auto found = node(name);
    if (!found.IsDefined()) return std::string();
    if (!found.IsScalar()) return invalid(path_of(name), "must be a text");
    return found.Scalar();
  }

  Result<std::string> required_text(const char* name) const {
    auto value = text(name);
    if (value && value->empty()) return invalid(path_of(name), "must not be empty");
    return value;
  }

 private:
  Fields(const YAML::Node& node, std::string path) : node_(node), path_(std::move(path)) {}
  YAML::Node node_;
  std::string path_;
};

// Sets a field of a rule from its text.
Result<void> take(std::string& field, Result<std::string> value) {
  if (!value) return fail(value.error());
  field = std::move(*value);
  return {};
}

Result<SeriesFilter> read_filter(const YAML::Node& node, const std::string& path) {
  auto fields = Fields::of(node, path, {"is", "isNot"});
  if (!fields) return fail(fields.error());
  auto is = fields->text("is");
  if (!is) return fail(is.error());
  auto is_not = fields->text("isNot");
  if (!is_not) return fail(is_not.error());
  if (is->empty() == is_not->empty()) return invalid(path, "must have either is or isNot");
  return is->empty() ? SeriesFilter{std::move(*is_not), false} : SeriesFilter{std::move(*is), true};
}

Result<void> read_filters(const Fields& of_rule, Rule& rule) {
  const auto list = of_rule.node("seriesFilters");
  if (!list.IsDefined()) return {};
  const auto path = of_rule.path_of("seriesFilters");
  if (!list.IsSequence()) return invalid(path, "must be a list");
  if (list.size() > kMaxEntries) return invalid(path, "is too long");
  for (std::size_t i = 0; i < list.size(); ++i) {
    auto filter = read_filter(list[i], path + "[" + std::to_string(i) + "]");
    if (!filter) return fail(filter.error());
    rule.filters.push_back(std::move(*filter));
  }
  return {};
}

Result<void> read_overrides(const Fields& resources, Rule& rule) {
  const auto map = resources.node("overrides");
  if (!map.IsDefined()) return {};
  const auto path = resources.path_of("overrides");
  if (!map.IsMap()) return invalid(path, "must be a mapping");
  if (map.size() > kMaxEntries) return invalid(path, "is too long");
  for (const auto& entry : map) {
    if (!entry.first.IsScalar()) return invalid(path, "has a label that is no text");
    const auto& label = entry.first.Scalar();
    auto fields = Fields::of(entry.second, path + "." + label, {"group", "resource"});
    if (!fields) return fail(fields.error());
    GroupResource resource;
    if (auto taken = take(resource.group, fields->text("group")); !taken) return taken;
    if (auto taken = take(resource.resource, fields->required_text("resource")); !taken)
      return taken;
    rule.overrides.insert_or_assign(label, std::move(resource));
  }
  return {};
}

Result<void> read_resources(const Fields& of_rule, Rule& rule) {
  const auto node = of_rule.node("resources");
  if (!node.IsDefined()) return {};
  auto fields =
      Fields::of(node, of_rule.path_of("resources"), {"template", "overrides", "namespaced"});
  if (!fields) return fail(fields.error());
  if (auto taken = take(rule.label_template, fields->text("template")); !taken) return taken;
  if (const auto flag = fields->node("namespaced"); flag.IsDefined()) {
    if (!flag.IsScalar() || !YAML::convert<bool>::decode(flag, rule.namespaced))
      return invalid(fields->path_of("namespaced"), "must be true or false");
  }
  return read_overrides(*fields, rule);
}

Result<void> read_name(const Fields& of_rule, Rule& rule) {
  const auto node = of_rule.node("name");
  if (!node.IsDefined()) return {};
  auto fields = Fields::of(node, of_rule.path_of("name"), {"matches", "as"});
  if (!fields) return fail(fields.error());
  if (auto taken = take(rule.name_matches, fields->text("matches")); !taken) return taken;
  return take(rule.name_as, fields->text("as"));
}

Result<Rule> read_rule(const YAML::Node& node, const std::string& path) {
  auto fields =
      Fields::of(node, path, {"seriesQuery", "seriesFilters", "resources", "name", "metricsQuery"});
  if (!fields) return fail(fields.error());
  Rule rule;
  rule.path = path;
  auto read = take(rule.series_query, fields->required_text("seriesQuery"));
  if (read) read = take(rule.metrics_query, fields->required_text("metricsQuery"));
  if (read) read = read_filters(*fields, rule);
  if (read) read = read_resources(*fields, rule);
  if (read) read = read_name(*fields, rule);
  if (!read) return fail(read.error());
  return rule;
}

Result<std::vector<Rule>> read_rules(const Fields& file, const char* name) {
  std::vector<Rule> rules;
  const auto list = file.node(name);
  if (!list.IsDefined()) return rules;
  if (!list.IsSequence()) return invalid(name, "must be a list");
  if (list.size() > kMaxRules)
    return invalid(name, "has more than " + std::to_string(kMaxRules) + " rules");
  for (std::size_t i = 0; i < list.size(); ++i) {
    auto rule = read_rule(list[i], std::string(name) + "[" + std::to_string(i) + "]");
    if (!rule) return fail(rule.error());
    rules.push_back(std::move(*rule));
  }
  return rules;
}

Result<Rules> read_file(const YAML::Node& root) {
  if (!root.IsMap()) return fail(ErrorKind::Invalid, "the file must be a mapping with rules");
  auto fields = Fields::of(root, "", {"rules", "externalRules", "resourceRules"});
  if (!fields) return fail(fields.error());
  Rules rules;
  auto custom = read_rules(*fields, "rules");
  if (!custom) return fail(custom.error());
  auto external = read_rules(*fields, "externalRules");
  if (!external) return fail(external.error());
  rules.custom = std::move(*custom);
  rules.external = std::move(*external);
  rules.has_resource_rules = fields->node("resourceRules").IsDefined();
  return rules;
}

}  // namespace

Result<Rules> parse_rules(std::string_view yaml) {
  if (yaml.size() > kMaxFile)
    return fail(ErrorKind::Invalid,
                "the file is longer than " + std::to_string(kMaxFile) + " bytes");
  try {
    // yaml-cpp itself refuses what is nested deeper than 500.
    return read_file(YAML::Load(std::string(yaml)));
  } catch (const YAML::Exception& error) {
    return fail(ErrorKind::Invalid, std::string("the file is no YAML: ") + error.what());
  }
}

}  // namespace mcpfleet::adapter::promql
