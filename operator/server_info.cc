#include "operator/server_info.h"

#include "fleet/decode.h"
#include "log/log.h"
#include "mcp/headers.h"

namespace mcpfleet::op {
namespace {

using std::chrono::milliseconds;

// One that hangs must not keep the others waiting.
constexpr int kWorkers = 4;
constexpr http::CallLimits kLimits{.timeout = milliseconds(5000), .max_body_bytes = 256UL * 1024};

http::Request to_request(const mcp::Question& question, const std::string& path) {
  http::Request request;
  request.method = question.method;
  request.target = path;
  request.headers.set("User-Agent", "mcp-operator/" MCPFLEET_VERSION);
  for (const auto& [name, value] : question.headers) request.headers.set(name, value);
  request.body = question.body;
  return request;
}

mcp::HttpAnswer to_answer(http::Response response) {
  const auto header = [&](std::string_view name) {
    return std::string(response.headers.get(name).value_or(""));
  };
  return {response.status, header("Content-Type"), header(mcp::kSessionId),
          std::move(response.body)};
}

}  // namespace

std::optional<Inquiry> inquiry_for(const fleet::MCPServer& server,
                                   const desired::Observed& observed) {
  if (server.workload_ref || !observed.deployment || observed.deployment->available_replicas == 0) {
    return std::nullopt;
  }
  const desired::ObservedPod* chosen = nullptr;
  for (const auto& pod : observed.pods) {
    if (!pod.ready || pod.deleting || pod.ip.empty() || pod.template_hash.empty()) continue;
    // The middle of a rollout.
    if (chosen != nullptr && pod.template_hash != chosen->template_hash) return std::nullopt;
    if (chosen == nullptr || pod.name < chosen->name) chosen = &pod;
  }
  if (chosen == nullptr) return std::nullopt;
  const auto& known = server.status.server_info;
  if (known && known->revision == chosen->template_hash) return std::nullopt;
  return Inquiry{chosen->template_hash, {chosen->ip, fleet::kMcpPort, false}, server.config.path};
}

Result<mcp::ServerDescription> introduce(http::Client& client, const Inquiry& inquiry) {
  mcp::Introduction introduction;
  while (const auto question = introduction.question()) {
    auto response = client.call(inquiry.pod, to_request(*question, inquiry.path), kLimits);
    if (response) {
      introduction.answered(to_answer(std::move(*response)));
    } else {
      introduction.failed(response.error());
    }
  }
  return introduction.result();
}

ServerInfos::ServerInfos(const Clock& clock, Backoff backoff, Ask ask,
                         std::function<void(const std::string& key)> answered)
    : ask_(std::move(ask)),
      answered_(std::move(answered)),
      queue_(clock, backoff),
      workers_(
          queue_, clock, kWorkers, [this](const std::string& key) { return ask_for(key); },
          [](const std::string& key, const Result<kube::Next>& result, Duration) {
            if (result) return;
            log::debug("a server does not say what it is",
                       {{"server", key}, {"error", result.error().message}});
          }) {}

std::optional<fleet::ServerInfo> ServerInfos::get(const std::string& key,
                                                  const std::optional<Inquiry>& inquiry) {
  std::lock_guard lock(mutex_);
  if (!inquiry) {
    if (entries_.erase(key) > 0) queue_.forget(key);
    return std::nullopt;
  }
  auto& entry = entries_[key];
  const bool fresh = entry.inquiry.revision != inquiry->revision;
  // The pod may be another one by the next try.
  entry.inquiry = *inquiry;
  if (fresh) {
    entry.info.reset();
    queue_.forget(key);
    queue_.add(key);
  }
  return entry.info;
}

Result<kube::Next> ServerInfos::ask_for(const std::string& key) {
  Inquiry inquiry;
  {
    std::lock_guard lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end() || found->second.info) return kube::Next{};
    inquiry = found->second.inquiry;
  }
  auto said = ask_(inquiry);
  if (!said) return fail(said.error());
  {
    std::lock_guard lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end() || found->second.inquiry.revision != inquiry.revision) {
      return kube::Next{};
    }
    found->second.info = fleet::ServerInfo{std::move(said->name), std::move(said->version),
                                           std::move(said->protocol_versions),
                                           std::move(said->capabilities), inquiry.revision};
  }
  answered_(key);
  return kube::Next{};
}

}  // namespace mcpfleet::op
