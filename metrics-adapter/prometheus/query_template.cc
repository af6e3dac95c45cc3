#include "metrics-adapter/prometheus/query_template.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace mcpfleet::adapter::promql {
namespace {

constexpr std::string_view kOpen = "<<";
constexpr std::string_view kClose = ">>";
constexpr std::string_view kBlanks = " \t\r\n";

std::string_view trim_end(std::string_view text) {
  const auto last = text.find_last_not_of(kBlanks);
  return last == text.npos ? std::string_view() : text.substr(0, last + 1);
}

std::string_view trim_start(std::string_view text) {
  const auto first = text.find_first_not_of(kBlanks);
  return first == text.npos ? std::string_view() : text.substr(first);
}

bool is_blank(char c) { return kBlanks.find(c) != kBlanks.npos; }

// Blanks part words, but not inside quotation marks.
std::vector<std::string> split_words(std::string_view action) {
  std::vector<std::string> words;
  for (action = trim_start(action); !action.empty(); action = trim_start(action)) {
    std::size_t length = 0;
    char quote = 0;
    for (; length < action.size() && (quote != 0 || !is_blank(action[length])); ++length) {
      const char c = action[length];
      if (quote == c) {
        quote = 0;
      } else if (quote == 0 && (c == '"' || c == '`')) {
        quote = c;
      }
    }
    words.emplace_back(action.substr(0, length));
    action.remove_prefix(length);
  }
  return words;
}

// The content of "x" or `x`; escapes are not supported.
std::optional<std::string> unquote(std::string_view word) {
  if (word.size() < 2 || (word.front() != '"' && word.front() != '`') ||
      word.back() != word.front() || word.find('\\') != word.npos)
    return std::nullopt;
  return std::string(word.substr(1, word.size() - 2));
}

std::string joined(const std::vector<std::string>& words, std::string_view between) {
  std::string text;
  for (const auto& word : words) text.append(text.empty() ? "" : between).append(word);
  return text;
}

std::unexpected<Error> unsupported(const std::vector<std::string>& words, const char* known) {
  return fail(ErrorKind::Invalid,
              "has <<" + joined(words, " ") + ">>, which is not supported; what is: " + known);
}

constexpr const char* kQueryForms =
    "<<.Series>>, <<.LabelMatchers>>, <<.GroupBy>>, <<.GroupBySlice>>, <<index .GroupBySlice 0>>, "
    "<<.LabelValuesByName.LABEL>> and <<index .LabelValuesByName \"LABEL\">>";
constexpr const char* kLabelForms = "<<.Resource>> and <<.Group>>";

}  // namespace

Result<std::vector<TemplatePiece>> split_template(std::string_view text) {
  std::vector<TemplatePiece> pieces;
  bool trim = false;  // what follows, since the last action ended in ->>
  for (;;) {
    const auto open = text.find(kOpen);
    auto plain = text.substr(0, open);
    if (trim) plain = trim_start(plain);
    if (open == text.npos) {
      if (!plain.empty()) pieces.push_back({std::string(plain), {}});
      return pieces;
    }
    const auto close = text.find(kClose, open);
    if (close == text.npos) return fail(ErrorKind::Invalid, "has a << without its >>");
    auto action = text.substr(open + kOpen.size(), close - open - kOpen.size());
    if (action.size() > 1 && action.front() == '-' && is_blank(action[1])) {
      plain = trim_end(plain);
      action.remove_prefix(1);
    }
    trim = action.size() > 1 && action.back() == '-' && is_blank(action[action.size() - 2]);
    if (trim) action.remove_suffix(1);
    if (!plain.empty()) pieces.push_back({std::string(plain), {}});
    pieces.push_back({"", split_words(action)});
    if (pieces.back().words.empty()) return fail(ErrorKind::Invalid, "has an empty << >>");
    text.remove_prefix(close + kClose.size());
  }
}

Result<QueryTemplate> QueryTemplate::parse(std::string_view text) {
  auto pieces = split_template(text);
  if (!pieces) return fail(pieces.error());
  QueryTemplate result;
  for (const auto& piece : *pieces) {
    auto part = part_of(piece);
    if (!part) return fail(part.error());
    result.parts_.push_back(std::move(*part));
  }
  return result;
}

Result<QueryTemplate::Part> QueryTemplate::part_of(const TemplatePiece& piece) {
  constexpr std::string_view kByName = ".LabelValuesByName.";
  if (piece.words.empty()) return Part{Kind::Text, piece.text};
  const auto& word = piece.words.front();
  if (word == "index") return indexed(piece);
  if (piece.words.size() > 1) return unsupported(piece.words, kQueryForms);
  if (word == ".Series") return Part{Kind::Series};
  if (word == ".LabelMatchers") return Part{Kind::LabelMatchers};
  if (word == ".GroupBy") return Part{Kind::GroupBy};
  if (word == ".GroupBySlice") return Part{Kind::GroupBySlice};
  if (word.starts_with(kByName) && word.size() > kByName.size() &&
      word.find('.', kByName.size()) == word.npos)
    return Part{Kind::LabelValue, word.substr(kByName.size())};
  return unsupported(piece.words, kQueryForms);
}

Result<QueryTemplate::Part> QueryTemplate::indexed(const TemplatePiece& piece) {
  if (piece.words.size() != 3) return unsupported(piece.words, kQueryForms);
  const auto& key = piece.words[2];
  if (piece.words[1] == ".LabelValuesByName")
    if (auto label = unquote(key)) return Part{Kind::LabelValueOrEmpty, std::move(*label)};
  if (piece.words[1] == ".GroupBySlice") {
    Part part{Kind::GroupByItem};
    const char* end = key.data() + key.size();
    const auto [stop, error] = std::from_chars(key.data(), end, part.index);
    if (error == std::errc{} && stop == end) return part;
  }
  return unsupported(piece.words, kQueryForms);
}

Result<void> QueryTemplate::append(std::string& out, const Part& part, const QueryValues& values) {
  switch (part.kind) {
    case Kind::Text:
      out += part.text;
      return {};
    case Kind::Series:
      out += values.series;
      return {};
    case Kind::LabelMatchers:
      out += values.label_matchers;
      return {};
    case Kind::GroupBy:
      out += joined(values.group_by, ",");
      return {};
    case Kind::GroupBySlice:  // as Go prints a slice
      out += "[" + joined(values.group_by, " ") + "]";
      return {};
    case Kind::GroupByItem:
      if (part.index >= values.group_by.size())
        return fail(ErrorKind::Invalid, "<<index .GroupBySlice " + std::to_string(part.index) +
                                            ">>: there are only " +
                                            std::to_string(values.group_by.size()));
      out += values.group_by[part.index];
      return {};
    case Kind::LabelValue:
    case Kind::LabelValueOrEmpty: {
      const auto found = values.label_values.find(part.text);
      if (found != values.label_values.end()) {
        out += found->second;
      } else if (part.kind == Kind::LabelValue) {
        return fail(ErrorKind::Invalid, "<<.LabelValuesByName." + part.text +
                                            ">>: the request says nothing of the label " +
                                            part.text);
      }
      return {};
    }
  }
  return {};
}

Result<std::string> QueryTemplate::render(const QueryValues& values) const {
  std::string query;
  for (const auto& part : parts_)
    if (auto appended = append(query, part, values); !appended) return fail(appended.error());
  if (query.empty()) return fail(ErrorKind::Invalid, "gives an empty query");
  return query;
}

Result<LabelTemplate> LabelTemplate::parse(std::string_view text) {
  auto pieces = split_template(text);
  if (!pieces) return fail(pieces.error());
  LabelTemplate result;
  for (auto& piece : *pieces) {
    if (piece.words.empty()) {
      result.parts_.push_back({Kind::Text, std::move(piece.text)});
    } else if (piece.words.size() == 1 && piece.words.front() == ".Group") {
      result.parts_.push_back({Kind::Group, ""});
    } else if (piece.words.size() == 1 && piece.words.front() == ".Resource") {
      result.parts_.push_back({Kind::Resource, ""});
    } else {
      return unsupported(piece.words, kLabelForms);
    }
  }
  if (std::ranges::none_of(result.parts_,
                           [](const Part& part) { return part.kind == Kind::Resource; }))
    return fail(ErrorKind::Invalid, "must have <<.Resource>> in it");
  return result;
}

std::string LabelTemplate::render(std::string_view group, std::string_view singular) const {
  std::string label;
  for (const auto& part : parts_) {
    switch (part.kind) {
      case Kind::Text:
        label += part.text;
        break;
      case Kind::Group:
        for (const char c : group) label += c == '.' || c == '-' ? '_' : c;
        break;
      case Kind::Resource:
        label += singular;
        break;
    }
  }
  return label;
}

}  // namespace mcpfleet::adapter::promql
