// /healthz, /livez and /readyz, as Kubernetes' own servers answer them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "http/message.h"
#include "metrics-adapter/request_path.h"

namespace mcpfleet::adapter {

// A named condition of readiness. No check asks anybody else: an adapter that is unready takes its
// APIService down.
struct Check {
  std::string name;
  std::function<bool()> good;
};

// nullopt: the target is none of the probes. /readyz runs the checks; the others say "ok" while the
// program runs. ?verbose lists them, ?exclude=NAME leaves one out.
std::optional<http::Response> answer_probe(const Target& target, const std::vector<Check>& checks);

}  // namespace mcpfleet::adapter
