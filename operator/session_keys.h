// The keys that seal session ids: one secret of the operator, from which each server's key follows.
//
// Nothing needs to be remembered a server, and Secrets of other namespaces are never read. Thread
// safety: all functions from any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "kube/client.h"

namespace mcpfleet::op {

inline constexpr const char* kMasterSecret = "mcpfleet-session-master";

class SessionKeys {
 public:
  // `master`: 32 random bytes.
  explicit SessionKeys(std::string master) : master_(std::move(master)) {}

  // Reads the Secret kMasterSecret of `namespace_`, and makes it where it does not exist.
  static Result<SessionKeys> load(kube::Client& client, const std::string& namespace_);

  // HMAC-SHA256(master, uid): 32 bytes, the same in every life of the operator.
  std::string key_of(std::string_view uid) const;
  // Tells one key from another without giving it away.
  std::string fingerprint(std::string_view key) const;
  // Of any text, told from another's by who has the key only.
  static std::string fingerprint(std::string_view key, std::string_view text);

 private:
  std::string master_;
};

}  // namespace mcpfleet::op
