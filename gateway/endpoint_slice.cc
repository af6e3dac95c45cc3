#include "gateway/endpoint_slice.h"

#include <optional>

#include "fleet/decode.h"
#include "fleet/json_text.h"

namespace mcpfleet::gateway {
namespace {

using fleet::Json;
using fleet::list_of;
using fleet::member;
using fleet::text_of;

constexpr std::string_view kPortName = "mcp";

// What a condition says; `otherwise` where it is not told.
bool condition(const Json& endpoint, std::string_view name, bool otherwise) {
  const Json& value = member(member(endpoint, "conditions"), name);
  return value.is_boolean() ? value.get<bool>() : otherwise;
}

std::optional<std::uint16_t> port_of(const Json& slice) {
  const Json& ports = list_of(slice, "ports");
  for (const Json& port : ports) {
    if (ports.size() > 1 && text_of(port, "name") != kPortName) continue;
    const auto number = fleet::number_of(port, "port");
    if (number > 0 && number <= 65535) return static_cast<std::uint16_t>(number);
  }
  return std::nullopt;
}

std::optional<routing::Endpoint> endpoint_of(const Json& json, std::uint16_t port) {
  const Json& addresses = list_of(json, "addresses");
  if (addresses.empty() || !addresses.front().is_string()) return std::nullopt;
  routing::Endpoint endpoint;
  endpoint.address = addresses.front().get<std::string>();
  endpoint.pod = text_of(member(json, "targetRef"), "name");
  if (endpoint.pod.empty()) endpoint.pod = endpoint.address;
  endpoint.port = port;
  endpoint.zone = text_of(json, "zone");
  endpoint.terminating = condition(json, "terminating", false);
  const bool ready = condition(json, "ready", true);
  endpoint.serving = condition(json, "serving", ready);
  endpoint.ready = ready && !endpoint.terminating;
  return endpoint;
}

}  // namespace

Result<EndpointSlice> decode_endpoint_slice(std::string_view json) {
  const auto parsed = fleet::parse_json(json, fleet::kMaxObjectBytes);
  if (!parsed) return fail(parsed.error().context("EndpointSlice"));
  const Json& metadata = member(*parsed, "metadata");
  EndpointSlice slice;
  slice.namespace_ = text_of(metadata, "namespace");
  slice.name = text_of(metadata, "name");
  slice.uid = text_of(metadata, "uid");
  slice.resource_version = text_of(metadata, "resourceVersion");
  slice.server = text_of(member(metadata, "labels"), kServiceNameLabel);
  if (slice.name.empty() || slice.namespace_.empty())
    return fail(ErrorKind::Malformed, "EndpointSlice: metadata.name and namespace are required");
  const auto port = port_of(*parsed);
  const auto type = text_of(*parsed, "addressType");
  if (!port || (type != "IPv4" && type != "IPv6")) return slice;
  for (const Json& item : list_of(*parsed, "endpoints"))
    if (auto endpoint = endpoint_of(item, *port)) slice.endpoints.push_back(std::move(*endpoint));
  return slice;
}

}  // namespace mcpfleet::gateway
