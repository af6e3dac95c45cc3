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

// Who gets which link (a process, or a stream) to a server that does not speak Streamable HTTP.
// Requests of 2026-07-28 and later stand alone, and share a link in every mode.
enum class BridgeMode : std::uint8_t {
  PerSession,  // a session has one for itself
  Shared,      // all sessions share one; the server cannot ask their clients anything
  Pooled       // as PerSession, and some processes are started before they are needed
};

struct SidecarOptions {
  ListenAddress listen;
  ListenAddress metrics_listen;
  std::string path = "/mcp";
  // One of the two: the server's address (numeric host), or the command of a stdio server.
  std::optional<http::Endpoint> upstream;
  std::vector<std::string> command;
  // Where a server at `upstream` speaks the old HTTP+SSE transport; empty: it speaks Streamable
  // HTTP.
  std::string sse_path;

  BridgeMode bridge_mode = BridgeMode::PerSession;
  std::size_t max_links = 100;  // those that are ending included
  std::size_t pool_size = 2;    // Pooled: processes that wait
  // A server that owes an answer and gives no sign of life for so long: its link is ended; 0:
  // never.
  Duration hang_timeout = std::chrono::minutes(5);
  // Resident memory of a process and its children; over it the process is replaced. 0: any.
  std::uint64_t max_process_memory = 0;
  Duration idle_timeout = std::chrono::minutes(30);
  Duration start_timeout = std::chrono::seconds(60);  // of the start check of a bridge
  Duration drain_timeout = std::chrono::seconds(30);  // when a signal starts the drain
  Duration drain_grace = std::chrono::seconds(5);
  std::string drain_socket;      // empty: none
  std::string session_key_file;  // raw, 32 bytes
  // What may stand in Origin beside addresses of the loopback; "*": anything, the server looks
  // itself.
  std::vector<std::string> allowed_origins;
  std::size_t max_body_bytes = 16 * 1024 * 1024;
  bool handle_signals = false;  // SIGTERM and SIGINT drain and end, a second one ends at once

  // Who this is: what session ids say about their owner.
  std::string pod_name;
  std::string pod_ip;  // numeric, how peers reach `listen`
  std::string server;  // the MCPServer's name, for /health
};

}  // namespace mcpfleet::proxy
