// What a gateway is told when it starts.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "proxy/options.h"

namespace mcpfleet::proxy {

struct GatewayOptions {
  ListenAddress listen;
  ListenAddress metrics_listen;
  // PEM files of the certificate chain and its key, read again when they change; empty: plain HTTP.
  std::string tls_certificate_file;
  std::string tls_key_file;
  std::string session_key_file;  // see SessionKeys

  Duration drain_timeout = std::chrono::seconds(30);
  Duration drain_grace = std::chrono::seconds(5);
  std::size_t max_body_bytes = 16 * 1024 * 1024;
  std::uint16_t sidecar_metrics_port = 19090;  // where health checks ask a pod's sidecar
  int access_log_sample = 100;                 // one call in so many is logged; 1: each, 0: none
  bool handle_signals = false;  // SIGTERM and SIGINT drain and end, a second one ends at once
  std::string name;             // of this gateway, for /health and logs
};

}  // namespace mcpfleet::proxy
