// Does an object that the API server holds still say what we want it to say?
//
// Pure. Thread safety: free functions.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

namespace mcpfleet::op {

// The path of the first field of `desired` that `observed` does not hold, such as
// "spec.template.spec.containers[0].image"; nothing when it holds them all. Fields that only
// `observed` has are somebody else's and do not count.
//
// Equal means equal to Kubernetes: quantities compare by value ("500m", "0.5"), an empty value is
// an absent one, and entries of keyed lists (containers, ports, volumes …) are found wherever they
// stand. Atomic lists (arguments, metrics of an HPA …) compare as a whole.
std::optional<std::string> first_difference(const nlohmann::json& desired,
                                            const nlohmann::json& observed);

}  // namespace mcpfleet::op
