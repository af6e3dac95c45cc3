// What all parts of one running sidecar share. For the translation units that do I/O.
//
// Thread safety: none; everything here belongs to the proxy's one thread.
#pragma once

#include <cstdint>
#include <string>

#include "proxy/call_stats.h"
#include "proxy/data_plane.h"
#include "proxy/options.h"
#include "proxy/session_seal.h"
#include "proxy/session_table.h"
#include "proxy/upstream_pool.h"

namespace mcpfleet::proxy {

class BridgeService;

struct Runtime : DataPlane {
  Runtime(asio::io_context& context, const SidecarOptions& sidecar_options,
          SessionSeal session_seal)
      : DataPlane(context, sidecar_options.max_body_bytes, sidecar_options.drain_grace),
        options(sidecar_options),
        seal(std::move(session_seal)),
        pools(context) {}

  const SidecarOptions& options;
  Owner self;
  SessionSeal seal;
  UpstreamPools pools;  // to the server, and to other pods' sidecars
  CallStats stats;
  SessionTable sessions;            // of an HTTP server
  tcp::endpoint upstream;           // of an HTTP server
  std::string upstream_host;        // its Host field
  BridgeService* bridge = nullptr;  // null for a server that speaks Streamable HTTP
  std::uint64_t forwarded = 0;      // requests passed on to the session's owner
};

}  // namespace mcpfleet::proxy
