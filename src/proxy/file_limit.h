// How many files and sockets this process may have open.
#pragma once

#include <sys/types.h>

namespace mcpfleet::proxy {

// Raises the soft limit to the hard one: each client takes two descriptors, and container runtimes
// start programs with a soft limit of 1024.
void raise_file_limit();

// Gives a child the soft limit back that this process began with: programs that go through all
// possible descriptors would take long otherwise.
void restore_file_limit(pid_t child);

}  // namespace mcpfleet::proxy
