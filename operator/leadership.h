// Whether this replica is the one that acts, and so may write.
//
// Thread safety: all functions from any thread, but begin() once, before retire() and release().
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "kube/client.h"
#include "kube/config.h"
#include "kube/leader_election.h"

namespace mcpfleet::op {

// The Lease, in the operator's own namespace.
inline constexpr const char* kLease = "mcp-operator";

struct LeadershipOptions {
  bool elect = true;  // false: this is the only replica, and always acts
  std::string namespace_;
  std::string identity;  // empty: the host's name, which is the pod's, and a random number
  kube::ElectionTerms terms;
};

// The guard of the client that all but the election uses.
class Leadership final : public kube::WriteGuard {
 public:
  // Connects nowhere yet. Error: Invalid (configuration).
  static Result<std::unique_ptr<Leadership>> create(LeadershipOptions options,
                                                    const kube::Config& config,
                                                    kube::ClientOptions client, const Clock& clock);

  // Becomes a candidate. `changed` as of kube::LeaderElector.
  void begin(std::function<void()> changed);

  // 0 while it does not lead, else a number that is another one each time that it came to lead.
  std::uint64_t term() const;
  Result<std::chrono::milliseconds> may_write() override;
  const std::string& identity() const { return options_.identity; }
  // For Events; nothing without election.
  std::optional<kube::ObjectReference> lease() const;

  // As of kube::LeaderElector.
  void retire();
  void release();

 private:
  Leadership(LeadershipOptions options, std::unique_ptr<kube::Client> client, const Clock& clock)
      : options_(std::move(options)), client_(std::move(client)), clock_(clock) {}

  // Constant after begin(), or safe by themselves.
  const LeadershipOptions options_;
  // For the Lease alone: a renewal waits behind nothing, and no guard asks it.
  const std::unique_ptr<kube::Client> client_;
  const Clock& clock_;
  std::unique_ptr<kube::LeaderElector> elector_;
  std::atomic<bool> begun_{false};
  std::atomic<bool> retired_{false};
};

}  // namespace mcpfleet::op
