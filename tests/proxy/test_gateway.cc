#include "test_gateway.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <fstream>

namespace mcpfleet::proxy {

KeyFolder::KeyFolder(const std::string& key) {
  static std::atomic<int> count = 0;
  path_ = std::filesystem::path(::testing::TempDir()) /
          ("mcpfleet-keys-" + std::to_string(::getpid()) + "-" + std::to_string(++count));
  std::filesystem::create_directories(path_);
  write("key", key);
}

KeyFolder::~KeyFolder() { std::filesystem::remove_all(path_); }

void KeyFolder::write(const std::string& name, const std::string& content) const {
  std::ofstream(path_ / name, std::ios::binary) << content;
}

TestGateway::TestGateway(const KeyFolder& keys, GatewayOptions options) {
  options.listen = {"127.0.0.1", 0};
  options.metrics_listen = {"127.0.0.1", 0};
  options.session_key_file = keys.file();
  options.drain_grace = std::chrono::milliseconds(300);
  auto made = Gateway::create(std::move(options));
  EXPECT_TRUE(made) << made.error().message;
  gateway_ = std::move(*made);
  gateway_->set_source({true, {}});
  thread_ = std::thread([this] { gateway_->run(); });
}

TestGateway::~TestGateway() {
  gateway_->stop();
  if (thread_.joinable()) thread_.join();
}

std::string TestGateway::exchange(std::string_view request) const {
  const auto wire = connect();
  EXPECT_TRUE(wire->send(request));
  return wire->read_message();
}

std::string TestGateway::metrics(std::string_view path) const {
  const auto wire = Wire::connect(gateway_->metrics_port());
  wire->send("GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n\r\n");
  return wire->read_message();
}

bool TestGateway::has_metric(std::string_view line) const {
  return metrics().find("\n" + std::string(line) + "\n") != std::string::npos;
}

fleet::TrafficSettings TestGateway::quick_traffic() {
  fleet::TrafficSettings traffic;
  traffic.retries.backoff = std::chrono::milliseconds(1);
  traffic.health.type = fleet::HealthCheckType::Tcp;
  return traffic;
}

void TestGateway::serve(const std::string& name, std::vector<routing::Endpoint> pods,
                        fleet::TrafficSettings traffic) {
  ServerRoute route;
  route.name = {"team", name};
  route.settings.traffic = std::move(traffic);
  gateway_->set_server(std::move(route));
  set_pods(name, std::move(pods));
}

void TestGateway::set_pods(const std::string& name, std::vector<routing::Endpoint> pods) {
  gateway_->set_slice({"team", name}, name + "-slice", std::move(pods));
}

routing::Endpoint pod_at(const std::string& name, std::uint16_t port) {
  return {.pod = name, .address = "127.0.0.1", .port = port, .ready = true, .serving = true};
}

std::string to_server(const std::string& name, std::string request) {
  const auto path = request.find(" /mcp");
  return request.replace(path, 5, " /team/" + name + "/mcp");
}

}  // namespace mcpfleet::proxy
