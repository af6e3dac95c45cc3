#include "proxy/process_table.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "proxy/file_limit.h"

extern char** environ;  // NOLINT: POSIX declares it nowhere else

namespace mcpfleet::proxy {
namespace {

struct Pipe {
  ~Pipe() {
    if (read >= 0) ::close(read);
    if (write >= 0) ::close(write);
  }
  bool open() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
    read = ends[0];
    write = ends[1];
    return true;
  }
  int read = -1;
  int write = -1;
};

// posix_spawn's two argument objects, freed at the end.
struct SpawnArguments {
  SpawnArguments() {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
  }
  ~SpawnArguments() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  SpawnArguments(const SpawnArguments&) = delete;
  SpawnArguments& operator=(const SpawnArguments&) = delete;

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

// The child gets its own group, default signals, and none of our descriptors.
void prepare(SpawnArguments& arguments, const Pipe& in, const Pipe& out, const Pipe& err) {
  ::posix_spawn_file_actions_adddup2(&arguments.actions, in.read, STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&arguments.actions, out.write, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&arguments.actions, err.write, STDERR_FILENO);
  ::posix_spawn_file_actions_addclosefrom_np(&arguments.actions, 3);
  sigset_t none;
  sigset_t all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&arguments.attributes, &none);
  ::posix_spawnattr_setsigdefault(&arguments.attributes, &all);
  ::posix_spawnattr_setpgroup(&arguments.attributes, 0);
  ::posix_spawnattr_setflags(&arguments.attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                        POSIX_SPAWN_SETSIGDEF);
}

ErrorKind kind_of(int number) {
  if (number == ENOENT || number == ENOTDIR) return ErrorKind::NotFound;
  if (number == EACCES || number == EPERM) return ErrorKind::Forbidden;
  return ErrorKind::Internal;
}

}  // namespace

void ProcessTable::kill_all() {
  for (const auto& [pid, on_exit] : children_) {
    ::kill(-pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  children_.clear();
}

Result<ChildProcess> ProcessTable::spawn(const std::vector<std::string>& command, OnExit on_exit) {
  Pipe in, out, err;
  if (!in.open() || !out.open() || !err.open())
    return fail(ErrorKind::Internal, std::string("cannot make a pipe: ") + std::strerror(errno));
  SpawnArguments arguments;
  prepare(arguments, in, out, err);
  std::vector<char*> words;
  words.reserve(command.size() + 1);
  for (const auto& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  pid_t pid = -1;
  const int problem = ::posix_spawnp(&pid, words.front(), &arguments.actions, &arguments.attributes,
                                     words.data(), environ);
  if (problem != 0)
    return fail(kind_of(problem),
                "the command \"" + command.front() + "\" cannot be run: " + std::strerror(problem));
  restore_file_limit(pid);
  children_.emplace(pid, std::move(on_exit));
  return ChildProcess{pid, std::exchange(in.write, -1), std::exchange(out.read, -1),
                      std::exchange(err.read, -1)};
}

void ProcessTable::reap() {
  if (::getpid() == 1) {
    for (;;) {
      siginfo_t info{};
      if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) return;
      if (children_.contains(info.si_pid)) {
        reap_one(info.si_pid);
      } else {
        ::waitpid(info.si_pid, nullptr, WNOHANG);
      }
    }
  }
  std::vector<pid_t> pids;
  pids.reserve(children_.size());
  for (const auto& [pid, on_exit] : children_) pids.push_back(pid);
  for (const auto pid : pids) {
    siginfo_t info{};
    if (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
        info.si_pid != 0)
      reap_one(pid);
  }
}

// The leader is still a zombie here, so its number cannot have been given to another group.
void ProcessTable::reap_one(pid_t pid) {
  ::kill(-pid, SIGKILL);
  int status = 0;
  ::waitpid(pid, &status, 0);
  const auto found = children_.find(pid);
  const auto on_exit = std::move(found->second);
  children_.erase(found);
  on_exit(status);
}

std::string describe_exit(int wait_status) {
  if (WIFSIGNALED(wait_status)) {
    const int signal = WTERMSIG(wait_status);
    return "was killed by signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
  }
  return "exited with status " + std::to_string(WEXITSTATUS(wait_status));
}

}  // namespace mcpfleet::proxy
