// What every running data plane has, a sidecar's as a gateway's: its loop, its connections on both
// sides, and its drain. For the translation units that do I/O.
//
// Thread safety: none; everything here belongs to the proxy's one thread.
#pragma once

#include <cstddef>
#include <memory>

#include "base/clock.h"
#include "proxy/asio_types.h"
#include "proxy/drain_state.h"
#include "proxy/sweeper.h"
#include "proxy/tls_session.h"

namespace mcpfleet::proxy {

struct DataPlane {
  DataPlane(asio::io_context& context, std::size_t most_body_bytes, Duration drain_grace)
      : io(context), max_body_bytes(most_body_bytes), drain(drain_grace) {}

  MonotonicTime now() const { return clock.monotonic(); }

  asio::io_context& io;
  const std::size_t max_body_bytes;  // of a request
  SystemClock clock;
  DrainState drain;
  Sweeper sweeper;
  std::shared_ptr<TlsContext> tls;  // of new clients' connections; null: plain HTTP
  std::size_t exchanges = 0;        // POSTs and DELETEs that wait for the end of their answer
};

// Counts an exchange for the drain while it is being answered, where it `counts`.
class ExchangeCount {
 public:
  ExchangeCount(DataPlane& plane, bool counts) : plane_(plane), counts_(counts) {
    if (counts_) ++plane_.exchanges;
  }
  ~ExchangeCount() {
    if (counts_) --plane_.exchanges;
  }
  ExchangeCount(const ExchangeCount&) = delete;
  ExchangeCount& operator=(const ExchangeCount&) = delete;

 private:
  DataPlane& plane_;
  bool counts_;
};

}  // namespace mcpfleet::proxy
