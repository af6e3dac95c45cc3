#include "kube/config.h"

#include <yaml-cpp/yaml.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/base64.h"

namespace mcpfleet::kube {
namespace {

constexpr const char* kServiceAccountDirectory = "/var/run/secrets/kubernetes.io/serviceaccount";

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Result<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  if (in) text << in.rdbuf();
  if (!in) return fail(ErrorKind::Invalid, "cannot read the file " + path);
  return text.str();
}

Result<std::string> decode_base64(std::string text, const std::string& field) {
  std::erase_if(text, [](char c) { return c == '\n' || c == '\r' || c == ' '; });
  auto bytes = from_base64(text);
  if (!bytes) return fail(ErrorKind::Invalid, field + " is not base64");
  return bytes;
}

std::string text_of(const YAML::Node& node, const char* field) {
  const YAML::Node value = node[field];
  return value && value.IsScalar() ? value.as<std::string>() : "";
}

// The entry `name` of a list such as clusters: [{name, cluster: {...}}], as its inner mapping.
Result<YAML::Node> named(const YAML::Node& root, const char* list, const char* inner,
                         const std::string& name) {
  const YAML::Node entries = root[list];
  if (entries && entries.IsSequence()) {
    for (const auto& entry : entries) {
      if (entry.IsMap() && text_of(entry, "name") == name && entry[inner] && entry[inner].IsMap()) {
        return entry[inner];
      }
    }
  }
  return fail(ErrorKind::Invalid, std::string(list) + " has no entry named \"" + name + "\"");
}

// The bytes of `field`-data (base64), else of the file that `field` names, else empty.
Result<std::string> data_or_file(const YAML::Node& node, const std::string& field,
                                 const std::string& directory) {
  const std::string data = text_of(node, (field + "-data").c_str());
  if (!data.empty()) return decode_base64(data, field + "-data");
  const std::string file = text_of(node, field.c_str());
  if (file.empty()) return std::string();
  auto text = read_file((std::filesystem::path(directory) / file).string());
  if (!text) return fail(text.error().context(field));
  return text;
}

Result<void> read_cluster(const YAML::Node& cluster, const std::string& directory, Config& config) {
  const std::string server = text_of(cluster, "server");
  if (server.empty()) return fail(ErrorKind::Invalid, "the cluster has no server");
  auto url = http::parse_url(server);
  if (!url) return fail(url.error().context("server"));
  config.server = std::move(*url);
  auto ca = data_or_file(cluster, "certificate-authority", directory);
  if (!ca) return fail(ca.error());
  config.tls.ca_pem = std::move(*ca);
  config.tls.server_name = text_of(cluster, "tls-server-name");
  config.tls.insecure_skip_verify = text_of(cluster, "insecure-skip-tls-verify") == "true";
  return {};
}

Result<void> read_user(const YAML::Node& user, const std::string& directory, Config& config) {
  for (const char* refused : {"exec", "auth-provider", "username"}) {
    if (user[refused]) {
      return fail(ErrorKind::Invalid,
                  std::string("the user's \"") + refused +
                      "\" is not supported; use a client certificate, a token or a tokenFile");
    }
  }
  auto certificate = data_or_file(user, "client-certificate", directory);
  if (!certificate) return fail(certificate.error());
  auto key = data_or_file(user, "client-key", directory);
  if (!key) return fail(key.error());
  config.tls.client_certificate_pem = std::move(*certificate);
  config.tls.client_key_pem = std::move(*key);
  config.token = text_of(user, "token");
  const std::string token_file = text_of(user, "tokenFile");
  if (!token_file.empty()) {
    config.token_file = (std::filesystem::path(directory) / token_file).string();
  }
  return {};
}

Result<Config> from_yaml(const YAML::Node& root, const std::string& directory) {
  if (!root.IsMap()) return fail(ErrorKind::Invalid, "it is not a mapping");
  const std::string context_name = text_of(root, "current-context");
  if (context_name.empty()) return fail(ErrorKind::Invalid, "current-context is not set");
  auto context = named(root, "contexts", "context", context_name);
  if (!context) return fail(context.error());
  auto cluster = named(root, "clusters", "cluster", text_of(*context, "cluster"));
  if (!cluster) return fail(cluster.error());
  auto user = named(root, "users", "user", text_of(*context, "user"));
  if (!user) return fail(user.error());
  Config config;
  config.namespace_ = text_of(*context, "namespace");
  if (auto read = read_cluster(*cluster, directory, config); !read) return fail(read.error());
  if (auto read = read_user(*user, directory, config); !read) return fail(read.error());
  return config;
}

}  // namespace

Result<Config> parse_kubeconfig(std::string_view yaml, const std::string& directory) {
  try {
    return from_yaml(YAML::Load(std::string(yaml)), directory);
  } catch (const YAML::Exception& e) {
    return fail(ErrorKind::Invalid, std::string("it is not YAML: ") + e.what());
  }
}

Result<Config> in_cluster_config(const std::string& host, const std::string& port,
                                 const std::string& directory) {
  const bool v6 = host.find(':') != std::string::npos;
  auto url = http::parse_url("https://" + (v6 ? "[" + host + "]" : host) + ":" + port);
  if (!url) return fail(url.error().context("KUBERNETES_SERVICE_HOST and _PORT"));
  auto ca = read_file(directory + "/ca.crt");
  if (!ca) return fail(ca.error());
  Config config;
  config.server = std::move(*url);
  config.tls.ca_pem = std::move(*ca);
  config.token_file = directory + "/token";
  config.namespace_ = read_file(directory + "/namespace").value_or("");
  return config;
}

Result<Config> load_config(const std::string& kubeconfig) {
  std::string path = kubeconfig;
  if (path.empty()) {
    const std::string host = environment("KUBERNETES_SERVICE_HOST");
    if (!host.empty() &&
        std::filesystem::exists(std::string(kServiceAccountDirectory) + "/token")) {
      return in_cluster_config(host, environment("KUBERNETES_SERVICE_PORT"),
                               kServiceAccountDirectory);
    }
    path = environment("KUBECONFIG");
  }
  if (path.empty()) {
    return fail(ErrorKind::Invalid,
                "no cluster to talk to: give --kubeconfig, set KUBECONFIG, or run in a pod with a "
                "service account");
  }
  auto text = read_file(path);
  if (!text) return fail(text.error());
  auto config = parse_kubeconfig(*text, std::filesystem::path(path).parent_path().string());
  if (!config) return fail(config.error().context("kubeconfig " + path));
  return config;
}

}  // namespace mcpfleet::kube
