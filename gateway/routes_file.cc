#include "gateway/routes_file.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>
#include <thread>
#include <vector>

#include "fleet/decode.h"
#include "kube/paths.h"
#include "log/log.h"
#include "manifest/manifest.h"

namespace mcpfleet::gateway {
namespace {

constexpr std::chrono::milliseconds kLook{250};
constexpr std::string_view kSliceKind = "EndpointSlice";

// By what a file that changed is told from before.
struct Version {
  dev_t device = 0;
  ino_t node = 0;
  off_t size = 0;
  timespec changed{};

  bool operator==(const Version& other) const {
    return device == other.device && node == other.node && size == other.size &&
           changed.tv_sec == other.changed.tv_sec && changed.tv_nsec == other.changed.tv_nsec;
  }
};

Version version_of(const std::string& path) {
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0) return {};
  return {found.st_dev, found.st_ino, found.st_size, found.st_mtim};
}

struct Routes {
  std::shared_ptr<const fleet::MCPGateway> gateway;
  std::vector<std::shared_ptr<const fleet::MCPServer>> servers;
  std::vector<EndpointSlice> slices;
};

Result<void> add(const manifest::Object& object, Routes& routes) {
  if (object.kind == fleet::kGatewayKind) {
    auto gateway = fleet::decode_gateway(object.json);
    if (!gateway) return fail(gateway.error());
    routes.gateway = std::make_shared<const fleet::MCPGateway>(std::move(*gateway));
  } else if (object.kind == fleet::kKind) {
    auto server = fleet::decode(object.json);
    if (!server) return fail(server.error());
    routes.servers.push_back(std::make_shared<const fleet::MCPServer>(std::move(*server)));
  } else if (object.kind == kSliceKind) {
    auto slice = decode_endpoint_slice(object.json);
    if (!slice) return fail(slice.error());
    routes.slices.push_back(std::move(*slice));
  }
  return {};
}

Result<Routes> read_routes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorKind::NotFound, "cannot read " + path + ": " + std::strerror(errno));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto objects = manifest::read_objects(text, path, kMaxRoutesBytes);
  if (!objects) return fail(objects.error());
  Routes routes;
  for (const auto& object : *objects)
    if (auto added = add(object, routes); !added) return fail(added.error().context(path));
  return routes;
}

class Impl final : public RoutesFile {
 public:
  Impl(std::string path, proxy::RouteSink& sink, bool for_gateway)
      : path_(std::move(path)), sink_(sink), feed_(sink, for_gateway) {}
  ~Impl() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  void begin(const Routes& routes, const Version& version) {
    seen_ = version;
    take(routes);
    thread_ = std::thread([this] { watch(); });
  }

 private:
  void watch() {
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, kLook, [this] { return stopping_; })) {
      const auto version = version_of(path_);
      if (version == seen_) continue;
      seen_ = version;
      reload();
    }
  }

  void reload() {
    const auto routes = read_routes(path_);
    if (routes) return take(*routes);
    log::warn("the routes stay as they are", {{"reason", routes.error().message}});
    sink_.set_source({true, routes.error().message});
  }

  void take(const Routes& routes) {
    feed_.set_gateway(routes.gateway);
    std::set<std::string> servers;
    for (const auto& server : routes.servers) {
      servers.insert(fleet::key(*server));
      feed_.set_server(server);
    }
    std::set<std::string> slices;
    for (const auto& slice : routes.slices) {
      slices.insert(kube::make_key(slice.namespace_, slice.name));
      feed_.set_slice(slice);
    }
    for (const auto& key : servers_)
      if (!servers.contains(key)) feed_.remove_server(key);
    for (const auto& key : slices_)
      if (!slices.contains(key)) feed_.remove_slice(key);
    servers_ = std::move(servers);
    slices_ = std::move(slices);
    log::info("routes read", {{"file", path_}, {"servers", servers_.size()}});
    sink_.set_source({true, {}});
  }

  const std::string path_;
  proxy::RouteSink& sink_;
  // Used by one thread at a time: first by who begins, then by thread_.
  RouteFeed feed_;
  Version seen_;
  std::set<std::string> servers_;
  std::set<std::string> slices_;
  // Protected by mutex_.
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<RoutesFile>> RoutesFile::start(std::string path, proxy::RouteSink& sink) {
  const auto version = version_of(path);
  const auto routes = read_routes(path);
  if (!routes) return fail(routes.error());
  auto file = std::make_unique<Impl>(std::move(path), sink, routes->gateway != nullptr);
  file->begin(*routes, version);
  return file;
}

}  // namespace mcpfleet::gateway
