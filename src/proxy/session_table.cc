#include "proxy/session_table.h"

namespace mcpfleet::proxy {

void SessionTable::touch(std::string_view backend_id, MonotonicTime now) {
  const auto found = sessions_.find(backend_id);
  if (found != sessions_.end()) {
    found->second.last_use = now;
  } else if (sessions_.size() < kMaxSessions) {
    sessions_.emplace(backend_id, Entry{now});
  }
}

void SessionTable::hold(std::string_view backend_id, MonotonicTime now) {
  const auto found = sessions_.find(backend_id);
  if (found == sessions_.end()) return;
  found->second.last_use = now;
  ++found->second.holds;
}

void SessionTable::release(std::string_view backend_id, MonotonicTime now) {
  const auto found = sessions_.find(backend_id);
  if (found == sessions_.end()) return;
  found->second.last_use = now;
  if (found->second.holds > 0) --found->second.holds;
}

void SessionTable::remove(std::string_view backend_id) {
  const auto found = sessions_.find(backend_id);
  if (found != sessions_.end()) sessions_.erase(found);
}

void SessionTable::expire(MonotonicTime now, Duration idle) {
  std::erase_if(sessions_, [&](const auto& entry) {
    return entry.second.holds == 0 && now - entry.second.last_use >= idle;
  });
}

}  // namespace mcpfleet::proxy
