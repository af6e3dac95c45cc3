// Where a Redis is. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mcpfleet::adapter {

struct RedisAddress {
  std::string host;  // empty: none
  std::uint16_t port = 6379;
  int database = 0;
  std::string user;      // empty: the default one
  std::string password;  // empty: none; never in a log or an error

  bool operator==(const RedisAddress&) const = default;
};

// "redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]", user and password percent-encoded, the host a
// name, an IPv4 address or an IPv6 address in brackets. Error: Invalid, without any of the text,
// which may hold a password.
Result<RedisAddress> parse_redis_url(std::string_view text);

}  // namespace mcpfleet::adapter
