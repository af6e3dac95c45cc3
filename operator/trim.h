// Cuts the parts that nobody reads out of an object's raw text, before a tree is built of it: most
// of an object of Kubernetes is managedFields and pod template.
//
// Pure. What is no JSON object comes back as it was: the decoder says what is wrong with it. Thread
// safety: any thread; each keeps a parser of its own.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace mcpfleet::op {

// `json` without `dropped`: fields such as "spec", or of fields, such as "metadata.managedFields".
std::string without(std::string_view json, std::initializer_list<std::string_view> dropped);

// What desired::decode_deployment() reads: no pod template; of managedFields the entries that own
// spec.replicas, with nothing else in them.
std::string trim_deployment(std::string_view json);

// What desired::decode_pod() reads.
std::string trim_pod(std::string_view json);

}  // namespace mcpfleet::op
