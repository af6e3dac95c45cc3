// The operator's own metrics, for Prometheus.
//
// Thread safety: all functions from any thread.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "kube/work_queue.h"

namespace mcpfleet::op {

class Telemetry {
 public:
  Telemetry();
  ~Telemetry();
  Telemetry(const Telemetry&) = delete;
  Telemetry& operator=(const Telemetry&) = delete;

  void reconciled(bool ok, Duration took);
  // `verb` as kube::RequestObserver gets it; status 0: no answer.
  void requested(std::string_view verb, int status);
  // A change of a recommendation.
  void decided(const std::string& rule, const std::string& reason);
  void drift_corrected();
  // The replicas that were decided for a server, or would be in mode DryRun.
  void set_advised(const std::string& server_key, int replicas);
  // Of servers other than these nothing is told any more.
  void keep_advised(const std::set<std::string>& server_keys);
  void set_servers(std::size_t servers);
  void set_leader(bool leads);
  // For the queue of MCPServers.
  kube::WorkObserver& work();

  // Prometheus text 0.0.4.
  std::string text() const;

 private:
  struct Families;
  class Work;
  std::unique_ptr<Families> families_;
  std::unique_ptr<Work> work_;
};

}  // namespace mcpfleet::op
