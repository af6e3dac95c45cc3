// Who calls, and which session, as far as limits and counts need to know.
//
// Thread safety: plain values.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mcpfleet::routing {

// 128 bits of a hash for which nobody can make two texts alike (SHA-256), so that neither a secret
// nor a text of unknown length is kept here.
struct Digest {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  bool operator==(const Digest&) const = default;
};

struct DigestHash {
  std::size_t operator()(const Digest& digest) const { return digest.low; }
};

// Of what identifies a caller: a token, a certificate, else the address. Callers of whom nothing is
// known are all the same one, of zeros.
using CallerId = Digest;
// Of a session id as its pod knows it, together with the pod.
using SessionKey = Digest;

}  // namespace mcpfleet::routing
