#include "mcp_connection.h"

#include <chrono>

namespace mcpfleet::bench {

namespace {

constexpr std::string_view kInitialize =
    R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18",)"
    R"("capabilities":{},"clientInfo":{"name":"latency_probe","version":"1"}}})";
constexpr std::string_view kInitialized =
    R"({"jsonrpc":"2.0","method":"notifications/initialized"})";

}  // namespace

McpConnection::McpConnection(const std::string& url, const std::string& tool,
                             const std::string& arguments)
    : url_(url) {
  constexpr std::string_view kScheme = "http://";
  const auto slash = url.find('/', kScheme.size());
  if (!url.starts_with(kScheme) || slash == std::string::npos) {
    die("'" + url + "' is not of the form http://IP:PORT/PATH");
  }
  host_ = url.substr(kScheme.size(), slash - kScheme.size());
  path_ = url.substr(slash);
  address_ = parse_address(host_);
  connect();
  const auto begun = must_exchange(request("POST", kInitialize));
  if (begun.status != 200) die(url + " refused to begin a session: " + std::string(begun.head));
  session_ = header_of(begun.head, "mcp-session-id");
  must_exchange(request("POST", kInitialized));
  call_ = request("POST", R"({"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":")" +
                              tool + R"(","arguments":)" + arguments + "}}");
}

std::int64_t McpConnection::call(std::string_view expect) {
  using Clock = std::chrono::steady_clock;
  auto start = Clock::now();
  HttpAnswer answer;
  if (!exchange(call_, answer)) {
    // Servers close connections that were idle for some seconds; that is not what is measured.
    ++reconnects_;
    connect();
    start = Clock::now();
    answer = must_exchange(call_);
  }
  const auto end = Clock::now();
  if (answer.status != 200 || answer.body.find(expect) == std::string_view::npos) {
    die(url_ + " answered wrongly: " + std::string(answer.head) + std::string(answer.body));
  }
  return std::chrono::nanoseconds(end - start).count();
}

void McpConnection::close() {
  if (!session_.empty()) must_exchange(request("DELETE", ""));
}

std::string McpConnection::request(std::string_view method, std::string_view body) const {
  std::string text(method);
  text.append(" ").append(path_).append(" HTTP/1.1\r\nHost: ").append(host_);
  text.append("\r\nContent-Type: application/json\r\n");
  text.append("Accept: application/json, text/event-stream\r\n");
  text.append("MCP-Protocol-Version: 2025-06-18\r\n");
  if (!session_.empty()) text.append("Mcp-Session-Id: ").append(session_).append("\r\n");
  text.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n\r\n");
  return text.append(body);
}

bool McpConnection::exchange(std::string_view bytes, HttpAnswer& answer) {
  if (!send_all(socket_, bytes)) return false;
  received_.clear();
  char buffer[16384];
  std::optional<HttpAnswer> whole;
  do {
    const auto size = receive(socket_, buffer, sizeof buffer);
    if (size == 0) return false;
    received_.append(buffer, size);
    whole = parse_answer(received_);
  } while (!whole);
  answer = *whole;
  return true;
}

HttpAnswer McpConnection::must_exchange(std::string_view bytes) {
  HttpAnswer answer;
  if (!exchange(bytes, answer)) die(url_ + " closed the connection instead of an answer");
  return answer;
}

void McpConnection::connect() {
  socket_ = connect_to(address_);
  if (socket_.get() < 0) die("nobody listens on " + host_);
}

}  // namespace mcpfleet::bench
