// A running gateway on free ports, and what it is told.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "proxy/gateway.h"
#include "test_net.h"

namespace mcpfleet::proxy {

// A folder with a gateway's session keys, gone with this.
class KeyFolder {
 public:
  explicit KeyFolder(const std::string& key = std::string(32, 'g'));
  ~KeyFolder();
  KeyFolder(const KeyFolder&) = delete;
  KeyFolder& operator=(const KeyFolder&) = delete;

  // Names: key, previous, next.
  void write(const std::string& name, const std::string& content) const;
  std::string file(const std::string& name = "key") const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

class TestGateway {
 public:
  explicit TestGateway(const KeyFolder& keys, GatewayOptions options = {});
  ~TestGateway();

  Gateway& operator*() { return *gateway_; }
  std::uint16_t port() const { return gateway_->port(); }
  std::unique_ptr<Wire> connect() const { return Wire::connect(port()); }
  // One exchange on a connection of its own.
  std::string exchange(std::string_view request) const;
  std::string metrics(std::string_view path = "/metrics") const;
  bool has_metric(std::string_view line) const;
  // Waits for the end of run().
  void join() { thread_.join(); }

  // The server team/NAME with these pods; settings for tests: no waiting between tries.
  void serve(const std::string& name, std::vector<routing::Endpoint> pods,
             fleet::TrafficSettings traffic = quick_traffic());
  void set_pods(const std::string& name, std::vector<routing::Endpoint> pods);
  static fleet::TrafficSettings quick_traffic();

 private:
  std::unique_ptr<Gateway> gateway_;
  std::thread thread_;
};

// A pod that is ready.
routing::Endpoint pod_at(const std::string& name, std::uint16_t port);

// The same request for team/NAME.
std::string to_server(const std::string& name, std::string request);

}  // namespace mcpfleet::proxy
