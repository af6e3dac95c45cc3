#include "operator/leadership.h"

#include <openssl/rand.h>
#include <unistd.h>

#include <array>
#include <cstdio>

#include "desired/desired.h"

namespace mcpfleet::op {
namespace {

using std::chrono::milliseconds;

// Of the renew deadline: so many calls may hang before the lease is lost.
constexpr int kTries = 4;
// For how long a write may take where nobody else can.
constexpr milliseconds kUnbounded{std::chrono::hours(1)};

Result<std::string> default_identity() {
  std::array<char, 256> host{};
  std::array<unsigned char, 8> random{};
  if (gethostname(host.data(), host.size() - 1) != 0 ||
      RAND_bytes(random.data(), random.size()) != 1) {
    return fail(ErrorKind::Internal, "no host name or no random bytes for --identity");
  }
  std::string identity = std::string(host.data()) + "_";
  for (const auto byte : random) {
    std::array<char, 3> hex{};
    std::snprintf(hex.data(), hex.size(), "%02x", static_cast<unsigned>(byte));
    identity += hex.data();
  }
  return identity;
}

}  // namespace

Result<std::unique_ptr<Leadership>> Leadership::create(LeadershipOptions options,
                                                       const kube::Config& config,
                                                       kube::ClientOptions client,
                                                       const Clock& clock) {
  if (options.identity.empty()) {
    auto identity = default_identity();
    if (!identity) return fail(identity.error());
    options.identity = std::move(*identity);
  }
  client.timeout = options.terms.renew_deadline / kTries;
  client.write_guard = nullptr;
  auto made = kube::Client::create(config, std::move(client));
  if (!made) return fail(made.error());
  return std::unique_ptr<Leadership>(new Leadership(std::move(options), std::move(*made), clock));
}

void Leadership::begin(std::function<void()> changed) {
  if (options_.elect) {
    elector_ = kube::LeaderElector::start(
        *client_, clock_,
        {options_.namespace_, kLease, options_.identity, desired::kFieldManager, options_.terms},
        std::move(changed));
  }
  begun_ = true;
}

std::uint64_t Leadership::term() const {
  if (!begun_ || retired_) return 0;
  return elector_ ? elector_->term() : 1;
}

Result<milliseconds> Leadership::may_write() {
  if (!begun_ || retired_) {
    return fail(ErrorKind::Unavailable, "not sent: this replica does not act now");
  }
  return elector_ ? elector_->may_write() : kUnbounded;
}

std::optional<kube::ObjectReference> Leadership::lease() const {
  if (!begun_ || !elector_) return std::nullopt;
  return elector_->lease();
}

void Leadership::retire() { retired_ = true; }

void Leadership::release() {
  if (elector_) elector_->release();
}

}  // namespace mcpfleet::op
