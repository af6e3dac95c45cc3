#include "metrics/label_selector.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <nlohmann/json.hpp>

namespace mcpfleet::metrics {
namespace {

// What one request may ask for.
constexpr std::size_t kMaxText = 8 * 1024;
constexpr std::size_t kMaxRequirements = 64;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_special(char c) {
  return c == '=' || c == '!' || c == '(' || c == ')' || c == ',' || c == '>' || c == '<';
}

// Reads tokens off the front of a selector.
class Lexer {
 public:
  explicit Lexer(std::string_view text) : rest_(text), size_(text.size()) { skip_blanks(); }

  bool at_end() const { return rest_.empty(); }
  bool take(std::string_view token) {
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    skip_blanks();
    return true;
  }
  // A key, value or word; empty where there is none.
  std::string word() {
    std::size_t length = 0;
    while (length < rest_.size() && !is_blank(rest_[length]) && !is_special(rest_[length]))
      ++length;
    std::string text(rest_.substr(0, length));
    rest_.remove_prefix(length);
    skip_blanks();
    return text;
  }
  std::unexpected<Error> expected(const std::string& what) const {
    const std::string found =
        rest_.empty() ? "the end" : "'" + std::string(rest_.substr(0, 16)) + "'";
    return fail(ErrorKind::Invalid, "the selector is wrong at position " +
                                        std::to_string(size_ - rest_.size()) + ": expected " +
                                        what + ", found " + found);
  }

 private:
  void skip_blanks() {
    while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
  }
  std::string_view rest_;
  std::size_t size_;
};

// "(a,b,)": an empty value between commas is the value "".
Result<std::vector<std::string>> take_set(Lexer& lexer) {
  if (!lexer.take("(")) return lexer.expected("'('");
  std::vector<std::string> values;
  for (;;) {
    values.push_back(lexer.word());
    if (lexer.take(")")) return values;
    if (!lexer.take(",")) return lexer.expected("',' or ')'");
  }
}

std::optional<std::int64_t> to_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Result<LabelSelector::Requirement> take_number(Lexer& lexer, LabelSelector::Requirement requirement,
                                               LabelSelector::Operator op) {
  requirement.op = op;
  requirement.values.push_back(lexer.word());
  if (!to_integer(requirement.values.front())) return lexer.expected("a whole number before it");
  return requirement;
}

Result<LabelSelector::Requirement> take_requirement(Lexer& lexer) {
  using Operator = LabelSelector::Operator;
  LabelSelector::Requirement requirement;
  const bool absent = lexer.take("!");
  requirement.key = lexer.word();
  if (requirement.key.empty()) return lexer.expected("a label's name");
  requirement.op = absent ? Operator::DoesNotExist : Operator::Exists;
  if (absent) return requirement;
  if (lexer.take("==") || lexer.take("=")) {
    requirement.op = Operator::In;
    requirement.values.push_back(lexer.word());
  } else if (lexer.take("!=")) {
    requirement.op = Operator::NotIn;
    requirement.values.push_back(lexer.word());
  } else if (lexer.take(">")) {
    return take_number(lexer, std::move(requirement), Operator::GreaterThan);
  } else if (lexer.take("<")) {
    return take_number(lexer, std::move(requirement), Operator::LessThan);
  } else {
    const std::string word = lexer.word();
    if (word.empty()) return requirement;  // "key" alone: it exists
    if (word != "in" && word != "notin")
      return fail(ErrorKind::Invalid, "the selector has '" + word + "' after '" + requirement.key +
                                          "' where =, ==, !=, >, <, in or notin should be");
    requirement.op = word == "in" ? Operator::In : Operator::NotIn;
    auto values = take_set(lexer);
    if (!values) return fail(values.error());
    requirement.values = std::move(*values);
  }
  return requirement;
}

bool compares(const LabelSelector::Requirement& requirement, std::string_view value) {
  const auto left = to_integer(value);
  const auto right = to_integer(requirement.values.front());
  if (!left || !right) return false;
  return requirement.op == LabelSelector::Operator::GreaterThan ? *left > *right : *left < *right;
}

bool holds(const LabelSelector::Requirement& requirement, std::optional<std::string_view> value) {
  const auto listed = [&] { return std::ranges::find(requirement.values, *value); };
  switch (requirement.op) {
    case LabelSelector::Operator::In:
      return value && listed() != requirement.values.end();
    case LabelSelector::Operator::NotIn:
      return !value || listed() == requirement.values.end();
    case LabelSelector::Operator::Exists:
      return value.has_value();
    case LabelSelector::Operator::DoesNotExist:
      return !value;
    case LabelSelector::Operator::GreaterThan:
    case LabelSelector::Operator::LessThan:
      return value && compares(requirement, *value);
  }
  return false;
}

const char* json_name(LabelSelector::Operator op) {
  switch (op) {
    case LabelSelector::Operator::In:
      return "In";
    case LabelSelector::Operator::NotIn:
      return "NotIn";
    case LabelSelector::Operator::Exists:
      return "Exists";
    case LabelSelector::Operator::DoesNotExist:
      return "DoesNotExist";
    case LabelSelector::Operator::GreaterThan:
      return "Gt";
    case LabelSelector::Operator::LessThan:
      return "Lt";
  }
  return "";
}

}  // namespace

Result<LabelSelector> LabelSelector::parse(std::string_view text) {
  if (text.size() > kMaxText)
    return fail(ErrorKind::Invalid,
                "the selector is longer than " + std::to_string(kMaxText) + " bytes");
  LabelSelector selector;
  Lexer lexer(text);
  while (!lexer.at_end()) {
    auto requirement = take_requirement(lexer);
    if (!requirement) return fail(requirement.error());
    if (selector.requirements_.size() == kMaxRequirements)
      return fail(ErrorKind::Invalid, "the selector has more than " +
                                          std::to_string(kMaxRequirements) + " requirements");
    selector.requirements_.push_back(std::move(*requirement));
    if (lexer.at_end()) break;
    if (!lexer.take(",")) return lexer.expected("','");
    if (lexer.at_end()) return lexer.expected("a label's name");
  }
  return selector;
}

bool LabelSelector::matches(const Lookup& label) const {
  return std::ranges::all_of(requirements_, [&label](const Requirement& requirement) {
    return holds(requirement, label(requirement.key));
  });
}

LabelSelector LabelSelector::of(std::initializer_list<std::string_view> keys) const {
  LabelSelector result;
  for (const auto& requirement : requirements_)
    if (std::ranges::find(keys, requirement.key) != keys.end())
      result.requirements_.push_back(requirement);
  return result;
}

LabelSelector LabelSelector::without(std::initializer_list<std::string_view> keys) const {
  LabelSelector result;
  for (const auto& requirement : requirements_)
    if (std::ranges::find(keys, requirement.key) == keys.end())
      result.requirements_.push_back(requirement);
  return result;
}

std::string LabelSelector::to_json() const {
  if (requirements_.empty()) return "null";
  auto labels = nlohmann::json::object();
  auto expressions = nlohmann::json::array();
  for (const auto& requirement : requirements_) {
    const bool equals = requirement.op == Operator::In && requirement.values.size() == 1;
    if (equals && !labels.contains(requirement.key)) {
      labels[requirement.key] = requirement.values.front();
      continue;
    }
    nlohmann::json expression{{"key", requirement.key}, {"operator", json_name(requirement.op)}};
    if (!requirement.values.empty()) expression["values"] = requirement.values;
    expressions.push_back(std::move(expression));
  }
  auto result = nlohmann::json::object();
  if (!labels.empty()) result["matchLabels"] = std::move(labels);
  if (!expressions.empty()) result["matchExpressions"] = std::move(expressions);
  return result.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace mcpfleet::metrics
