// A user's pod template, laid over ours and held to what the product needs. Internal to desired.
//
// What came out is compared with what went in: that sees each way of changing what must stay, where
// a list of forbidden fields would not.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"
#include "desired/parts.h"

namespace mcpfleet::desired {

// The first thing that is wrong, as a whole sentence.
using Problem = std::optional<std::string>;

// `pod_template` with `overlay` laid over it by the rules of a strategic merge patch; of its
// metadata labels and annotations alone. `path`: of the overlay, such as "spec.podTemplate".
// Errors: Invalid.
Result<Json> lay_over(const std::string& path, const fleet::RawJson& overlay,
                      const Json& pod_template);

// "<path> must leave <what> as it is, for <why>".
std::string keep(const std::string& path, const std::string& what, const std::string& why);

// The entry of a list that has this name; null: there is none.
const Json& named(const Json& list, const std::string& name);

// Labels of ours, by which pods are found; annotations of ours, by which they are scraped and
// rolled. `before`, `after`: metadata of the pod template.
Problem check_metadata(const std::string& path, const Json& before, const Json& after);

// The entries of `list` called one of `ours` are as they were, but for the field `free`. `before`,
// `after`: its spec.
Problem check_entries(const std::string& path, const Json& before, const Json& after,
                      const char* list, std::span<const char* const> ours, const char* free);

// Each entry of `before[list]` for which `ours` holds is in `after[list]` as it was. `before`,
// `after`: the container `container`.
Problem check_list(const std::string& path, const Json& before, const Json& after,
                   const std::string& container, const char* list, const char* key,
                   const std::function<bool(const Json&)>& ours);

struct FixedField {
  const char* pointer;  // in the container
  const char* what;
  const char* why;
};
// Those fields of the container `container` are as they were.
Problem check_fixed(const std::string& path, const Json& before, const Json& after,
                    const std::string& container, std::span<const FixedField> fields);

// Our ports are one for the pod, and the Service finds them by name. `before`, `after`: the spec of
// the pod template; `whose`: "the sidecar".
Problem check_ports(const std::string& path, const Json& before, const Json& after,
                    const std::string& whose);

// The time that a pod has for its end is not shorter; `why` says what needs it.
Problem check_grace(const std::string& path, const Json& before, const Json& after,
                    const std::string& why);

}  // namespace mcpfleet::desired
