// Plain blocking sockets for tests: a server that says exactly the bytes a test wants, a client,
// and a sidecar on free ports. Nothing waits for longer than 10 s.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "proxy/sidecar.h"

namespace mcpfleet::proxy {

// One connection. Reading gives up after 10 s.
class Wire {
 public:
  explicit Wire(int socket) : socket_(socket) {}
  static std::unique_ptr<Wire> connect(std::uint16_t port);
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  bool send(std::string_view bytes);
  // Up to and with `end`; what was read so far where the other side closed or took too long.
  std::string read_until(std::string_view end);
  std::string read_exactly(std::size_t size);
  // A head and a body with Content-Length, or a whole chunked body; "" at the end of connection.
  std::string read_message();
  // True when the other side closes within 10 s.
  bool closed();
  // Ends the connection, also for a thread that reads it.
  void shut();

 private:
  bool fill();
  std::string read_chunks();

  int socket_;
  std::string buffer_;
};

// Whether a condition comes true within 10 s.
bool eventually(const std::function<bool()>& condition);

// A server whose connections are all handled by one function, each in its thread.
class FakeServer {
 public:
  using Handler = std::function<void(Wire& wire)>;
  explicit FakeServer(Handler handler);
  ~FakeServer();
  std::uint16_t port() const { return port_; }
  int connections() const { return connections_; }
  int ended() const { return ended_; }  // connections that were closed here

 private:
  void accept_all();

  Handler handler_;
  int listener_;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_ = 0;
  std::atomic<int> ended_ = 0;
  std::mutex mutex_;
  std::set<int> open_;  // sockets; protected by mutex_
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

// Answers every request on a connection with what `answer` makes of it.
FakeServer::Handler each_request(std::function<std::string(const std::string& request)> answer);

// "HTTP/1.1 STATUS" with a JSON body.
std::string json_response(std::string_view body, std::string_view fields = "",
                          std::string_view status = "200 OK");

// A running sidecar.
class TestSidecar {
 public:
  explicit TestSidecar(SidecarOptions options);
  ~TestSidecar();
  std::uint16_t port() const { return sidecar_->port(); }
  std::unique_ptr<Wire> connect() const { return Wire::connect(port()); }
  // One exchange on a connection of its own.
  std::string exchange(std::string_view request) const;
  std::string metrics(std::string_view path = "/metrics") const;
  bool has_metric(std::string_view line) const;
  Sidecar& operator*() { return *sidecar_; }
  // What run() returned; waits for its end.
  Result<void> join();

 private:
  std::unique_ptr<Sidecar> sidecar_;
  std::thread thread_;
  Result<void> result_;
};

// Options with free ports on loopback and the tests' key.
SidecarOptions test_options(const std::string& pod);
SidecarOptions for_upstream(const FakeServer& server, const std::string& pod = "pod-a");

std::string post(std::string_view body, std::string_view fields = "");
// The value of a header field in an HTTP message, or "".
std::string field_of(const std::string& message, const std::string& name);
std::string body_of(const std::string& message);

}  // namespace mcpfleet::proxy
