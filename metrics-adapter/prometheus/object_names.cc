#include "metrics-adapter/prometheus/object_names.h"

#include <nlohmann/json.hpp>

#include "kube/paths.h"
#include "metrics-adapter/json_fields.h"

namespace mcpfleet::adapter::promql {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxObjects = 10'000;

Result<std::vector<std::string>> names_in(const std::string& list) {
  const auto document = json::parse(list, nullptr, false);
  if (!text_of(document, "kind").ends_with("List") || !document.contains("items"))
    return fail(ErrorKind::Malformed, "the API server's answer is no list");
  const auto& items = document["items"];  // null where there are none
  if (items.size() > kMaxObjects)
    return fail(ErrorKind::TooLarge,
                "the selector selects more than " + std::to_string(kMaxObjects) + " objects");
  std::vector<std::string> names;
  names.reserve(items.size());
  for (const auto& item : items)
    if (auto name = text_of(object_of(item, "metadata"), "name"); !name.empty())
      names.push_back(std::move(name));
  return names;
}

}  // namespace

Result<ObjectNames::Names> ObjectNames::list(const Resource& resource, std::string_view namespace_,
                                             std::string_view selector) {
  // From the API server's memory, which may be a little behind.
  auto path =
      kube::collection_path(resource.api_version(), kube::escape(namespace_), resource.plural) +
      "?resourceVersion=0";
  if (!selector.empty()) path += "&labelSelector=" + kube::escape(selector);
  const auto known = cache_.get(path, clock_.monotonic());
  metrics_.count_lookup(PrometheusMetrics::Cache::Objects, known.has_value());
  if (known) return *known;
  const auto text = client_.get_metadata(path);
  if (!text)
    return fail(ErrorKind::Unavailable, "cannot list the " + resource.text() +
                                            " that are selected: " + text.error().message);
  auto names = names_in(*text);
  if (!names) return fail(names.error());
  auto shared = std::make_shared<const std::vector<std::string>>(std::move(*names));
  cache_.put(std::move(path), shared, clock_.monotonic());
  return shared;
}

}  // namespace mcpfleet::adapter::promql
