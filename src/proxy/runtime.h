// What all parts of one running sidecar share. For the translation units that do I/O.
//
// Thread safety: none; everything here belongs to the proxy's one thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "proxy/asio_types.h"
#include "proxy/call_stats.h"
#include "proxy/drain_state.h"
#include "proxy/options.h"
#include "proxy/session_seal.h"
#include "proxy/session_table.h"
#include "proxy/sweeper.h"
#include "proxy/upstream_pool.h"

namespace mcpfleet::proxy {

class StdioService;

struct Runtime {
  Runtime(asio::io_context& context, const SidecarOptions& sidecar_options,
          SessionSeal session_seal)
      : io(context),
        options(sidecar_options),
        seal(std::move(session_seal)),
        drain(sidecar_options.drain_grace),
        pool(context) {}

  MonotonicTime now() const { return clock.monotonic(); }

  asio::io_context& io;
  const SidecarOptions& options;
  SystemClock clock;
  Owner self;
  SessionSeal seal;
  DrainState drain;
  CallStats stats;
  SessionTable sessions;  // of an HTTP server
  Sweeper sweeper;
  UpstreamPool pool;
  tcp::endpoint upstream;         // of an HTTP server
  std::string upstream_host;      // its Host field
  StdioService* stdio = nullptr;  // null for an HTTP server
  std::uint64_t forwarded = 0;    // requests passed on to the session's owner
  std::size_t exchanges = 0;      // POSTs and DELETEs that wait for the end of their answer
};

}  // namespace mcpfleet::proxy
