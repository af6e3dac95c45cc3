#include "metrics-adapter/prometheus/resource_finder.h"

#include <algorithm>
#include <optional>

namespace mcpfleet::adapter::promql {
namespace {

constexpr std::chrono::minutes kGood{10};
constexpr std::chrono::seconds kGoodForAMiss{30};

// The groups of metrics, our own among them, have no objects; asking for them would come back here.
bool has_objects(const std::string& group) {
  return !group.ends_with("metrics.k8s.io") && group != "metrics.mcpfleet.dev";
}

const Resource* find_in(const std::vector<Resource>& resources, std::string_view name,
                        std::string_view group) {
  const auto found = std::ranges::find_if(
      resources, [&](const Resource& resource) { return resource.is_named(name, group); });
  return found == resources.end() ? nullptr : &*found;
}

}  // namespace

template <typename T>
Result<std::shared_ptr<const std::vector<T>>> ResourceFinder::document(
    Documents<T>& documents, const std::string& path, Duration max_age,
    Result<std::vector<T>> (*parse)(std::string_view)) {
  std::shared_ptr<const std::vector<T>> older;
  {
    std::lock_guard lock(mutex_);
    if (const auto found = documents.find(path); found != documents.end()) {
      older = found->second.content;
      const bool young = clock_.monotonic() - found->second.read <= max_age;
      if (young) metrics_.count_lookup(PrometheusMetrics::Cache::Resources, true);
      if (young) return older;
    }
  }
  metrics_.count_lookup(PrometheusMetrics::Cache::Resources, false);
  const auto text = client_.get(path);
  auto parsed = text ? parse(*text) : Result<std::vector<T>>(fail(text.error()));
  if (!parsed && older) return older;
  if (!parsed)
    return fail(ErrorKind::Unavailable,
                "cannot ask the API server which resources there are: " + parsed.error().message);
  auto content = std::make_shared<const std::vector<T>>(std::move(*parsed));
  std::lock_guard lock(mutex_);
  documents.insert_or_assign(path, Cached<T>{content, clock_.monotonic()});
  return content;
}

Result<Resource> ResourceFinder::search(std::string_view name, std::string_view group,
                                        Duration max_age) {
  if (group.empty()) {
    const auto core = document(resources_, "/api/v1", max_age, parse_resource_list);
    if (!core) return fail(core.error());
    if (const auto* found = find_in(**core, name, group)) return *found;
  }
  const auto groups = document(groups_, "/apis", max_age, parse_group_list);
  if (!groups) return fail(groups.error());
  std::optional<Error> failure;
  for (const auto& [of_group, version] : **groups) {
    if (!of_group.starts_with(group) || !has_objects(of_group)) continue;
    const auto list =
        document(resources_, std::string("/apis/").append(of_group).append("/").append(version),
                 max_age, parse_resource_list);
    if (!list) {
      failure = list.error();
    } else if (const auto* found = find_in(**list, name, group)) {
      return *found;
    }
  }
  // What one group that does not answer may have is unknown.
  if (failure) return fail(*failure);
  return fail(ErrorKind::NotFound, "the API server knows no such resource");
}

Result<Resource> ResourceFinder::find(std::string_view text) {
  const auto dot = text.find('.');
  const auto name = text.substr(0, dot);
  const auto group = dot == text.npos ? std::string_view() : text.substr(dot + 1);
  auto found = search(name, group, kGood);
  if (found || found.error().kind != ErrorKind::NotFound) return found;
  return search(name, group, kGoodForAMiss);
}

}  // namespace mcpfleet::adapter::promql
