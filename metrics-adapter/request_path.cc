#include "metrics-adapter/request_path.h"

#include <algorithm>

namespace mcpfleet::adapter {
namespace {

constexpr std::size_t kMaxTarget = 16 * 1024;
constexpr std::size_t kPrefix = 3;                   // apis, group, version
constexpr std::size_t kExternalParts = kPrefix + 3;  // namespaces, namespace, metric
constexpr std::string_view kExplain = "explain";
constexpr std::array<std::string_view, 2> kCustomVersions{"v1beta2", "v1beta1"};
constexpr std::array<std::string_view, 1> kOwnVersions{"v1beta2"};
constexpr std::array<std::string_view, 1> kExternalVersions{"v1beta1"};

int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Result<void> parse_query(std::string_view text, Target& target) {
  while (!text.empty()) {
    const auto end = text.find('&');
    const auto pair = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    auto name = percent_decode(pair.substr(0, equals), true);
    auto value =
        percent_decode(equals == pair.npos ? std::string_view() : pair.substr(equals + 1), true);
    if (!name) return fail(name.error());
    if (!value) return fail(value.error());
    target.query.emplace(std::move(*name), std::move(*value));
  }
  return {};
}

// The target without the word that comes first below a version of our own group, or last behind a
// metric; nullopt: there is no such word, or nothing but it.
std::optional<Target> without_word(const Target& target, std::string_view word) {
  const auto& parts = target.segments;
  if (parts.size() <= kPrefix + 1 || parts[1] != kOwnGroup) return std::nullopt;
  const bool first = parts[kPrefix] == word;
  const bool last = parts.size() == kPrefix + 6 && parts.back() == word;
  if (!first && !last) return std::nullopt;
  Target inner = target;
  inner.segments.erase(first ? inner.segments.begin() + kPrefix : inner.segments.end() - 1);
  return inner;
}

}  // namespace

std::span<const std::string_view> versions_of(std::string_view group) {
  if (group == kCustomGroup) return kCustomVersions;
  if (group == kOwnGroup) return kOwnVersions;
  if (group == kExternalGroup) return kExternalVersions;
  return {};
}

bool has_version(std::string_view group, std::string_view version) {
  const auto versions = versions_of(group);
  return std::ranges::find(versions, version) != versions.end();
}

Result<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      decoded += ' ';
    } else if (text[i] != '%') {
      decoded += text[i];
    } else {
      if (i + 2 >= text.size() || hex(text[i + 1]) < 0 || hex(text[i + 2]) < 0)
        return fail(ErrorKind::Invalid, "the request's path or query has a broken % escape");
      decoded += static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2]));
      i += 2;
    }
  }
  return decoded;
}

Result<Target> parse_target(std::string_view text) {
  if (text.size() > kMaxTarget)
    return fail(ErrorKind::Invalid,
                "the request's path is longer than " + std::to_string(kMaxTarget) + " bytes");
  const auto question = text.find('?');
  auto path = text.substr(0, question);
  Target target;
  target.path = path;
  while (!path.empty()) {
    const auto slash = path.find('/');
    if (slash != 0) {
      auto segment = percent_decode(path.substr(0, slash), false);
      if (!segment) return fail(segment.error());
      target.segments.push_back(std::move(*segment));
    }
    path.remove_prefix(slash == path.npos ? path.size() : slash + 1);
  }
  if (question == text.npos) return target;
  auto parsed = parse_query(text.substr(question + 1), target);
  if (!parsed) return fail(parsed.error());
  return target;
}

bool is_resource(const Target& target) {
  return target.segments.size() > kPrefix && target.segments.front() == "apis";
}

std::optional<Target> explained(const Target& target) {
  const auto& parts = target.segments;
  auto inner = without_word(target, kExplain);
  const bool last = parts.size() == kExternalParts + 1 && parts[1] == kOwnGroup &&
                    parts[kPrefix] == "namespaces" && parts[kPrefix + 2] != "metrics" &&
                    parts.back() == kExplain;
  if (!inner && last) {
    inner = target;
    inner->segments.pop_back();
  }
  if (!inner || inner->segments.size() != kExternalParts ||
      inner->segments[kPrefix] != "namespaces")
    return inner;
  inner->segments[1] = kExternalGroup;
  inner->segments[2] = kExternalVersions.front();
  return inner;
}

std::optional<Target> remembered(const Target& target) { return without_word(target, "history"); }

std::optional<Target> ranked(const Target& target) {
  auto inner = without_word(target, "top");
  if (inner && inner->segments.size() == kPrefix + 4)
    inner->segments.insert(inner->segments.end() - 1, "*");
  return inner;
}

Result<MetricPath> parse_metric_path(const Target& target) {
  const auto& parts = target.segments;
  MetricPath path;
  path.group = parts[1];
  path.version = parts[2];
  const std::size_t count = parts.size() - kPrefix;
  const bool namespaced = parts[kPrefix] == "namespaces";
  if (namespaced && count == 5) {
    path.namespace_ = parts[4];
    path.resource = parts[5];
    path.name = parts[6];
    path.metric = parts[7];
    return path;
  }
  // Of the Namespace itself: …/namespaces/NS/metrics/METRIC.
  if (namespaced && count == 4 && parts[5] == "metrics") {
    path.resource = "namespaces";
    path.name = parts[4];
    path.metric = parts[6];
    return path;
  }
  if (!namespaced && count == 3) {
    path.resource = parts[3];
    path.name = parts[4];
    path.metric = parts[5];
    return path;
  }
  return fail(ErrorKind::Invalid,
              "invalid request path: must be /apis/GROUP/VERSION/namespaces/NAMESPACE/RESOURCE/"
              "NAME/METRIC");
}

Result<ExternalPath> parse_external_path(const Target& target) {
  const auto& parts = target.segments;
  if (parts.size() != kExternalParts || parts[kPrefix] != "namespaces")
    return fail(ErrorKind::Invalid,
                "invalid request path: must be /apis/external.metrics.k8s.io/v1beta1/namespaces/"
                "NAMESPACE/METRIC");
  return ExternalPath{parts[kPrefix + 1], parts[kPrefix + 2]};
}

}  // namespace mcpfleet::adapter
