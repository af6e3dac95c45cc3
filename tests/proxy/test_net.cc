#include "test_net.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace mcpfleet::proxy {
namespace {

constexpr timeval kPatience{10, 0};

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

}  // namespace

std::unique_ptr<Wire> Wire::connect(std::uint16_t port) {
  const int number = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto address = loopback(port);
  EXPECT_EQ(::connect(number, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  return std::make_unique<Wire>(number);
}

Wire::~Wire() { ::close(socket_); }

bool Wire::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool Wire::fill() {
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  std::string piece(64 * 1024, '\0');
  ssize_t got = -1;
  do {  // the end of a child process may interrupt
    got = ::recv(socket_, piece.data(), piece.size(), 0);
  } while (got < 0 && errno == EINTR);
  if (got <= 0) return false;
  buffer_.append(piece, 0, static_cast<std::size_t>(got));
  return true;
}

std::string Wire::read_until(std::string_view end) {
  std::size_t at = 0;
  while ((at = buffer_.find(end)) == std::string::npos)
    if (!fill()) return std::exchange(buffer_, {});
  return read_exactly(at + end.size());
}

std::string Wire::read_exactly(std::size_t size) {
  while (buffer_.size() < size)
    if (!fill()) return std::exchange(buffer_, {});
  std::string bytes = buffer_.substr(0, size);
  buffer_.erase(0, size);
  return bytes;
}

std::string Wire::read_chunks() {
  std::string body;
  for (;;) {
    const auto line = read_until("\r\n");
    if (line.empty()) return body;
    const auto size = std::stoul(line, nullptr, 16);
    const auto data = read_exactly(size + 2);
    if (size == 0 || data.size() < size) return body;
    body.append(data, 0, size);
  }
}

std::string Wire::read_message() {
  auto head = read_until("\r\n\r\n");
  if (lower(field_of(head, "transfer-encoding")) == "chunked") return head + read_chunks();
  const auto length = field_of(head, "content-length");
  return length.empty() ? head : head + read_exactly(std::stoul(length));
}

bool Wire::closed() {
  while (fill()) buffer_.clear();
  return errno != EAGAIN && errno != EWOULDBLOCK;
}

void Wire::shut() { ::shutdown(socket_, SHUT_RDWR); }

bool eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (std::chrono::steady_clock::now() < end) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return condition();
}

FakeServer::FakeServer(Handler handler)
    : handler_(std::move(handler)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  auto address = loopback(0);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(::listen(listener_, 64), 0);
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

FakeServer::~FakeServer() {
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);  // whoever keeps a connection need not be gone before
    for (const int socket : open_) ::shutdown(socket, SHUT_RDWR);
  }
  for (auto& thread : threads_) thread.join();
  ::close(listener_);
}

// Connections that say nothing are the sidecar's readiness probe.
void FakeServer::accept_all() {
  for (;;) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) return;
    {
      const std::lock_guard lock(mutex_);
      open_.insert(socket);
    }
    threads_.emplace_back([this, socket] {
      auto wire = std::make_unique<Wire>(socket);
      char byte = 0;
      ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
      const bool used = ::recv(socket, &byte, 1, MSG_PEEK) > 0;
      if (used) {
        ++connections_;
        handler_(*wire);
      }
      {
        const std::lock_guard lock(mutex_);
        open_.erase(socket);
      }
      wire.reset();
      if (used) ++ended_;
    });
  }
}

FakeServer::Handler each_request(std::function<std::string(const std::string&)> answer) {
  return [answer = std::move(answer)](Wire& wire) {
    for (auto request = wire.read_message(); !request.empty(); request = wire.read_message())
      if (!wire.send(answer(request))) return;
  };
}

std::string json_response(std::string_view body, std::string_view fields, std::string_view status) {
  return "HTTP/1.1 " + std::string(status) + "\r\nContent-Type: application/json\r\n" +
         std::string(fields) + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

SidecarOptions test_options(const std::string& pod) {
  // Tests run side by side.
  const auto key = ::testing::TempDir() + "mcpfleet-test-key-" + std::to_string(::getpid());
  std::ofstream(key, std::ios::binary) << std::string(32, 'k');
  SidecarOptions options;
  options.listen = {"127.0.0.1", 0};
  options.metrics_listen = {"127.0.0.1", 0};
  options.session_key_file = key;
  options.pod_name = pod;
  options.pod_ip = "127.0.0.1";
  options.drain_grace = std::chrono::milliseconds(300);
  return options;
}

SidecarOptions for_upstream(const FakeServer& server, const std::string& pod) {
  auto options = test_options(pod);
  options.upstream = http::Endpoint{"127.0.0.1", server.port(), false};
  return options;
}

TestSidecar::TestSidecar(SidecarOptions options) {
  auto made = Sidecar::create(options);
  ::unlink(options.session_key_file.c_str());
  EXPECT_TRUE(made) << made.error().message;
  sidecar_ = std::move(*made);
  thread_ = std::thread([this] { result_ = sidecar_->run(); });
}

TestSidecar::~TestSidecar() {
  sidecar_->stop();
  if (thread_.joinable()) thread_.join();
}

Result<void> TestSidecar::join() {
  thread_.join();
  return result_;
}

std::string TestSidecar::exchange(std::string_view request) const {
  const auto wire = connect();
  EXPECT_TRUE(wire->send(request));
  return wire->read_message();
}

std::string TestSidecar::metrics(std::string_view path) const {
  const auto wire = Wire::connect(sidecar_->metrics_port());
  wire->send("GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n\r\n");
  return wire->read_message();
}

bool TestSidecar::has_metric(std::string_view line) const {
  return metrics().find("\n" + std::string(line) + "\n") != std::string::npos;
}

std::string post(std::string_view body, std::string_view fields) {
  return "POST /mcp HTTP/1.1\r\nHost: service\r\nContent-Type: application/json\r\n"
         "Accept: application/json, text/event-stream\r\n" +
         std::string(fields) + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

std::string field_of(const std::string& message, const std::string& name) {
  const auto head = message.substr(0, message.find("\r\n\r\n") + 2);
  const auto at = lower(head).find("\r\n" + lower(name) + ": ");
  if (at == std::string::npos) return "";
  const auto begin = at + name.size() + 4;
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

std::string body_of(const std::string& message) {
  const auto end = message.find("\r\n\r\n");
  return end == std::string::npos ? "" : message.substr(end + 4);
}

}  // namespace mcpfleet::proxy
