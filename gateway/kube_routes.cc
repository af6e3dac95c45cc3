#include "gateway/kube_routes.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "desired/desired.h"
#include "fleet/decode.h"
#include "gateway/route_feed.h"
#include "kube/reflector.h"
#include "kube/store.h"
#include "log/log.h"

namespace mcpfleet::gateway {
namespace {

// How often is looked whether the watches are well; events do not wait for it.
constexpr std::chrono::milliseconds kLook{200};

void rejected(const Error& error) {
  log::warn("an object of the API server cannot be read", {{"error", error.message}});
}

class Impl final : public KubeRoutes {
 public:
  Impl(kube::Client& client, KubeRoutesOptions options, proxy::RouteSink& sink)
      : client_(client),
        options_(std::move(options)),
        sink_(sink),
        feed_(sink, options_.gateway.has_value()),
        gateways_(
            fleet::decode_gateway, [this](const std::string& key) { gateway_changed(key); },
            rejected),
        servers_(
            fleet::decode, [this](const std::string& key) { server_changed(key); }, rejected),
        slices_(
            decode_endpoint_slice, [this](const std::string& key) { slice_changed(key); },
            rejected) {
    if (options_.gateway) {
      watch_gateway();
    } else {
      watch_servers(options_.namespaces);
    }
    thread_ = std::thread([this] { run(); });
  }

  ~Impl() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }

 private:
  void watch_gateway() {
    auto collection = kube::in_namespace(
        {.path = kube::collection_path(fleet::kApiVersion, "", fleet::kGatewayPlural)},
        options_.gateway->namespace_);
    collection.field_selector = "metadata.name=" + options_.gateway->name;
    gateway_watch_ = kube::Reflector::start(client_, std::move(collection),
                                            gateways_.scope(options_.gateway->namespace_));
  }

  void watch_servers(const std::vector<std::string>& namespaces) {
    const kube::Collection servers{
        .path = kube::collection_path(fleet::kApiVersion, "", fleet::kPlural)};
    const kube::Collection slices{
        .path = kube::collection_path("discovery.k8s.io/v1", "", "endpointslices"),
        .label_selector = desired::kServerLabel};
    // Each slice of a server that is not known yet waits for it, so the order does not matter.
    kube::watch(client_, servers, namespaces, servers_, watches_);
    kube::watch(client_, slices, namespaces, slices_, watches_);
  }

  void gateway_changed(const std::string& key) {
    auto gateway = gateways_.get(key);
    if (gateway == nullptr) return;
    {
      const std::lock_guard lock(mutex_);
      from_ = gateway->namespaces_from;
    }
    feed_.set_gateway(std::move(gateway));
    wake_.notify_all();
  }
  void server_changed(const std::string& key) {
    auto server = servers_.get(key);
    if (server != nullptr) {
      feed_.set_server(std::move(server));
    } else {
      feed_.remove_server(key);
    }
  }
  void slice_changed(const std::string& key) {
    const auto slice = slices_.get(key);
    if (slice != nullptr) {
      feed_.set_slice(*slice);
    } else {
      feed_.remove_slice(key);
    }
  }

  void run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      const auto wanted = from_;
      lock.unlock();
      if (wanted && wanted != watched_) follow(*wanted);
      report();
      lock.lock();
      wake_.wait_for(lock, kLook, [this, &wanted] { return stopping_ || from_ != wanted; });
    }
  }

  // Watches the namespaces that the gateway serves. What was watched and is not any more stays in
  // the stores, but the gateway does not serve it.
  void follow(fleet::NamespacesFrom from) {
    watches_.clear();
    watch_servers(from == fleet::NamespacesFrom::All ? std::vector<std::string>{}
                                                     : std::vector{options_.gateway->namespace_});
    watched_ = from;
  }

  void report() {
    complete_ = complete_ || kube::synced(watches_);
    proxy::SourceState state{complete_, {}};
    const auto note = [&state](const kube::Reflector& watch) {
      if (state.problem.empty()) state.problem = watch.last_error();
    };
    if (gateway_watch_) note(*gateway_watch_);
    for (const auto& watch : watches_) note(*watch);
    if (state.problem.empty() && gateway_watch_ && gateway_watch_->synced() && !watched_)
      state.problem =
          "there is no MCPGateway " + options_.gateway->namespace_ + "/" + options_.gateway->name;
    if (state == told_) return;
    sink_.set_source(state);
    told_ = std::move(state);
  }

  // Constant after construction.
  kube::Client& client_;
  const KubeRoutesOptions options_;
  proxy::RouteSink& sink_;
  // Safe from any thread.
  RouteFeed feed_;
  kube::Store<fleet::MCPGateway> gateways_;
  kube::Store<fleet::MCPServer> servers_;
  kube::Store<EndpointSlice> slices_;
  // Protected by mutex_.
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::optional<fleet::NamespacesFrom> from_;  // as the gateway says
  // Used by thread_ only, once it runs. They call what is above from their threads.
  std::unique_ptr<kube::Reflector> gateway_watch_;
  kube::Reflectors watches_;
  std::optional<fleet::NamespacesFrom> watched_;
  bool complete_ = false;
  proxy::SourceState told_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<KubeRoutes> KubeRoutes::start(kube::Client& client, KubeRoutesOptions options,
                                              proxy::RouteSink& sink) {
  return std::make_unique<Impl>(client, std::move(options), sink);
}

}  // namespace mcpfleet::gateway
