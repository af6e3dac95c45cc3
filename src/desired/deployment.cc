#include <algorithm>
#include <array>
#include <chrono>

#include "base/time_text.h"
#include "desired/container.h"
#include "desired/parts.h"
#include "fleet/decode.h"

namespace mcpfleet::desired {
namespace {

constexpr const char* kSharedDir = "/mcpfleet";
constexpr const char* kSharedBinary = "/mcpfleet/mcp-sidecar";
constexpr const char* kDrainSocket = "/mcpfleet/drain.sock";
constexpr const char* kSessionDir = "/etc/mcpfleet/session";
constexpr std::array kSidecarVariables{"POD_NAME", "POD_NAMESPACE", "POD_IP", "MCPFLEET_SERVER"};
// Between the end of the drain and SIGKILL: the server's own stop, and the kubelet's work.
constexpr std::chrono::seconds kGraceAfterDrain{15};

bool is_stdio(const fleet::MCPServer& server) {
  return server.transport.type == fleet::TransportType::Stdio;
}

// What the sidecar must know of itself.
Json sidecar_env(const fleet::MCPServer& server) {
  return Json::array({env_from_field(kSidecarVariables[0], "metadata.name"),
                      env_from_field(kSidecarVariables[1], "metadata.namespace"),
                      env_from_field(kSidecarVariables[2], "status.podIP"),
                      {{"name", kSidecarVariables[3]}, {"value", server.name}}});
}

// From the sidecar image.
Json sidecar_container(const Context& context, const char* name, Json command) {
  Json container =
      own_container(context.sidecar_image, context.sidecar_pull_policy, name, std::move(command));
  container["resources"] = {{"requests", {{"cpu", "10m"}, {"memory", "16Mi"}}}};
  return container;
}

Json install_container(const Context& context) {
  Json container =
      sidecar_container(context, kInstallContainer, {"/mcp-sidecar", "install", kSharedBinary});
  container["volumeMounts"] = Json::array({volume_mount(kSharedVolume, kSharedDir, false)});
  return container;
}

// Adds what the container that runs the sidecar has in both forms: ports, readiness, the key.
void add_serving(Json& container) {
  container["ports"] = Json::array({container_port(kMcpPortName, fleet::kMcpPort),
                                    container_port(kMetricsPortName, fleet::kMetricsPort)});
  container["readinessProbe"] = ready_probe();
  container["volumeMounts"] = Json::array({volume_mount(kSharedVolume, kSharedDir, false),
                                           volume_mount(kSessionKeyVolume, kSessionDir, true)});
}

// `serve` and the flags that follow from the spec; the others have their defaults.
Json serve(const fleet::MCPServer& server, const char* binary) {
  return Json::array({binary, "serve", "--path", server.config.path, "--idle-timeout",
                      format_duration(server.sessions.idle_timeout), "--drain-timeout",
                      format_duration(server.sessions.drain_timeout)});
}

void add(Json& command, const char* flag, std::string value) {
  command.push_back(flag);
  command.push_back(std::move(value));
}

// Only what is not the sidecar's own default: a flag more would restart the pods of those that want
// nothing.
void add_origins(const fleet::MCPServer& server, Json& command) {
  std::string list;
  for (const auto& origin : server.transport.allowed_origins)
    list.append(list.empty() ? "" : ",").append(origin);
  if (list.empty()) return;
  add(command, "--allowed-origins", list);
}

void add_stdio_flags(const fleet::MCPServer& server, Json& command) {
  const auto& transport = server.transport;
  const fleet::Transport standard;
  if (transport.mode == fleet::StdioMode::Shared) add(command, "--stdio-mode", "shared");
  if (transport.mode == fleet::StdioMode::Pooled) add(command, "--stdio-mode", "pooled");
  if (transport.pool_size != standard.pool_size)
    add(command, "--pool-size", std::to_string(transport.pool_size));
  if (transport.hang_timeout != standard.hang_timeout)
    add(command, "--hang-timeout", format_duration(transport.hang_timeout));
  if (transport.max_process_memory != 0)
    add(command, "--max-process-memory", std::to_string(transport.max_process_memory));
}

void add_upstream(const fleet::MCPServer& server, Json& command) {
  const auto& sse = server.transport.sse;
  const fleet::SseTransport standard;
  const auto address = "http://127.0.0.1:" + std::to_string(server.config.port);
  if (server.transport.type != fleet::TransportType::Sse) {
    add(command, "--upstream", address);
    return;
  }
  if (sse.shared) add(command, "--sse-mode", "shared");
  if (sse.max_connections != standard.max_connections)
    add(command, "--max-connections", std::to_string(sse.max_connections));
  if (sse.hang_timeout != standard.hang_timeout)
    add(command, "--hang-timeout", format_duration(sse.hang_timeout));
  add(command, "--sse-upstream", address + sse.path);
}

Json native_sidecar(const fleet::MCPServer& server, const Context& context) {
  Json command = serve(server, "/mcp-sidecar");
  add_origins(server, command);
  add_upstream(server, command);
  Json container = sidecar_container(context, kSidecarContainer, std::move(command));
  container["restartPolicy"] = "Always";
  container["env"] = sidecar_env(server);
  add_serving(container);
  return container;
}

Json stdio_command(const fleet::MCPServer& server) {
  Json command = serve(server, kSharedBinary);
  command.push_back("--max-processes");
  command.push_back(std::to_string(server.transport.max_processes));
  add_stdio_flags(server, command);
  add_origins(server, command);
  command.push_back("--stdio");
  command.push_back("--");
  for (const auto& part : server.config.command) command.push_back(part);
  for (const auto& part : server.config.arguments) command.push_back(part);
  return command;
}

// The user's variables behind ours. A name may be there once; ours tell the sidecar who it is.
Json stdio_env(const fleet::MCPServer& server, Json users, std::vector<std::string>& notes) {
  Json env = sidecar_env(server);
  for (Json& variable : users) {
    const std::string name = fleet::text_of(variable, "name");
    if (is_sidecar_variable(name))
      notes.push_back("spec.config.env: " + name +
                      " is left out, for the sidecar in the same container sets it");
    else
      env.push_back(std::move(variable));
  }
  return env;
}

Json server_container(const fleet::MCPServer& server, std::vector<std::string>& notes) {
  Json container{{"name", kServerContainer},
                 {"image", server.image.ref},
                 {"terminationMessagePolicy", "FallbackToLogsOnError"}};
  if (!server.image.pull_policy.empty()) container["imagePullPolicy"] = server.image.pull_policy;
  Json env = raw(server.config.env, Json::array());
  if (is_stdio(server)) {
    container["command"] = stdio_command(server);
    add_serving(container);
    env = stdio_env(server, std::move(env), notes);
  } else {
    if (!server.config.command.empty()) container["command"] = server.config.command;
    if (!server.config.arguments.empty()) container["args"] = server.config.arguments;
    container["volumeMounts"] = Json::array({volume_mount(kSharedVolume, kSharedDir, false)});
  }
  for (const auto& storage : server.config.storage)
    container["volumeMounts"].push_back(
        volume_mount(storage.name.c_str(), storage.mount_path.c_str(), storage.read_only));
  if (!env.empty()) container["env"] = std::move(env);
  Json env_from = raw(server.config.env_from, Json::array());
  if (!env_from.empty()) container["envFrom"] = std::move(env_from);
  if (!server.runtime.resources.empty())
    container["resources"] = raw(server.runtime.resources, Json::object());
  // A native sidecar outlives the server container, so the drain must hold this one back.
  container["lifecycle"]["preStop"]["exec"]["command"] =
      Json::array({kSharedBinary, "drain", "--socket", kDrainSocket, "--timeout",
                   format_duration(server.sessions.drain_timeout)});
  return container;
}

// A Secret or ConfigMap as a volume; `name_key` is where its name goes.
Json projection(const fleet::Storage& storage, const char* name_key) {
  Json source{{name_key, storage.object}};
  if (storage.optional) source["optional"] = true;
  if (!storage.items.empty()) source["items"] = raw(storage.items, Json::array());
  return source;
}

Json storage_volume(const fleet::Storage& storage) {
  switch (storage.kind) {
    case fleet::StorageKind::Secret:
      return {{"name", storage.name}, {"secret", projection(storage, "secretName")}};
    case fleet::StorageKind::ConfigMap:
      return {{"name", storage.name}, {"configMap", projection(storage, "name")}};
    case fleet::StorageKind::PersistentVolumeClaim:
      return {{"name", storage.name}, {"persistentVolumeClaim", {{"claimName", storage.object}}}};
    case fleet::StorageKind::EmptyDir:
      break;
  }
  Json source = Json::object();
  if (!storage.size_limit.empty()) source["sizeLimit"] = storage.size_limit;
  return {{"name", storage.name}, {"emptyDir", std::move(source)}};
}

Json volumes(const fleet::MCPServer& server) {
  constexpr int kReadableByAll = 0444;  // the user's image runs as any user
  Json result = Json::array(
      {{{"name", kSharedVolume}, {"emptyDir", {{"sizeLimit", "64Mi"}}}},
       {{"name", kSessionKeyVolume},
        {"secret", {{"secretName", secret_name(server)}, {"defaultMode", kReadableByAll}}}}});
  for (const auto& storage : server.config.storage) result.push_back(storage_volume(storage));
  return result;
}

Json pod_spec(const fleet::MCPServer& server, const Context& context,
              std::vector<std::string>& notes) {
  const auto drain = std::chrono::ceil<std::chrono::seconds>(server.sessions.drain_timeout);
  Json init = Json::array({install_container(context)});
  if (!is_stdio(server)) init.push_back(native_sidecar(server, context));
  Json spec{{"serviceAccountName", server.name},
            {"automountServiceAccountToken", false},
            {"enableServiceLinks", false},
            {"terminationGracePeriodSeconds", (drain + kGraceAfterDrain).count()},
            {"initContainers", std::move(init)},
            {"containers", Json::array({server_container(server, notes)})},
            {"volumes", volumes(server)}};
  for (const auto& secret : server.image.image_pull_secrets)
    spec["imagePullSecrets"].push_back({{"name", secret}});
  return spec;
}

Json pod_annotations(const Context& context) {
  Json annotations = metrics_annotations();
  if (!context.config_fingerprint.empty())
    annotations[kConfigFingerprintAnnotation] = context.config_fingerprint;
  return annotations;
}

}  // namespace

Json raw(const fleet::RawJson& text, Json fallback) {
  if (text.empty()) return fallback;
  auto parsed = fleet::parse_json(text, fleet::kMaxObjectBytes);
  return parsed ? std::move(*parsed) : fallback;
}

bool is_sidecar_variable(std::string_view name) {
  return std::ranges::find(kSidecarVariables, name) != kSidecarVariables.end();
}

Result<Json> deployment(const fleet::MCPServer& server, const Context& context,
                        std::vector<std::string>& notes) {
  auto pod_template = with_overlay(
      server,
      {{"metadata", {{"labels", labels(server)}, {"annotations", pod_annotations(context)}}},
       {"spec", pod_spec(server, context, notes)}});
  if (!pod_template) return fail(pod_template.error());
  Json metadata = child_metadata(server, server.name);
  metadata["annotations"][kRuntimeReplicasAnnotation] = std::to_string(server.runtime.replicas);
  Json spec{{"selector", {{"matchLabels", {{kServerLabel, server.name}}}}},
            {"strategy",
             {{"type", "RollingUpdate"},
              {"rollingUpdate", {{"maxUnavailable", 0}, {"maxSurge", "25%"}}}}},
            {"template", std::move(*pod_template)}};
  if (context.replicas) spec["replicas"] = *context.replicas;
  return Json{{"apiVersion", "apps/v1"},
              {"kind", "Deployment"},
              {"metadata", std::move(metadata)},
              {"spec", std::move(spec)}};
}

}  // namespace mcpfleet::desired
