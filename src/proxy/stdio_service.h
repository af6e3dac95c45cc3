// All sessions of a stdio server on this pod, a process each.
//
// Thread safety: none; it belongs to the proxy's one thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "proxy/process_table.h"
#include "proxy/runtime.h"
#include "proxy/stdio_session.h"

namespace mcpfleet::proxy {

class StdioService {
 public:
  explicit StdioService(Runtime& runtime) : runtime_(runtime) {}

  // Runs the command once and shakes hands with it, so that a server that cannot work is found out
  // before clients come. Error: one sentence with the exit status or errno, and the last lines of
  // its standard error.
  Task<Result<void>> check_start();
  bool start_checked() const { return start_checked_; }

  // A new session with its process. Errors: TooMany (all processes are taken), and those of
  // StdioSession::start().
  Result<std::shared_ptr<StdioSession>> create();
  // Null: there is no such session here (any more).
  std::shared_ptr<StdioSession> find(std::string_view id) const;

  void end_all(std::string_view reason);
  // Kills every process at once and forgets all sessions.
  void kill_all();
  // Reaps, ends idle sessions, forgets those that are over. Four times a second.
  void tick(MonotonicTime now);

  std::size_t sessions() const;
  std::size_t processes() const { return processes_.size(); }

 private:
  Runtime& runtime_;
  ProcessTable processes_;
  std::map<std::string, std::shared_ptr<StdioSession>, std::less<>> sessions_;  // ending ones too
  bool start_checked_ = false;
};

}  // namespace mcpfleet::proxy
