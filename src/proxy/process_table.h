// Child processes: each leads its own process group, each is reaped, and its group dies with it.
//
// Thread safety: none; it belongs to the proxy's one thread.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"

namespace mcpfleet::proxy {

struct ChildProcess {
  pid_t pid = -1;
  int input = -1;   // the write end of its standard input
  int output = -1;  // the read ends of its standard output and standard error
  int errors = -1;
};

class ProcessTable {
 public:
  // Called once with the status that waitpid gave.
  using OnExit = std::function<void(int wait_status)>;

  ~ProcessTable() { kill_all(); }

  // Starts a command (looked up in PATH) with pipes, which are the caller's to close; nothing else
  // is inherited. Errors: NotFound, Forbidden, Internal; the message names the command.
  Result<ChildProcess> spawn(const std::vector<std::string>& command, OnExit on_exit);

  // Takes the status of every child that has ended, and kills what it left in its group. As process
  // 1 it takes orphans too. Never blocks.
  void reap();

  // Kills all groups that are left and waits for their leaders; nobody is told of their exit.
  void kill_all();

  std::size_t size() const { return children_.size(); }

 private:
  void reap_one(pid_t pid);

  std::map<pid_t, OnExit> children_;
};

// "exited with status 3", "was killed by signal 9 (Killed)".
std::string describe_exit(int wait_status);

}  // namespace mcpfleet::proxy
