// Session ids that say, readable only to those who hold the key, which pod owns the session. Any
// sidecar of the same server can route such an id, and no store is shared.
//
// Thread safety: a SessionSeal is used by one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mcpfleet::proxy {

// How peers reach the sidecar of a pod. `ip` is numeric.
struct Owner {
  std::string pod;
  std::string ip;
  std::uint16_t port = 0;
  bool operator==(const Owner&) const = default;
};

struct SealedSession {
  Owner owner;
  std::string backend_id;  // the id that the server itself knows
  bool operator==(const SealedSession&) const = default;
};

// AES-256-GCM with a random 96-bit nonce for each id; base64url without padding, so that an id is
// visible ASCII as the transport demands.
class SessionSeal {
 public:
  static constexpr std::size_t kKeyBytes = 32;
  // Longer ids are nobody's: they are not even decoded.
  static constexpr std::size_t kMaxIdLength = 4096;
  // Of a pod's name, its address, and the server's own id. What a sidecar seals is the server's own
  // id to a gateway, who seals it anew.
  static constexpr std::size_t kMaxPart = 2500;

  // Errors: Invalid (the key has another length), Internal (OpenSSL has no AES-256-GCM).
  static Result<SessionSeal> create(std::string_view key);
  // Reads the raw key from a file. Errors as create(), NotFound when it cannot be read.
  static Result<SessionSeal> from_key_file(const std::string& path);

  SessionSeal(SessionSeal&&) noexcept;
  SessionSeal& operator=(SessionSeal&&) noexcept;
  ~SessionSeal();

  // The id for the client. `binding` is not in it, but opens it: whom and what it is for. Error:
  // Internal (no randomness), Invalid (a part is over kMaxPart bytes).
  Result<std::string> seal(const SealedSession& session, std::string_view binding = {});
  // What an id says; nullopt for an id that was changed, is foreign or was sealed with another key
  // or binding.
  std::optional<SealedSession> open(std::string_view id, std::string_view binding = {});

 private:
  struct Impl;
  explicit SessionSeal(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace mcpfleet::proxy
