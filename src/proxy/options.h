// What a sidecar is told when it starts.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "http/client.h"

namespace mcpfleet::proxy {

struct ListenAddress {
  std::string ip = "0.0.0.0";  // numeric
  std::uint16_t port = 0;      // 0 takes a free one
};

struct SidecarOptions {
  ListenAddress listen;
  ListenAddress metrics_listen;
  std::string path = "/mcp";
  // One of the two: the server's address (numeric host), or the command of a stdio server.
  std::optional<http::Endpoint> upstream;
  std::vector<std::string> command;

  std::size_t max_processes = 100;  // of a stdio server, those that are ending included
  Duration idle_timeout = std::chrono::minutes(30);
  Duration start_timeout = std::chrono::seconds(60);  // of the stdio start check
  Duration drain_timeout = std::chrono::seconds(30);  // when a signal starts the drain
  Duration drain_grace = std::chrono::seconds(5);
  std::string drain_socket;      // empty: none
  std::string session_key_file;  // raw, 32 bytes
  std::size_t max_body_bytes = 16 * 1024 * 1024;
  bool handle_signals = false;  // SIGTERM and SIGINT drain and end, a second one ends at once

  // Who this is: what session ids say about their owner.
  std::string pod_name;
  std::string pod_ip;  // numeric, how peers reach `listen`
  std::string server;  // the MCPServer's name, for /health
};

}  // namespace mcpfleet::proxy
