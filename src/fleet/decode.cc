#include "fleet/decode.h"

#include <algorithm>

#include "fleet/decode_scaling.h"
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

bool is_url_path(const std::string& path) {
  constexpr std::string_view kPunctuation = "._~!$&'()*+,;=:@%/-";
  return path.starts_with('/') && std::ranges::all_of(path, [&](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  kPunctuation.contains(c);
         });
}

bool has_space(const std::string& text) {
  return text.find_first_of(" \t\r\n\f\v") != std::string::npos;
}

ContainerImage decode_image(const Field& source) {
  source["type"].one_of("ContainerImage", {"ContainerImage"});
  const Field field = source["containerImage"];
  if (!field.object()) field.refuse("is required");
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

Transport decode_transport(const Field& field) {
  Transport transport;
  if (!field.object()) return transport;
  if (!field["type"].present()) field["type"].refuse("is required");
  transport.type = field["type"].one_of("streamable-http", {"stdio", "streamable-http"}) == "stdio"
                       ? TransportType::Stdio
                       : TransportType::StreamableHttp;
  const Field stdio = field["stdio"];
  stdio.object();
  stdio["mode"].one_of("perSession", {"perSession"});
  transport.max_processes = stdio["maxProcesses"].integer(100, 1, 10'000);
  return transport;
}

// Kubernetes checks what is inside; here only what would make a bad Deployment in any case.
RawJson decode_env(const Field& field) {
  if (!field.present()) return {};
  for (const Field& item : field.items(256)) {
    item.object();
    if (!item["name"].present()) item["name"].refuse("is required");
    item["name"].text("", 1, 256);
    item["value"].text("", 0, 32'768);
    item["valueFrom"].object();
  }
  return to_text(field.value());
}

RawJson decode_env_from(const Field& field) {
  if (!field.present()) return {};
  for (const Field& item : field.items(64)) {
    item.object();
    item["prefix"].text("", 0, 256);
    for (const char* key : {"configMapRef", "secretRef"}) {
      if (item[key].object() && !item[key]["name"].present())
        item[key]["name"].refuse("is required");
      item[key]["name"].text("", 1, 253);
      const Field optional = item[key]["optional"];
      if (optional.present() && !optional.value().is_boolean())
        optional.refuse("must be true or false");
    }
  }
  return to_text(field.value());
}

ServerConfig decode_config(const Field& field) {
  field.object();
  ServerConfig config;
  config.port = field["port"].integer(8080, 1, 65'535);
  if (config.port == kMcpPort || config.port == kMetricsPort)
    field["port"].refuse("must not be " + std::to_string(config.port) +
                         ": 19080 and 19090 belong to the sidecar in the same pod");
  config.path = field["path"].text("/mcp", 1, 256);
  if (!is_url_path(config.path))
    field["path"].refuse("must be the path of a URL such as /mcp, without query");
  config.command = field["command"].texts(64, 4096);
  config.arguments = field["arguments"].texts(256, 4096);
  config.env = decode_env(field["env"]);
  config.env_from = decode_env_from(field["envFrom"]);
  return config;
}

// True where `resources` requests `name`; a limit alone defaults the request.
bool requests(const Field& resources, const char* name) {
  return resources["requests"][name].present() || resources["limits"][name].present();
}

Runtime decode_runtime(const Field& field) {
  field.object();
  Runtime runtime;
  runtime.replicas = field["replicas"].integer(1, 0, 1000);
  const Field resources = field["resources"];
  if (!resources.object()) return runtime;
  for (const char* part : {"requests", "limits"}) {
    if (!resources[part].object()) continue;
    if (resources[part].value().size() > 16)
      resources[part].refuse("must have at most 16 resources");
    for (const auto& [name, value] : resources[part].value().items())
      resources[part][name].quantity_milli();
  }
  runtime.resources = to_text(resources.value());
  runtime.requests_cpu = requests(resources, "cpu");
  runtime.requests_memory = requests(resources, "memory");
  return runtime;
}

Sessions decode_sessions(const Field& field) {
  field.object();
  return {field["drainTimeout"].duration(seconds(30), seconds(0), hours(1)),
          field["idleTimeout"].duration(seconds(1800), seconds(1), hours(24))};
}

void decode_metadata(const Field& metadata, MCPServer& server) {
  const Json& value = metadata.value();
  server.name = text_of(value, "name");
  server.namespace_ = text_of(value, "namespace");
  server.uid = text_of(value, "uid");
  server.generation = number_of(value, "generation");
  server.resource_version = text_of(value, "resourceVersion");
  server.deleting = member(value, "deletionTimestamp").is_string();
  if (server.name.empty()) metadata["name"].refuse("is required");
}

void decode_spec(const Field& spec, MCPServer& server) {
  if (!spec.object()) spec.refuse("is required");
  const Field source = spec["source"];
  if (!source.object()) source.refuse("is required");
  server.image = decode_image(source);
  server.transport = decode_transport(spec["transport"]);
  server.config = decode_config(spec["config"]);
  server.runtime = decode_runtime(spec["runtime"]);
  server.sessions = decode_sessions(spec["sessions"]);
  server.autoscaling = decode_autoscaling(spec["autoscaling"]);
  if (server.transport.type == TransportType::Stdio && server.config.command.empty())
    spec["config"]["command"].refuse(
        "is required with transport stdio: the sidecar starts the server in the image's place, and "
        "an image's ENTRYPOINT cannot be seen from outside");
}

// Metadata and status; `spec` too where wanted.
Result<MCPServer> decode_object(std::string_view text, bool with_spec) {
  const auto parsed = parse_json(text, kMaxObjectBytes);
  if (!parsed) return fail(parsed.error().context("cannot read the MCPServer"));
  std::optional<Error> error;
  const Field root(*parsed, "", error);
  MCPServer server;
  decode_metadata(root["metadata"], server);
  if (with_spec && (!is_dns_1035(server.name) || server.name.size() > kMaxNameLength))
    root["metadata"]["name"].refuse(
        "must be lower-case letters, digits and \"-\", starting with a letter (DNS-1035), of at "
        "most 52 characters");
  if (with_spec) decode_spec(root["spec"], server);
  const Json& status = member(*parsed, "status");
  if (status.is_object()) server.status = decode_status(to_text(status));
  if (error) return fail(*error);
  return server;
}

}  // namespace

Result<MCPServer> decode(std::string_view json) { return decode_object(json, true); }

Result<MCPServer> decode_identity(std::string_view json) { return decode_object(json, false); }

std::string key(const MCPServer& server) { return server.namespace_ + "/" + server.name; }

}  // namespace mcpfleet::fleet
