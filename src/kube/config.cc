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

// A kubeconfig, or one of those that make it up.
struct Parsed {
  std::string name;
  YAML::Node root;
};

// An inner mapping, and where its relative file names belong.
struct Entry {
  YAML::Node node;
  std::string file;
  std::string directory() const { return std::filesystem::path(file).parent_path().string(); }
};

// The first entry `name` of a list such as clusters: [{name, cluster: {...}}].
Result<Entry> named(const std::vector<Parsed>& files, const char* list, const char* inner,
                    const std::string& name) {
  for (const auto& file : files) {
    const YAML::Node entries = file.root[list];
    if (!entries || !entries.IsSequence()) continue;
    for (const auto& entry : entries) {
      if (entry.IsMap() && text_of(entry, "name") == name && entry[inner] && entry[inner].IsMap()) {
        return Entry{entry[inner], file.name};
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
  if (!text_of(cluster, "proxy-url").empty()) {
    return fail(ErrorKind::Invalid, "the cluster's \"proxy-url\" is not supported");
  }
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
  for (const char* refused : {"as", "as-uid", "as-groups", "as-user-extra"}) {
    if (user[refused]) {
      return fail(ErrorKind::Invalid, std::string("the user's \"") + refused +
                                          "\" is not supported: nobody is impersonated");
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

// The context's name: as asked for, else of the first file that has a current one.
std::string context_name(const std::vector<Parsed>& files, const std::string& asked) {
  std::string name = asked;
  for (const auto& file : files) {
    if (name.empty()) name = text_of(file.root, "current-context");
  }
  return name;
}

Result<Config> from_yaml(const std::vector<Parsed>& files, const std::string& asked) {
  const std::string name = context_name(files, asked);
  if (name.empty()) return fail(ErrorKind::Invalid, "current-context is not set");
  auto context = named(files, "contexts", "context", name);
  if (!context) return fail(context.error());
  auto cluster = named(files, "clusters", "cluster", text_of(context->node, "cluster"));
  if (!cluster) return fail(cluster.error());
  auto user = named(files, "users", "user", text_of(context->node, "user"));
  if (!user) return fail(user.error());
  Config config;
  config.namespace_ = text_of(context->node, "namespace");
  if (auto read = read_cluster(cluster->node, cluster->directory(), config); !read) {
    return fail(read.error().context(cluster->file));
  }
  if (auto read = read_user(user->node, user->directory(), config); !read) {
    return fail(read.error().context(user->file));
  }
  return config;
}

Result<Parsed> parse(const KubeconfigFile& file) {
  try {
    Parsed parsed{file.name, YAML::Load(file.yaml)};
    // An empty file says nothing, as after `kubectl config unset`.
    if (parsed.root.IsNull()) parsed.root = YAML::Node(YAML::NodeType::Map);
    if (parsed.root.IsMap()) return parsed;
    return fail(ErrorKind::Invalid, file.name + ": it is not a mapping");
  } catch (const YAML::Exception& e) {
    return fail(ErrorKind::Invalid, file.name + ": it is not YAML: " + e.what());
  }
}

// Empty where no file of the list is there. A single one has to be.
Result<std::vector<KubeconfigFile>> read_kubeconfigs(const std::string& paths) {
  std::vector<KubeconfigFile> files;
  const bool several = paths.find(':') != std::string::npos;
  std::istringstream list(paths);
  for (std::string path; std::getline(list, path, ':');) {
    if (path.empty() || (several && !std::filesystem::exists(path))) continue;
    auto text = read_file(path);
    if (!text) return fail(text.error());
    files.push_back({path, std::move(*text)});
  }
  return files;
}

}  // namespace

Result<Config> parse_kubeconfig(const std::vector<KubeconfigFile>& files,
                                const std::string& context) {
  std::vector<Parsed> parsed;
  for (const auto& file : files) {
    auto one = parse(file);
    if (!one) return fail(one.error());
    parsed.push_back(std::move(*one));
  }
  try {
    return from_yaml(parsed, context);
  } catch (const YAML::Exception& e) {
    return fail(ErrorKind::Invalid, std::string("a field has the wrong type: ") + e.what());
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

Result<Config> load_config(const std::string& kubeconfig, const std::string& context) {
  std::string paths = kubeconfig;
  if (paths.empty() && context.empty()) {
    const std::string host = environment("KUBERNETES_SERVICE_HOST");
    if (!host.empty() &&
        std::filesystem::exists(std::string(kServiceAccountDirectory) + "/token")) {
      return in_cluster_config(host, environment("KUBERNETES_SERVICE_PORT"),
                               kServiceAccountDirectory);
    }
  }
  if (paths.empty()) paths = environment("KUBECONFIG");
  if (paths.empty()) {
    return fail(ErrorKind::Invalid,
                "no cluster to talk to: give --kubeconfig, set KUBECONFIG, or run in a pod with a "
                "service account");
  }
  auto files = read_kubeconfigs(paths);
  if (!files) return fail(files.error());
  if (files->empty()) {
    return fail(ErrorKind::Invalid, "none of the kubeconfig files exists: " + paths);
  }
  auto config = parse_kubeconfig(*files, context);
  if (!config) return fail(config.error().context("kubeconfig " + paths));
  return config;
}

}  // namespace mcpfleet::kube
