// One keep-alive HTTP/1.1 connection with one MCP session on it, for measuring: blocking, and with
// no more work per call than sending the bytes and finding the end of the answer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http_answer.h"
#include "sockets.h"

namespace mcpfleet::bench {

class McpConnection {
 public:
  // `url` is http://IP:PORT/PATH. Connects and begins a session; dies where the server refuses.
  McpConnection(const std::string& url, const std::string& tool, const std::string& arguments);

  // Calls the tool and waits for the last byte of the answer. Returns nanoseconds from before the
  // first byte sent. Dies when the answer is not status 200 with `expect` in its body.
  std::int64_t call(std::string_view expect);
  // Ends the session.
  void close();

  // How often the server had closed the connection between two calls.
  unsigned reconnects() const { return reconnects_; }

 private:
  std::string request(std::string_view method, std::string_view body) const;
  // One exchange. False: the connection ended before the answer did.
  bool exchange(std::string_view bytes, HttpAnswer& answer);
  HttpAnswer must_exchange(std::string_view bytes);
  void connect();

  std::string url_;
  sockaddr_in address_;
  std::string host_;
  std::string path_;
  std::string session_;
  std::string call_;
  Fd socket_;
  std::string received_;
  unsigned reconnects_ = 0;
};

}  // namespace mcpfleet::bench
