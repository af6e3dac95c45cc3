#include "operator/surroundings.h"

#include <algorithm>
#include <utility>

namespace mcpfleet::op {
namespace {

// Pods are asked once a revision, so no connection is worth keeping.
const http::ClientOptions kToPods{.connect_timeout = std::chrono::milliseconds(2000),
                                  .idle_timeout = std::chrono::milliseconds(1000)};
constexpr Backoff kInquiries{std::chrono::seconds(5), std::chrono::minutes(10)};

}  // namespace

void yield_to_others(const View& view, desired::Desired& desired) {
  if (view.other_scalers.empty()) return;
  const auto autoscalers = std::ranges::stable_partition(
      desired.objects,
      [](const desired::Object& object) { return object.kind != "HorizontalPodAutoscaler"; });
  for (auto& object : autoscalers) {
    object.body.clear();
    desired.unwanted.push_back(std::move(object));
  }
  desired.objects.erase(autoscalers.begin(), autoscalers.end());
}

Result<std::unique_ptr<Surroundings>> Surroundings::create(
    kube::Client& client, const Clock& clock, WorldOptions options,
    const std::function<void(const std::string& key)>& changed) {
  auto http = http::Client::create(kToPods);
  if (!http) return fail(http.error());
  return std::unique_ptr<Surroundings>(
      new Surroundings(client, clock, std::move(options), changed, std::move(*http)));
}

Surroundings::Surroundings(kube::Client& client, const Clock& clock, WorldOptions options,
                           const std::function<void(const std::string& key)>& changed,
                           std::unique_ptr<http::Client> http)
    : http_(std::move(http)),
      config_objects_(client, std::move(options), changed),
      workloads_(client, clock),
      server_infos_(
          clock, kInquiries, [this](const Inquiry& inquiry) { return introduce(*http_, inquiry); },
          changed) {}

Result<View> Surroundings::look(const fleet::MCPServer& server) {
  View view;
  auto found = config_objects_.look(server);
  if (!found) return fail(found.error());
  view.config_digest = std::move(found->digest);
  view.missing = std::move(found->missing);
  if (!server.workload_ref) {
    workloads_.forget(fleet::key(server));
    return view;
  }
  auto seen = workloads_.look(server);
  if (!seen) return fail(seen.error());
  view.workload = std::move(seen->workload);
  view.other_scalers = std::move(seen->other_scalers);
  return view;
}

std::optional<fleet::ServerInfo> Surroundings::server_info(const fleet::MCPServer& server,
                                                           const desired::Observed& observed) {
  return server_infos_.get(fleet::key(server), inquiry_for(server, observed));
}

std::optional<Workloads::Scaled> Surroundings::scaled_workload(
    const fleet::MCPServer& server) const {
  return workloads_.scaled(fleet::key(server));
}

void Surroundings::forget(const std::string& key) {
  config_objects_.forget(key);
  workloads_.forget(key);
  server_infos_.get(key, std::nullopt);
}

}  // namespace mcpfleet::op
