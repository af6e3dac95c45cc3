#include "fleet/decode.h"

#include <algorithm>

#include "fleet/decode_parts.h"
#include "fleet/reader.h"

namespace mcpfleet::fleet {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

// Children carry the name with a suffix, pods another eleven characters; a label value ends at 63.
constexpr std::size_t kMaxNameLength = 52;

bool is_dns_1035(const std::string& name) {
  const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return !name.empty() && letter(name.front()) && name.back() != '-' &&
         std::ranges::all_of(name, [&](char c) { return letter(c) || digit(c) || c == '-'; });
}

bool has_space(const std::string& text) {
  return text.find_first_of(" \t\r\n\f\v") != std::string::npos;
}

ContainerImage decode_image(const Field& field) {
  if (!field.object()) field.refuse("is required with source.type ContainerImage");
  ContainerImage image;
  const Field ref = field["ref"];
  if (!ref.present()) ref.refuse("is required");
  image.ref = ref.text("", 1, 512);
  if (has_space(image.ref)) ref.refuse("must be an image reference without spaces");
  image.pull_policy = field["pullPolicy"].one_of("", {"Always", "IfNotPresent", "Never"});
  for (const Field& secret : field["imagePullSecrets"].items(16)) {
    if (!secret["name"].present()) secret["name"].refuse("is required");
    image.image_pull_secrets.push_back(secret["name"].text("", 1, 253));
  }
  return image;
}

WorkloadRef decode_workload_ref(const Field& field) {
  if (!field.object()) field.refuse("is required with source.type WorkloadRef");
  field["apiVersion"].one_of("apps/v1", {"apps/v1"});
  for (const char* key : {"kind", "name"})
    if (!field[key].present()) field[key].refuse("is required");
  return {field["kind"].one_of("Deployment", {"Deployment", "StatefulSet"}),
          field["name"].text("", 1, 253)};
}

void decode_source(const Field& source, MCPServer& server) {
  if (!source.object()) source.refuse("is required");
  const bool workload =
      source["type"].one_of("ContainerImage", {"ContainerImage", "WorkloadRef"}) == "WorkloadRef";
  const char* unused = workload ? "containerImage" : "workloadRef";
  if (source[unused].present())
    source[unused].refuse(std::string("has no effect with source.type ") +
                          (workload ? "WorkloadRef" : "ContainerImage"));
  if (workload)
    server.workload_ref = decode_workload_ref(source["workloadRef"]);
  else
    server.image = decode_image(source["containerImage"]);
}

TransportType decode_transport_type(const Field& field) {
  if (!field.present()) field.refuse("is required");
  const auto type = field.one_of("streamable-http", {"stdio", "streamable-http", "sse"});
  if (type == "stdio") return TransportType::Stdio;
  return type == "sse" ? TransportType::Sse : TransportType::StreamableHttp;
}

SseTransport decode_sse(const Field& field) {
  SseTransport sse;
  field.object();
  sse.path = decode_url_path(field["path"], sse.path);
  sse.shared = field["mode"].one_of("perSession", {"perSession", "shared"}) == "shared";
  sse.max_connections = field["maxConnections"].integer(1000, 1, 100'000);
  sse.hang_timeout = field["hangTimeout"].duration(std::chrono::minutes(5), seconds(0), hours(24));
  return sse;
}

Transport decode_transport(const Field& field) {
  Transport transport;
  if (!field.object()) return transport;
  transport.type = decode_transport_type(field["type"]);
  for (const Field& origin : field["allowedOrigins"].items(64)) {
    transport.allowed_origins.push_back(origin.text("", 1, 253));
    if (transport.allowed_origins.back().find_first_of(", \t\n") != std::string::npos)
      origin.refuse("must be one origin, such as https://app.example.com");
  }
  const Field stdio = field["stdio"];
  stdio.object();
  const auto mode = stdio["mode"].one_of("perSession", {"perSession", "shared", "pooled"});
  if (mode == "shared") transport.mode = StdioMode::Shared;
  if (mode == "pooled") transport.mode = StdioMode::Pooled;
  transport.max_processes = stdio["maxProcesses"].integer(100, 1, 10'000);
  transport.pool_size = stdio["poolSize"].integer(2, 1, 10'000);
  transport.hang_timeout =
      stdio["hangTimeout"].duration(std::chrono::minutes(5), seconds(0), hours(24));
  transport.max_process_memory = stdio["maxProcessMemory"].quantity_milli().value_or(0) / 1000;
  transport.sse = decode_sse(field["sse"]);
  return transport;
}

Sessions decode_sessions(const Field& field) {
  field.object();
  return {field["drainTimeout"].duration(seconds(30), seconds(0), hours(1)),
          field["idleTimeout"].duration(seconds(1800), seconds(1), hours(24)),
          field["maxPerReplica"].present() ? field["maxPerReplica"].integer(1, 1, 1'000'000) : 0};
}

Labels decode_labels(const Json& metadata) {
  Labels labels;
  if (const Json& given = member(metadata, "labels"); given.is_object())
    for (const auto& [name, value] : given.items())
      if (value.is_string()) labels.emplace(name, value.get<std::string>());
  return labels;
}

// The pods of a workloadRef are somebody else's: what would change them must not seem to work.
void refuse_ineffective(const Field& spec, const MCPServer& server) {
  constexpr const char* kWhy =
      "has no effect with source.type WorkloadRef, for the workload's pods are somebody else's";
  if (!(server.transport == Transport{})) spec["transport"].refuse(kWhy);
  if (!(server.config == ServerConfig{})) spec["config"].refuse(kWhy);
  if (!(server.runtime == Runtime{}))
    spec["runtime"].refuse(
        "has no effect with source.type WorkloadRef: scale the workload itself, or set "
        "spec.autoscaling");
  if (!(server.sessions == Sessions{})) spec["sessions"].refuse(kWhy);
  for (const char* key : {"disruption", "network", "proxy"})
    if (spec[key].present()) spec[key].refuse(kWhy);
}

void decode_spec(const Field& spec, MCPServer& server) {
  if (!spec.object()) spec.refuse("is required");
  decode_source(spec["source"], server);
  server.transport = decode_transport(spec["transport"]);
  server.config = decode_config(spec["config"]);
  server.runtime = decode_runtime(spec["runtime"]);
  server.sessions = decode_sessions(spec["sessions"]);
  server.disruption = decode_disruption(spec["disruption"]);
  server.network = decode_network(spec["network"]);
  server.proxy = decode_proxy(spec["proxy"]);
  server.autoscaling = decode_autoscaling(spec["autoscaling"]);
  if (server.transport.type == TransportType::Stdio && server.config.command.empty())
    spec["config"]["command"].refuse(
        "is required with transport stdio: the sidecar starts the server in the image's place, and "
        "an image's ENTRYPOINT cannot be seen from outside");
  if (server.workload_ref) refuse_ineffective(spec, server);
}

// Metadata and status; `spec` too where wanted.
Result<MCPServer> decode_object(std::string_view text, bool with_spec) {
  const auto parsed = parse_json(text, kMaxObjectBytes);
  if (!parsed) return fail(parsed.error().context("cannot read the MCPServer"));
  std::optional<Error> error;
  const Field root(*parsed, "", error);
  MCPServer server;
  decode_metadata(root["metadata"], server);
  server.labels = decode_labels(root["metadata"].value());
  if (with_spec) check_name(root["metadata"]["name"], server.name);
  if (with_spec) decode_spec(root["spec"], server);
  const Json& status = member(*parsed, "status");
  if (status.is_object()) server.status = decode_status(to_text(status));
  if (error) return fail(*error);
  return server;
}

}  // namespace

void check_name(const Field& field, const std::string& name) {
  if (!is_dns_1035(name) || name.size() > kMaxNameLength)
    field.refuse(
        "must be lower-case letters, digits and \"-\", starting with a letter (DNS-1035), of at "
        "most 52 characters");
}

bool is_dns_label(const std::string& name) {
  const auto alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !name.empty() && alphanumeric(name.front()) && alphanumeric(name.back()) &&
         std::ranges::all_of(name, [&](char c) { return alphanumeric(c) || c == '-'; });
}

Result<MCPServer> decode(std::string_view json) { return decode_object(json, true); }

Result<MCPServer> decode_identity(std::string_view json) { return decode_object(json, false); }

std::string key(const MCPServer& server) { return server.namespace_ + "/" + server.name; }

}  // namespace mcpfleet::fleet
