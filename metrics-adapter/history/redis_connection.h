// A connection to a Redis.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "metrics-adapter/history/redis_records.h"
#include "metrics-adapter/history/redis_url.h"

struct redisContext;

namespace mcpfleet::adapter {

struct RedisReply {
  bool refused = false;            // texts.front() is Redis' reason
  std::vector<std::string> texts;  // of a list its items, else one; none: there is nothing
};

// Thread safety: one thread, which it lets wait; every wait ends with the timeout. Looking up a
// name may take longer.
class RedisConnection {
 public:
  // Connects, identifies and selects the database. Errors: Unavailable, Timeout, Unauthorized,
  // Invalid (no such database); none has the password in it.
  static Result<std::unique_ptr<RedisConnection>> open(const RedisAddress& address,
                                                       Duration timeout);

  // Sends all commands and then reads all replies, in their order. After an error (Unavailable,
  // Timeout, Malformed) the connection is of no more use, and what was done is not known.
  Result<std::vector<RedisReply>> run(std::span<const RedisCommand> commands);

 private:
  struct Close {
    void operator()(redisContext* context) const;
  };
  RedisConnection(std::string place, redisContext* context, Duration timeout)
      : place_(std::move(place)), context_(context), timeout_(timeout) {}
  Error broken() const;
  Result<void> prepare(const RedisAddress& address);

  const std::string place_;  // for people
  std::unique_ptr<redisContext, Close> context_;
  const Duration timeout_;
};

}  // namespace mcpfleet::adapter
