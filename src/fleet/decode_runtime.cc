#include <algorithm>
#include <charconv>

#include "fleet/decode_parts.h"

namespace mcpfleet::fleet {
namespace {

// True where `resources` requests `name`; a limit alone defaults the request.
bool requests(const Field& resources, const char* name) {
  return resources["requests"][name].present() || resources["limits"][name].present();
}

// "25%", as a PodDisruptionBudget has it.
bool is_percentage(const Json& value) {
  if (!value.is_string()) return false;
  const auto& text = value.get_ref<const std::string&>();
  int number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && number >= 0 && number <= 100 &&
         std::to_string(number) + "%" == text;
}

RawJson count_or_percentage(const Field& field) {
  if (!field.present()) return {};
  const Json& value = field.value();
  const bool count = value.is_number_integer() && value.get<std::int64_t>() >= 0;
  if (!count && !is_percentage(value))
    field.refuse("must be a count or a percentage such as 25%, not " + to_text(value));
  return to_text(value);
}

RawJson decode_peers(const Field& field) {
  if (!field.present()) return {};
  for (const Field& peer : field.items(64)) {
    peer.object();
    int given = 0;
    for (const char* key : {"podSelector", "namespaceSelector", "ipBlock"})
      given += peer[key].object() ? 1 : 0;
    if (given == 0) peer.refuse("must have podSelector, namespaceSelector or ipBlock");
    const Field block = peer["ipBlock"];
    if (block.present() && !block["cidr"].present()) block["cidr"].refuse("is required");
    block["cidr"].text("", 1, 64);
    block["except"].texts(64, 64);
  }
  return to_text(field.value());
}

}  // namespace

// What is inside is checked where it is laid over our template, and by Kubernetes.
RawJson decode_pod_template(const Field& field) {
  if (!field.object()) return {};
  field["spec"].object();
  const Field metadata = field["metadata"];
  if (metadata.object())
    for (const char* key : {"labels", "annotations"}) metadata[key].object();
  return to_text(field.value());
}

RawJson decode_resources(const Field& field) {
  if (!field.object()) return {};
  for (const char* part : {"requests", "limits"}) {
    if (!field[part].object()) continue;
    if (field[part].value().size() > 16) field[part].refuse("must have at most 16 resources");
    for (const auto& [name, value] : field[part].value().items())
      field[part][name].quantity_milli();
  }
  return to_text(field.value());
}

Runtime decode_runtime(const Field& field) {
  field.object();
  Runtime runtime;
  runtime.replicas = field["replicas"].integer(1, 0, 1000);
  const Field resources = field["resources"];
  runtime.pod_template = decode_pod_template(field["podTemplate"]);
  runtime.resources = decode_resources(resources);
  runtime.requests_cpu = requests(resources, "cpu");
  runtime.requests_memory = requests(resources, "memory");
  return runtime;
}

std::optional<Disruption> decode_disruption(const Field& field) {
  if (!field.object()) return std::nullopt;
  Disruption result{count_or_percentage(field["maxUnavailable"]),
                    count_or_percentage(field["minAvailable"])};
  if (result.max_unavailable.empty() == result.min_available.empty())
    field.refuse("must have exactly one of maxUnavailable and minAvailable");
  return result;
}

std::optional<Network> decode_network(const Field& field) {
  if (!field.object()) return std::nullopt;
  return Network{decode_peers(field["ingressFrom"]), decode_peers(field["egressTo"])};
}

}  // namespace mcpfleet::fleet
