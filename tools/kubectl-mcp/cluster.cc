#include "tools/kubectl-mcp/cluster.h"

#include <filesystem>
#include <system_error>

#include "kube/config.h"

namespace mcpfleet::kubectl {
namespace {

// A person waits for the answer.
constexpr std::chrono::seconds kTimeout{10};

// A kubeconfig's user may need a program for its credentials; kubectl itself can run it for us.
std::string with_way_out(std::string sentence) {
  const bool program = sentence.find("\"exec\" is not supported") != std::string::npos ||
                       sentence.find("\"auth-provider\" is not supported") != std::string::npos;
  if (program) {
    sentence += "; or run \"kubectl proxy --port=8001\" and give --server http://127.0.0.1:8001";
  }
  return sentence;
}

Result<kube::Config> find_config(const ClusterOptions& options,
                                 const std::function<std::string(const char*)>& environment) {
  if (options.server.empty()) {
    auto config =
        kube::load_config(find_kubeconfig(options.kubeconfig, environment), options.context);
    if (!config) return fail(config.error().kind, with_way_out(config.error().message));
    return config;
  }
  auto url = http::parse_url(options.server);
  if (!url) return fail(url.error().context("--server"));
  kube::Config config;
  config.server = std::move(*url);
  return config;
}

}  // namespace

std::string find_kubeconfig(const std::string& given,
                            const std::function<std::string(const char*)>& environment) {
  if (!given.empty()) return given;
  if (auto files = environment("KUBECONFIG"); !files.empty()) return files;
  const std::string home = environment("HOME");
  if (home.empty()) return {};
  const auto usual = std::filesystem::path(home) / ".kube" / "config";
  std::error_code none;
  return std::filesystem::exists(usual, none) ? usual.string() : "";
}

Result<Cluster> open_cluster(const ClusterOptions& options,
                             const std::function<std::string(const char*)>& environment) {
  auto config = find_config(options, environment);
  if (!config) return fail(config.error());
  auto client = kube::Client::create(
      *config, {.user_agent = "kubectl-mcp/" MCPFLEET_VERSION, .timeout = kTimeout});
  if (!client) return fail(client.error());
  std::string namespace_ = options.namespace_;
  if (namespace_.empty()) namespace_ = config->namespace_;
  if (namespace_.empty()) namespace_ = "default";
  return Cluster{std::move(*client), std::move(namespace_)};
}

std::string server_words(const Error& error) {
  for (const char* verb : {"get /", "list /", "watch /"}) {
    const auto end = error.message.starts_with(verb) ? error.message.find(": ") : std::string::npos;
    if (end != std::string::npos) return error.message.substr(end + 2);
  }
  return error.message;
}

std::string kubectl_words(const Error& error) {
  const std::string said = server_words(error);
  switch (error.kind) {
    case ErrorKind::NotFound:
      if (said == "the server could not find the requested resource" ||
          said.starts_with("HTTP status 404")) {
        return "error: this cluster has no MCPServers: the CustomResourceDefinitions of mcpfleet "
               "are not installed";
      }
      return "Error from server (NotFound): " + said;
    case ErrorKind::Forbidden:
      return "Error from server (Forbidden): " + said;
    case ErrorKind::Unauthorized:
      return "error: You must be logged in to the server (" + said + ")";
    case ErrorKind::Timeout:
    case ErrorKind::Unavailable:
      return "Unable to connect to the server: " + said;
    case ErrorKind::AlreadyExists:
    case ErrorKind::Conflict:
    case ErrorKind::Gone:
    case ErrorKind::Invalid:
    case ErrorKind::TooMany:
    case ErrorKind::Malformed:
    case ErrorKind::TooLarge:
    case ErrorKind::Internal:
      break;
  }
  return "error: " + said;
}

}  // namespace mcpfleet::kubectl
