#include "operator/subset.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/quantity.h"

namespace mcpfleet::op {
namespace {

using nlohmann::json;

// Fields below which every text is a quantity, or which are one.
constexpr std::array<std::string_view, 6> kQuantities{"limits",    "requests",  "averageValue",
                                                      "sizeLimit", "tolerance", "divisor"};
// Lists of objects that belong to one manager as a whole (x-kubernetes-list-type: atomic), as far
// as we write them: an entry that somebody added is a change of ours.
constexpr std::array<std::string_view, 11> kAtomicLists{
    "metrics", "policies", "envFrom",   "items",       "ingress", "egress",
    "from",    "to",       "endpoints", "tolerations", "sources"};

template <std::size_t size>
bool has(const std::array<std::string_view, size>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// What the API server leaves out.
bool is_empty(const json& value) {
  switch (value.type()) {
    case json::value_t::null:
      return true;
    case json::value_t::boolean:
      return !value.get<bool>();
    case json::value_t::number_integer:
    case json::value_t::number_unsigned:
      return value.get<std::int64_t>() == 0;
    case json::value_t::string:
      return value.get_ref<const std::string&>().empty();
    case json::value_t::array:
    case json::value_t::object:
      return std::all_of(value.begin(), value.end(), is_empty);
    default:
      return false;
  }
}

// Where we are: the field's name and whether its texts are quantities.
struct Place {
  std::string path;
  std::string_view field;
  bool quantity = false;

  Place child(const std::string& name) const {
    return {path.empty() ? name : path + "." + name, name, quantity || has(kQuantities, name)};
  }
  Place element(std::size_t index) const {
    return {path + "[" + std::to_string(index) + "]", field, quantity};
  }
};

using Difference = std::optional<std::string>;
Difference compare(const json& desired, const json& observed, const Place& place);

Difference compare_objects(const json& desired, const json& observed, const Place& place) {
  for (const auto& [name, value] : desired.items()) {
    const Place here = place.child(name);
    const auto found = observed.find(name);
    if (found == observed.end()) {
      if (!is_empty(value)) return here.path;
      continue;
    }
    if (auto difference = compare(value, *found, here)) return difference;
  }
  return std::nullopt;
}

Difference compare_in_order(const json& desired, const json& observed, const Place& place) {
  if (desired.size() != observed.size()) return place.path;
  for (std::size_t i = 0; i < desired.size(); ++i) {
    if (auto difference = compare(desired[i], observed[i], place.element(i))) return difference;
  }
  return std::nullopt;
}

json protocol_of(const json& entry) {
  const auto found = entry.find("protocol");
  return found == entry.end() ? json("TCP") : *found;
}

// The fields that identify an entry of the keyed lists that we write. A port may be there once for
// each protocol.
bool same_entry(const json& a, const json& b) {
  constexpr std::array kKeys{"name", "uid", "mountPath", "containerPort", "port"};
  for (const char* key : kKeys) {
    const auto left = a.find(key);
    if (left == a.end()) continue;
    const auto right = b.find(key);
    return right != b.end() && *left == *right && protocol_of(a) == protocol_of(b);
  }
  return a == b;
}

Difference compare_by_key(const json& desired, const json& observed, const Place& place) {
  for (std::size_t i = 0; i < desired.size(); ++i) {
    const auto found = std::find_if(observed.begin(), observed.end(), [&](const json& entry) {
      return entry.is_object() && same_entry(desired[i], entry);
    });
    const Place here = place.element(i);
    if (found == observed.end()) return here.path;
    if (auto difference = compare(desired[i], *found, here)) return difference;
  }
  return std::nullopt;
}

Difference compare_arrays(const json& desired, const json& observed, const Place& place) {
  const bool objects = std::all_of(desired.begin(), desired.end(),
                                   [](const json& entry) { return entry.is_object(); });
  if (!objects || desired.empty() || has(kAtomicLists, place.field)) {
    return compare_in_order(desired, observed, place);
  }
  return compare_by_key(desired, observed, place);
}

bool same_scalar(const json& desired, const json& observed, bool quantity) {
  if (desired == observed) return true;
  if (!quantity || !observed.is_string()) return false;
  const auto text = [](const json& value) {
    return value.is_string() ? value.get<std::string>() : value.dump();
  };
  const auto left = parse_quantity_milli(text(desired));
  const auto right = parse_quantity_milli(text(observed));
  return left && right && *left == *right;
}

Difference compare(const json& desired, const json& observed, const Place& place) {
  if (desired.is_object() && observed.is_object()) {
    return compare_objects(desired, observed, place);
  }
  if (desired.is_array() && observed.is_array()) return compare_arrays(desired, observed, place);
  if (is_empty(desired) && is_empty(observed)) return std::nullopt;
  if (same_scalar(desired, observed, place.quantity)) return std::nullopt;
  return place.path;
}

}  // namespace

std::optional<std::string> first_difference(const json& desired, const json& observed) {
  return compare(desired, observed, Place{});
}

}  // namespace mcpfleet::op
