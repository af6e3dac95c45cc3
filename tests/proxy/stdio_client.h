// A client of a sidecar in front of tests/proxy/fake_stdio_server.py.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "test_net.h"

namespace mcpfleet::proxy {

using nlohmann::json;

inline constexpr std::string_view kInitialize =
    R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{}})";

inline SidecarOptions with_command(std::vector<std::string> command) {
  auto options = test_options("pod-a");
  options.command = std::move(command);
  options.start_timeout = std::chrono::seconds(10);
  return options;
}

inline SidecarOptions with_fake(const std::string& mode = "good") {
  return with_command({"python3", FAKE_SERVER, mode});
}

inline std::string tool_call(int id, const std::string& tool,
                             const json& arguments = json::object(),
                             const std::string& token = "") {
  json params{{"name", tool}, {"arguments", arguments}};
  if (!token.empty()) params["_meta"] = {{"progressToken", token}};
  return json{{"jsonrpc", "2.0"}, {"id", id}, {"method", "tools/call"}, {"params", params}}.dump();
}

inline std::string text_of(const std::string& reply) {
  const auto body = json::parse(body_of(reply), nullptr, false);
  if (!body.is_object() || !body.contains("result")) return "no result: " + reply;
  return body["result"]["content"][0]["text"].get<std::string>();
}

// One session of a client.
class Session {
 public:
  explicit Session(const TestSidecar& sidecar) : sidecar_(sidecar) {
    EXPECT_TRUE(eventually([&] { return sidecar.metrics("/ready").starts_with("HTTP/1.1 200"); }));
    reply_ = sidecar.exchange(post(kInitialize));
    id_ = field_of(reply_, "Mcp-Session-Id");
    if (id_.empty() && !reply_.starts_with("HTTP/1.1 503")) ADD_FAILURE() << reply_;
  }
  const std::string& first_reply() const { return reply_; }
  std::string field() const { return "Mcp-Session-Id: " + id_ + "\r\n"; }
  std::string call(const std::string& body) const { return sidecar_.exchange(post(body, field())); }
  std::string call(int id, const std::string& tool, const json& arguments = json::object()) const {
    return call(tool_call(id, tool, arguments));
  }
  std::string end() const {
    return sidecar_.exchange("DELETE /mcp HTTP/1.1\r\nHost: x\r\n" + field() + "\r\n");
  }
  std::unique_ptr<Wire> stream() const {
    auto wire = sidecar_.connect();
    wire->send("GET /mcp HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n" + field() + "\r\n");
    wire->read_until("\r\n\r\n");
    return wire;
  }

 private:
  const TestSidecar& sidecar_;
  std::string reply_;
  std::string id_;
};

inline bool is_gone(const std::string& pid) {
  return ::kill(std::stoi(pid), 0) != 0 && errno == ESRCH;
}

}  // namespace mcpfleet::proxy
