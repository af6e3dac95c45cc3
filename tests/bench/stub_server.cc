// An MCP server that does nothing: fixed answers over HTTP/1.1, in the form in which
// server-everything gives them (a server-sent event in one chunk). Its own time is small and even,
// so that what stands in front of it can be seen.
//
//   stub_server --listen 127.0.0.1:0 --seconds 120 --echo "Echo: hi"
#include <strings.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "sockets.h"

namespace bench = mcpfleet::bench;

namespace {

constexpr std::string_view kInitialized =
    R"({"protocolVersion":"2025-06-18","capabilities":{"tools":{}},)"
    R"("serverInfo":{"name":"stub","version":"1"}})";
constexpr std::size_t kMaxRequest = 1 << 20;

struct Request {
  std::string_view method;
  std::string_view body;
};

std::size_t content_length(std::string_view head) {
  constexpr std::string_view kName = "\r\ncontent-length:";
  for (std::size_t at = 0; at + kName.size() < head.size(); ++at) {
    if (::strncasecmp(head.data() + at, kName.data(), kName.size()) != 0) continue;
    auto value = head.substr(at + kName.size());
    value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
    std::size_t length = 0;
    std::from_chars(value.data(), value.data() + value.size(), length);
    return length;
  }
  return 0;
}

// The first whole request in `bytes`, and how many of them it takes.
std::optional<std::size_t> first_request(std::string_view bytes, Request& request) {
  const auto end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return {};
  const auto body = end + 4;
  const auto length = content_length(bytes.substr(0, body));
  if (bytes.size() - body < length) return {};
  request = {bytes.substr(0, bytes.find(' ')), bytes.substr(body, length)};
  return body + length;
}

// The id as it stands in the request; the benchmarks' ids are numbers.
std::string_view id_of(std::string_view body) {
  constexpr std::string_view kKey = "\"id\":";
  const auto at = body.find(kKey);
  if (at == std::string_view::npos) return "null";
  const auto value = body.substr(at + kKey.size());
  return value.substr(0, value.find_first_of(",}"));
}

std::string event_stream(std::string_view id, std::string_view result) {
  std::string event = "event: message\ndata: {\"result\":";
  event.append(result).append(",\"jsonrpc\":\"2.0\",\"id\":").append(id).append("}\n\n");
  char size[16];
  const auto end = std::to_chars(size, size + sizeof size, event.size(), 16).ptr;
  return std::string(size, end) + "\r\n" + event + "\r\n0\r\n\r\n";
}

std::string answer_to(const Request& request, std::string_view echo) {
  constexpr std::string_view kHead =
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
      "Mcp-Session-Id: 0b61cd5b-1f38-4a15-8a5f-0d4a4e3c8f11\r\nTransfer-Encoding: chunked\r\n\r\n";
  if (request.method == "DELETE") return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  if (request.method != "POST") {
    return "HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n";
  }
  if (request.body.find("\"notifications/") != std::string_view::npos) {
    return "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n";
  }
  const bool initialize = request.body.find("\"initialize\"") != std::string_view::npos;
  return std::string(kHead) + event_stream(id_of(request.body), initialize ? kInitialized : echo);
}

void serve(bench::Fd client, std::string_view echo) {
  std::string bytes;
  char buffer[16384];
  while (const auto size = bench::receive(client, buffer, sizeof buffer)) {
    bytes.append(buffer, size);
    Request request;
    while (const auto used = first_request(bytes, request)) {
      if (!bench::send_all(client, answer_to(request, echo))) return;
      bytes.erase(0, *used);
    }
    if (bytes.size() > kMaxRequest) return;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Flags flags(argc, argv,
                           {{"listen", "127.0.0.1:0"}, {"seconds", "120"}, {"echo", "Echo: hi"}});
  bench::exit_after(flags.number("seconds"));
  const auto listener = bench::listen_on(flags.text("listen"));
  const auto echo = R"({"content":[{"type":"text","text":")" + flags.text("echo") + R"("}]})";
  for (;;) std::thread(serve, bench::accept_from(listener), std::string_view(echo)).detach();
}
