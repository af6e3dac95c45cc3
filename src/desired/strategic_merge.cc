#include "desired/strategic_merge.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace mcpfleet::desired {
namespace {

using fleet::Json;
using fleet::member;
using fleet::text_of;

constexpr const char* kDirective = "$patch";

// patchMergeKey of the fields of core/v1 PodTemplateSpec that have patchStrategy "merge".
constexpr std::array<std::pair<std::string_view, const char*>, 12> kMergeKeys{
    {{"containers", "name"},
     {"initContainers", "name"},
     {"ephemeralContainers", "name"},
     {"volumes", "name"},
     {"imagePullSecrets", "name"},
     {"resourceClaims", "name"},
     {"schedulingGates", "name"},
     {"hostAliases", "ip"},
     {"topologySpreadConstraints", "topologyKey"},
     {"env", "name"},
     {"ports", "containerPort"},
     {"volumeMounts", "mountPath"}}};

// nullptr: the list is replaced as a whole.
const char* merge_key(std::string_view field) {
  if (field == "volumeDevices") return "devicePath";
  const auto found =
      std::ranges::find(kMergeKeys, field, [](const auto& pair) { return pair.first; });
  return found == kMergeKeys.end() ? nullptr : found->second;
}

class Merger {
 public:
  // Null: removed. A map that `original` does not have is merged into an empty one, so that no null
  // and no directive stays.
  Json merge_value(const Json& original, const Json& patch, std::string_view field,
                   const std::string& path) {
    if (patch.is_object())
      return merge_map(original.is_object() ? original : Json::object(), patch, path);
    if (!patch.is_array()) return patch;
    if (const char* key = merge_key(field))
      return merge_list(original.is_array() ? original : Json::array(), patch, key, path);
    return whole_list(patch, path);
  }

  std::optional<Error> error;

 private:
  void refuse(const std::string& path, const std::string& problem) {
    if (!error) error = Error{ErrorKind::Invalid, path + " " + problem};
  }

  Json merge_map(const Json& original, const Json& patch, const std::string& path) {
    const Json& directive = member(patch, kDirective);
    if (directive == "delete") return nullptr;
    if (!directive.is_null() && directive != "replace" && directive != "merge")
      refuse(path + ".$patch", "must be merge, replace or delete");
    Json result = directive == "replace" ? Json::object() : original;
    for (const auto& [key, value] : patch.items()) {
      if (key == kDirective) continue;
      const std::string here = path + "." + key;
      if (key.starts_with('$'))
        refuse(here, "is a directive that is not supported: only $patch is");
      Json merged = value.is_null() ? Json() : merge_value(member(result, key), value, key, here);
      if (merged.is_null())
        result.erase(key);
      else
        result[key] = std::move(merged);
    }
    return result;
  }

  // Nothing is merged into its entries.
  Json whole_list(const Json& patch, const std::string& path) {
    Json result = Json::array();
    for (std::size_t i = 0; i < patch.size(); ++i) {
      const std::string here = path + "[" + std::to_string(i) + "]";
      if (!member(patch[i], kDirective).is_null())
        refuse(here + ".$patch", "has no effect, for this list is replaced as a whole");
      result.push_back(merge_value(nullptr, patch[i], "", here));
    }
    return result;
  }

  // The list is replaced where one entry says nothing but that.
  bool replaces(const Json& patch, const std::string& path) {
    bool found = false;
    for (std::size_t i = 0; i < patch.size(); ++i) {
      if (member(patch[i], kDirective) != "replace") continue;
      found = true;
      if (patch[i].size() != 1)
        refuse(path + "[" + std::to_string(i) + "].$patch",
               "replace must stand in an entry of its own, for it replaces the whole list");
    }
    return found;
  }

  Json merge_list(const Json& original, const Json& patch, const char* key,
                  const std::string& path) {
    const bool replace = replaces(patch, path);
    Json result = replace ? Json::array() : original;
    for (std::size_t i = 0; i < patch.size(); ++i) {
      const Json& entry = patch[i];
      const std::string here = path + "[" + std::to_string(i) + "]";
      if (member(entry, kDirective) == "replace") continue;
      const Json& name = member(entry, key);
      if (name.is_null()) {
        refuse(here + "." + key, "is required, for the entries of this list are found by it");
        continue;
      }
      const auto found = std::ranges::find_if(
          result, [&](const Json& other) { return member(other, key) == name; });
      Json merged = merge_value(found == result.end() ? Json() : *found, entry, "", here);
      if (found == result.end()) {
        if (!merged.is_null()) result.push_back(std::move(merged));
      } else if (merged.is_null()) {
        result.erase(found);
      } else {
        *found = std::move(merged);
      }
    }
    return result;
  }
};

}  // namespace

Result<Json> strategic_merge(const Json& original, const Json& patch, const std::string& path) {
  Merger merger;
  Json result = merger.merge_value(original, patch, "", path);
  if (merger.error) return fail(*merger.error);
  return result;
}

}  // namespace mcpfleet::desired
