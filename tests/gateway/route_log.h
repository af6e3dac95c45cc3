// A sink of routes that remembers what it was told. Any thread.
#pragma once

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "proxy/route_sink.h"

namespace mcpfleet::gateway {

class RouteLog final : public proxy::RouteSink {
 public:
  void set_server(proxy::ServerRoute route) override {
    note("server " + route.name.ns + "/" + route.name.name + " " + route.path + " " +
         std::to_string(route.settings.traffic.limits.max_in_flight));
  }
  void remove_server(const routing::ServerName& name) override {
    note("no server " + name.ns + "/" + name.name);
  }
  void set_slice(const routing::ServerName& server, std::string slice,
                 std::vector<routing::Endpoint> endpoints) override {
    std::string line = "slice " + server.ns + "/" + server.name + " " + slice;
    for (const auto& endpoint : endpoints) line += " " + endpoint.address;
    note(std::move(line));
  }
  void remove_slice(const routing::ServerName& server, std::string slice) override {
    note("no slice " + server.ns + "/" + server.name + " " + slice);
  }
  void set_source(proxy::SourceState state) override {
    note((state.complete ? "complete" : "incomplete") +
         (state.problem.empty() ? "" : ": " + state.problem));
  }
  void set_access_log_sample(int sample) override { note("sample " + std::to_string(sample)); }

  // What was told since the last call.
  std::vector<std::string> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(lines_, {});
  }

 private:
  void note(std::string line) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
  }

  std::mutex mutex_;
  std::vector<std::string> lines_;
};

}  // namespace mcpfleet::gateway
