#include "mcp_connection.h"

#include <strings.h>

#include <algorithm>
#include <charconv>
#include <chrono>

namespace mcpfleet::bench {

namespace {

constexpr std::string_view kInitialize =
    R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18",)"
    R"("capabilities":{},"clientInfo":{"name":"latency_probe","version":"1"}}})";
constexpr std::string_view kInitialized =
    R"({"jsonrpc":"2.0","method":"notifications/initialized"})";
constexpr std::size_t kMaxAnswer = 16 << 20;

std::string_view field(std::string_view head, std::string_view name) {
  while (!head.empty()) {
    const auto line = head.substr(0, head.find("\r\n"));
    if (line.size() > name.size() && line[name.size()] == ':' &&
        ::strncasecmp(line.data(), name.data(), name.size()) == 0) {
      const auto start = line.find_first_not_of(' ', name.size() + 1);
      return start == std::string_view::npos ? std::string_view() : line.substr(start);
    }
    head.remove_prefix(std::min(line.size() + 2, head.size()));
  }
  return {};
}

// Whether `body` holds all chunks and the end of the chunked coding (no trailers).
bool all_chunks(std::string_view body) {
  for (;;) {
    const auto line = body.find("\r\n");
    if (line == std::string_view::npos) return false;
    std::size_t size = 0;
    if (std::from_chars(body.data(), body.data() + line, size, 16).ec != std::errc()) {
      die("an answer's chunk has no size");
    }
    if (size > kMaxAnswer) die("an answer's chunk is too large");
    if (body.size() < line + 2 + size + 2) return false;
    if (size == 0) return true;
    body.remove_prefix(line + 2 + size + 2);
  }
}

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
  session_ = field(begun.head, "mcp-session-id");
  must_exchange(request("POST", kInitialized));
  call_ = request("POST", R"({"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":")" +
                              tool + R"(","arguments":)" + arguments + "}}");
}

std::int64_t McpConnection::call(std::string_view expect) {
  using Clock = std::chrono::steady_clock;
  auto start = Clock::now();
  Answer answer;
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

bool McpConnection::exchange(std::string_view bytes, Answer& answer) {
  if (!send_all(socket_, bytes)) return false;
  received_.clear();
  char buffer[16384];
  do {
    const auto size = receive(socket_, buffer, sizeof buffer);
    if (size == 0) return false;
    received_.append(buffer, size);
    if (received_.size() > kMaxAnswer) die(url_ + " answered more than 16 MiB");
  } while (!complete(answer));
  return true;
}

McpConnection::Answer McpConnection::must_exchange(std::string_view bytes) {
  Answer answer;
  if (!exchange(bytes, answer)) die(url_ + " closed the connection instead of an answer");
  return answer;
}

bool McpConnection::complete(Answer& answer) const {
  const std::string_view bytes = received_;
  const auto end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return false;
  answer.head = bytes.substr(0, end + 2);
  answer.body = bytes.substr(end + 4);
  std::from_chars(bytes.data() + std::min<std::size_t>(9, end), bytes.data() + end, answer.status);
  const auto coding = field(answer.head, "transfer-encoding");
  if (coding.size() == 7 && ::strncasecmp(coding.data(), "chunked", 7) == 0) {
    return all_chunks(answer.body);
  }
  std::size_t length = 0;
  const auto given = field(answer.head, "content-length");
  std::from_chars(given.data(), given.data() + given.size(), length);
  return answer.body.size() >= length;
}

void McpConnection::connect() {
  socket_ = connect_to(address_);
  if (socket_.get() < 0) die("nobody listens on " + host_);
}

}  // namespace mcpfleet::bench
