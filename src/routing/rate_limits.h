// Calls a time: of a server, of each of its tools, of each caller.
//
// Pure: time is an argument. Thread safety: none; one owner.
#pragma once

#include <cstddef>
#include <list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/token_bucket.h"
#include "fleet/gateway_settings.h"
#include "routing/digest.h"
#include "routing/refusal.h"

namespace mcpfleet::routing {

// A JSON-RPC request as far as rates look at it.
struct RatedCall {
  std::string_view tool;  // of tools/call; else empty
  CallerId caller;
};

// Buckets by who, the one that was used longest ago forgotten first. A caller that comes back after
// being forgotten finds a full bucket, as a new one does.
class BucketTable {
 public:
  explicit BucketTable(std::size_t most) : most_(most) {}
  BucketTable(BucketTable&&) noexcept = default;
  BucketTable& operator=(BucketTable&&) noexcept = default;

  // The bucket of `key`, made full where there is none. Valid until the next call.
  TokenBucket& use(const Digest& key, double per_second, int burst);
  void change(double per_second, int burst, MonotonicTime now);
  std::size_t size() const { return order_.size(); }

 private:
  struct Entry {
    Digest key;
    TokenBucket bucket;
  };
  std::size_t most_;
  std::list<Entry> order_;  // the last used first
  std::unordered_map<Digest, std::list<Entry>::iterator, DigestHash> entries_;
};

class RateLimits {
 public:
  // How many callers, or tools, each limit remembers. Clients choose the names of tools.
  static constexpr std::size_t kMostKeys = 10'000;

  explicit RateLimits(const std::vector<fleet::RateLimit>& rates, std::size_t most = kMostKeys);

  // Other limits from now on. One for the same calls as before, told by `per` and `tool`, keeps
  // what was used of it.
  void change(const std::vector<fleet::RateLimit>& rates, MonotonicTime now);

  // The requests of one HTTP request, together: where any limit has no place, the refusal with the
  // longest wait, and none of them counts; else all of them count. So that a batch which is larger
  // than a burst gets through, it passes as soon as there is one place, and those after it wait.
  std::optional<Refusal> take(std::span<const RatedCall> calls, MonotonicTime now);

  // How many callers and tools are remembered, of all limits.
  std::size_t remembered() const;

 private:
  struct Rule {
    fleet::RateLimit limit;
    BucketTable buckets;

    double per_second() const;
    bool counts(const RatedCall& call) const;
    Digest key(const RatedCall& call) const;
    Refusal refusal(const RatedCall& call, Duration wait) const;
  };

  std::size_t most_;
  std::vector<Rule> rules_;
};

}  // namespace mcpfleet::routing
