// The keys of a gateway's session ids, and how they change while it runs.
//
// Thread safety: none; it belongs to the proxy's one thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "proxy/session_seal.h"

namespace mcpfleet::proxy {

// A key seals that is in a file; those in the files `previous` and `next` beside it, if there are
// any, open only. So the keys may change while each replica reads them at a time of its own: what
// one seals by the new key the others open by their next one, and what they seal by the old key it
// opens by its previous one.
class SessionKeys {
 public:
  // Raw keys, 32 bytes each. Errors: as SessionSeal::from_key_file().
  static Result<SessionKeys> load(std::string file);

  // Reads the files anew. True: the keys have changed. An error leaves them as they are.
  Result<bool> reload();

  // As SessionSeal has them.
  Result<std::string> seal(const SealedSession& session, std::string_view binding);
  std::optional<SealedSession> open(std::string_view id, std::string_view binding);

  std::size_t size() const { return keys_.size(); }

 private:
  struct Key {
    std::string secret;
    SessionSeal seal;
  };

  explicit SessionKeys(std::string file) : file_(std::move(file)) {}
  Result<std::vector<Key>> read() const;

  std::string file_;
  std::vector<Key> keys_;  // the one that seals first
};

}  // namespace mcpfleet::proxy
