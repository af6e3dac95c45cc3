// What a request of the API asks for, from its target. Pure.
//
// Source: k8s.io/apiserver pkg/endpoints/request/requestinfo.go and
// sigs.k8s.io/custom-metrics-apiserver pkg/apiserver/installer.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mcpfleet::adapter {

inline constexpr std::string_view kCustomGroup = "custom.metrics.k8s.io";
inline constexpr std::string_view kOwnGroup = "metrics.mcpfleet.dev";
inline constexpr std::string_view kExternalGroup = "external.metrics.k8s.io";

inline constexpr std::array<std::string_view, 3> kGroups{kCustomGroup, kOwnGroup, kExternalGroup};

// The versions of a group that is served, the preferred one first; empty: another's group.
std::span<const std::string_view> versions_of(std::string_view group);
bool has_version(std::string_view group, std::string_view version);

// Error: Invalid (a broken escape).
Result<std::string> percent_decode(std::string_view text, bool plus_is_space = false);

struct Target {
  std::string path;                                       // as received, without the query
  std::vector<std::string> segments;                      // percent-decoded
  std::map<std::string, std::string, std::less<>> query;  // decoded; the first of each name
};

// "/apis/a%2Fb?x=y%20z+w". Error: Invalid (a broken escape, too long).
Result<Target> parse_target(std::string_view text);

// A request for values below /apis/GROUP/VERSION/.
struct MetricPath {
  std::string group;
  std::string version;
  std::string namespace_;  // empty: of the whole cluster
  std::string resource;    // "pods", "mcpservers.mcpfleet.dev", …
  std::string name;        // or "*"
  std::string metric;
};

// Whether the target is one of a resource (not discovery or health): it then needs the right to
// that resource.
bool is_resource(const Target& target);

// The target whose answer this one, /apis/GROUP/VERSION/explain/… or …/METRIC/explain, asks to be
// explained; nullopt: it is none of our own group's. The API server itself takes the first form for
// a request of a resource "explain" of the whole cluster, the second one for one of the metric: it
// is for those whose rights are in one namespace. …/explain/namespaces/NAMESPACE/METRIC and
// …/namespaces/NAMESPACE/METRIC/explain are of an external metric: the target is then that one, of
// the group of external metrics.
std::optional<Target> explained(const Target& target);

// The target of the metric whose past this one, …/history/… or …/METRIC/history, asks for; nullopt:
// as above.
std::optional<Target> remembered(const Target& target);

// The target of the metric of all objects ("*") which this one,
// …/top/namespaces/NAMESPACE/RESOURCE/ METRIC or …/*/METRIC/top, asks to be ranked by; nullopt: as
// above.
std::optional<Target> ranked(const Target& target);

// Error: Invalid for a path with too few or too many parts.
Result<MetricPath> parse_metric_path(const Target& target);

// A request for values below /apis/external.metrics.k8s.io/VERSION/.
struct ExternalPath {
  std::string namespace_;
  std::string metric;
};

// Error: Invalid for a path with too few or too many parts.
Result<ExternalPath> parse_external_path(const Target& target);

}  // namespace mcpfleet::adapter
