// Passes one HTTP exchange on to a server, streaming, and watches the answers go by.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/call_stats.h"
#include "proxy/client_link.h"
#include "proxy/data_plane.h"
#include "proxy/upstream_pool.h"

namespace mcpfleet::proxy {

// Marks a request that was sent to the owner of its session, who then never passes it on. A client
// that sends it gains nothing: it only turns that off for its own request.
inline constexpr std::string_view kForwardedField = "Mcpfleet-Forwarded";
// Marks a sidecar's own answer to a request that it did not pass on to its server: nothing has
// happened, and another pod may be asked. It says why.
inline constexpr std::string_view kRefusedField = "Mcpfleet-Refused";
inline constexpr std::string_view kRefusedDraining = "draining";  // takes no session any more
inline constexpr std::string_view kRefusedFull = "full";          // takes none for now

// A server is told of the client by X-Forwarded-For, -Host and -Proto. To the addresses that came
// the client's is added. Host and protocol are kept where they came: a proxy before this one knows
// them. A client that speaks TLS has none before it, so that what it says of them counts nothing.
struct RelayTarget {
  std::shared_ptr<UpstreamPool> pool;
  std::string path = {};     // in place of the request's, its query stays; empty: as it came
  std::string host = {};     // the Host field; empty: the client's own
  std::string session = {};  // the Mcp-Session-Id to send; empty: none
  std::string fields = {};   // complete header lines to add
  Duration connect_timeout = std::chrono::seconds(2);
  MonotonicTime deadline = MonotonicTime::max();  // of the whole exchange
  // For the request to be taken, and for the server to be silent; max: until the deadline.
  Duration write_timeout = Duration::max();
  Duration read_timeout = Duration::max();
};

// The head of a response, before anything of it went to the client.
struct ResponseHead {
  int status = 0;
  std::string_view session;  // its Mcp-Session-Id; empty: none
  std::string_view refused;  // its kRefusedField; empty: none
};

// One who knows what an exchange means.
class RelayWatcher {
 public:
  virtual ~RelayWatcher() = default;
  // False: this response shall not go to the client.
  virtual bool on_head(const ResponseHead& head) = 0;
  // The client's name for the session that the server calls `from_server`; nothing: the field is
  // left out.
  virtual std::optional<std::string> session_for_client(std::string_view from_server) = 0;
};

struct RelayOutcome {
  enum class End {
    Passed,        // the client has the whole response
    Broken,        // the response broke off when a part of it had gone to the client
    ClientGone,    // the client went away
    NotConnected,  // there is no connection; nothing was sent to the server
    Unanswered,    // there is no response, and nobody knows what became of the request
    Declined,      // the watcher did not want it
  };
  End end = End::Unanswered;
  int status = 0;           // of the response; 0: none
  bool timed_out = false;   // NotConnected, Unanswered, Broken: because it took too long
  std::string reason = {};  // the same: what happened, to follow the server's name
  Duration connect{0};      // how long the connection took; 0: it was open already
  Duration first_byte{0};   // from there until the head of the response
};

// Where there is no response for the client (NotConnected, Unanswered, Declined) it is for the
// caller to answer, or to try elsewhere. `calls` (may be null) are told of the answers that go by;
// to end them is the caller's. The request is sent twice only where it is a GET, HEAD or OPTIONS
// and a connection from the pool was closed before a byte of the response.
Task<RelayOutcome> relay(DataPlane& plane, ClientLink& client, RelayTarget target,
                         RelayWatcher& watcher, OpenCalls* calls);

}  // namespace mcpfleet::proxy
