// Who calls, as far as a gateway can see: for sessions that only their owner may use, and for
// limits of each caller.
//
// Nothing is verified here, that is the servers' to do: an identity that somebody made up opens no
// session of somebody else at a server that looks at credentials.
// Thread safety: free functions without state.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "routing/digest.h"

namespace mcpfleet::proxy {

struct Caller {
  std::string identity;  // a digest of who it is; empty where nothing is known
  routing::CallerId id;  // for limits; of a caller of whom nothing is known by its address
};

// `authorization` is the header field of that name, `address` the numeric address of the other
// side. A bearer token that is a JWT with a subject stands for its issuer and subject, since tokens
// are renewed in the middle of a session; any other text stands for itself.
Caller identify(std::optional<std::string_view> authorization, std::string_view address);

}  // namespace mcpfleet::proxy
