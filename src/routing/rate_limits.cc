#include "routing/rate_limits.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"

namespace mcpfleet::routing {
namespace {

// Tools are told apart by a quick hash: who makes up a name that is like another one's uses up what
// he could as well use up by the other name.
Digest digest_of(std::string_view text) {
  const std::uint64_t high = hash_text(text);
  return {.high = high, .low = hash_text(text, ~high)};
}

// Clients choose the names of tools, and are told no more of one than this.
constexpr std::size_t kLongestTold = 128;

Limit limit_of(fleet::RateScope scope) {
  switch (scope) {
    case fleet::RateScope::Server:
      return Limit::ServerRate;
    case fleet::RateScope::Tool:
      return Limit::ToolRate;
    case fleet::RateScope::Caller:
      return Limit::CallerRate;
  }
  return Limit::ServerRate;
}

}  // namespace

TokenBucket& BucketTable::use(const Digest& key, double per_second, int burst) {
  const auto found = entries_.find(key);
  if (found != entries_.end()) {
    order_.splice(order_.begin(), order_, found->second);
    return order_.front().bucket;
  }
  if (order_.size() >= most_ && !order_.empty()) {
    entries_.erase(order_.back().key);
    order_.pop_back();
  }
  order_.push_front({.key = key, .bucket = TokenBucket(per_second, burst)});
  entries_.emplace(key, order_.begin());
  return order_.front().bucket;
}

void BucketTable::change(double per_second, int burst, MonotonicTime now) {
  for (Entry& entry : order_) entry.bucket.change(per_second, burst, now);
}

double RateLimits::Rule::per_second() const {
  return limit.calls / std::chrono::duration<double>(limit.period).count();
}

bool RateLimits::Rule::counts(const RatedCall& call) const {
  if (!limit.tool.empty()) return call.tool == limit.tool;
  return limit.per != fleet::RateScope::Tool || !call.tool.empty();
}

Digest RateLimits::Rule::key(const RatedCall& call) const {
  if (limit.per == fleet::RateScope::Caller) return call.caller;
  if (limit.per == fleet::RateScope::Tool) return digest_of(call.tool);
  return {};
}

Refusal RateLimits::Rule::refusal(const RatedCall& call, Duration wait) const {
  const bool of_tool = limit.per == fleet::RateScope::Tool;
  return {.limit = limit_of(limit.per),
          .value = limit.calls,
          .period = limit.period,
          .tool = of_tool ? std::string(call.tool.substr(0, kLongestTold)) : limit.tool,
          .retry_after = wait};
}

RateLimits::RateLimits(const std::vector<fleet::RateLimit>& rates, std::size_t most) : most_(most) {
  for (const auto& rate : rates) rules_.push_back({.limit = rate, .buckets = BucketTable(most_)});
}

void RateLimits::change(const std::vector<fleet::RateLimit>& rates, MonotonicTime now) {
  std::vector<Rule> rules;
  for (const auto& rate : rates) {
    const auto same = std::ranges::find_if(rules_, [&](const Rule& rule) {
      return rule.limit.per == rate.per && rule.limit.tool == rate.tool;
    });
    if (same == rules_.end()) {
      rules.push_back({.limit = rate, .buckets = BucketTable(most_)});
      continue;
    }
    Rule rule = std::move(*same);
    rules_.erase(same);
    if (rule.limit != rate) {
      rule.limit = rate;
      rule.buckets.change(rule.per_second(), rate.calls, now);
    }
    rules.push_back(std::move(rule));
  }
  rules_ = std::move(rules);
}

std::optional<Refusal> RateLimits::take(std::span<const RatedCall> calls, MonotonicTime now) {
  std::optional<Refusal> refusal;
  for (Rule& rule : rules_) {
    for (const RatedCall& call : calls) {
      if (!rule.counts(call)) continue;
      const Duration wait =
          rule.buckets.use(rule.key(call), rule.per_second(), rule.limit.calls).wait_for_one(now);
      if (wait > Duration(0) && (!refusal || wait > refusal->retry_after))
        refusal = rule.refusal(call, wait);
    }
  }
  if (refusal) return refusal;
  for (Rule& rule : rules_)
    for (const RatedCall& call : calls)
      if (rule.counts(call))
        rule.buckets.use(rule.key(call), rule.per_second(), rule.limit.calls).charge();
  return std::nullopt;
}

std::size_t RateLimits::remembered() const {
  std::size_t count = 0;
  for (const Rule& rule : rules_) count += rule.buckets.size();
  return count;
}

}  // namespace mcpfleet::routing
