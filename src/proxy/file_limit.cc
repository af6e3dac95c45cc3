#include "proxy/file_limit.h"

#include <sys/resource.h>

#include <optional>

namespace mcpfleet::proxy {
namespace {

std::optional<rlimit> g_original;  // set once, before there are threads or children

}  // namespace

void raise_file_limit() {
  rlimit limit{};
  if (g_original || ::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  g_original = limit;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

void restore_file_limit(pid_t child) {
  if (g_original) ::prlimit(child, RLIMIT_NOFILE, &*g_original, nullptr);
}

}  // namespace mcpfleet::proxy
