// A server of the old HTTP+SSE transport: each tool misbehaves in its own way.
#pragma once

#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "test_net.h"

namespace mcpfleet::proxy {

class FakeSseServer {
 public:
  // How the stream begins; "" instead of the endpoint event: there is none.
  struct Manners {
    std::string status = "200 OK";
    std::string type = "text/event-stream";
    std::string endpoint = "/messages?stream=";  // the number of the stream follows
    bool answers_late = false;  // a POST is answered only when its message was handled
  };

  FakeSseServer() : FakeSseServer(Manners{}) {}
  explicit FakeSseServer(Manners manners)
      : manners_(std::move(manners)), server_([this](Wire& wire) { handle(wire); }) {}

  void set_manners(Manners manners);
  std::uint16_t port() const { return server_.port(); }
  SidecarOptions options() const;
  // How many streams are open.
  std::size_t streams() const;

 private:
  using json = nlohmann::json;

  void handle(Wire& wire);
  void open_stream(Wire& wire);
  std::string take(const std::string& request);
  std::string act(int stream, const json& message);
  std::string call(int stream, const json& request);
  bool is_silent(int stream) const;
  void say(int stream, const std::string& event);
  void answer(int stream, const json& id, const json& result);

  Manners manners_;
  mutable std::mutex mutex_;
  std::map<int, Wire*> streams_;
  std::map<int, json> asked_;  // of a stream: the id of the call that waits for its client
  std::set<int> silent_;       // streams on which nothing is said any more
  int last_ = 0;
  FakeServer server_;  // last: its threads use the others
};

}  // namespace mcpfleet::proxy
