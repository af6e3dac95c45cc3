// status.serverInfo: what the MCP servers say of themselves, asked in the background.
//
// A server is asked once for each revision of its pods. Where pods cannot be reached from here, the
// field stays as it is and nothing else is affected.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "desired/status.h"
#include "fleet/mcp_server.h"
#include "http/client.h"
#include "kube/controller.h"
#include "kube/work_queue.h"
#include "mcp/introduction.h"

namespace mcpfleet::op {

// Whom to ask, and of which revision of the pods the answer will tell.
struct Inquiry {
  std::string revision;  // pod-template-hash
  http::Endpoint pod;
  std::string path;
  bool operator==(const Inquiry&) const = default;
};

// Nothing where the stored answer is of the revision that runs, no pod is ready, or two revisions
// are. A pure function.
std::optional<Inquiry> inquiry_for(const fleet::MCPServer& server,
                                   const desired::Observed& observed);

// Talks to the pod; blocks, some seconds at most. Errors: those of mcp::Introduction and of HTTP.
Result<mcp::ServerDescription> introduce(http::Client& client, const Inquiry& inquiry);

// Thread safety: get() from any thread; it never blocks. `ask` is called from several threads, and
// so is `answered`, with the key of a server whose answer has come.
class ServerInfos {
 public:
  using Ask = std::function<Result<mcp::ServerDescription>(const Inquiry& inquiry)>;

  ServerInfos(const Clock& clock, Backoff backoff, Ask ask,
              std::function<void(const std::string& key)> answered);

  // The answer to `inquiry` once it is there; until then it is asked for, again after a back-off
  // where that fails. Without an inquiry what is known of `key` is forgotten.
  std::optional<fleet::ServerInfo> get(const std::string& key,
                                       const std::optional<Inquiry>& inquiry);

 private:
  struct Entry {
    Inquiry inquiry;
    std::optional<fleet::ServerInfo> info;
  };

  Result<kube::Next> ask_for(const std::string& key);

  // Constant after construction, or safe by themselves.
  const Ask ask_;
  const std::function<void(const std::string& key)> answered_;
  kube::WorkQueue queue_;
  // Protected by mutex_.
  std::mutex mutex_;
  std::map<std::string, Entry> entries_;
  kube::Controller workers_;  // last: they use what is above
};

}  // namespace mcpfleet::op
