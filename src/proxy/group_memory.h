// What the processes of this machine take, by process group.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <unordered_map>

namespace mcpfleet::proxy {

// Resident bytes of each process group that can be seen in /proc. What two processes share counts
// twice. Takes some microseconds a process.
std::unordered_map<pid_t, std::uint64_t> memory_of_groups();

}  // namespace mcpfleet::proxy
