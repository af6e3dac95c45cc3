#include "fake_sse_server.h"

#include <gtest/gtest.h>

namespace mcpfleet::proxy {
namespace {

constexpr std::string_view kAccepted = "HTTP/1.1 202 Accepted\r\nContent-Length: 8\r\n\r\nAccepted";

std::string response(const std::string& status) {
  return "HTTP/1.1 " + status + "\r\nContent-Length: 0\r\n\r\n";
}

std::string event(const nlohmann::json& message) {
  return "event: message\r\ndata: " + message.dump() + "\r\n\r\n";
}

}  // namespace

void FakeSseServer::set_manners(Manners manners) {
  const std::scoped_lock lock(mutex_);
  manners_ = std::move(manners);
}

SidecarOptions FakeSseServer::options() const {
  auto options = for_upstream(server_);
  options.sse_path = "/sse";
  options.start_timeout = std::chrono::seconds(1);
  return options;
}

std::size_t FakeSseServer::streams() const {
  const std::scoped_lock lock(mutex_);
  return streams_.size();
}

void FakeSseServer::handle(Wire& wire) {
  for (auto request = wire.read_message(); !request.empty(); request = wire.read_message()) {
    if (request.starts_with("GET /sse ")) {
      open_stream(wire);
      return;
    }
    if (!wire.send(take(request))) return;
  }
}

void FakeSseServer::open_stream(Wire& wire) {
  int stream = 0;
  {
    const std::scoped_lock lock(mutex_);
    stream = ++last_;
    wire.send("HTTP/1.1 " + manners_.status + "\r\nContent-Type: " + manners_.type + "\r\n\r\n");
    if (!manners_.endpoint.empty())
      wire.send(": hello\n\nevent: endpoint\ndata: " + manners_.endpoint + std::to_string(stream) +
                "\n\n");
    streams_[stream] = &wire;
  }
  wire.closed();
  const std::scoped_lock lock(mutex_);
  streams_.erase(stream);
}

bool FakeSseServer::is_silent(int stream) const {
  const std::scoped_lock lock(mutex_);
  return silent_.contains(stream);
}

void FakeSseServer::say(int stream, const std::string& event) {
  const std::scoped_lock lock(mutex_);
  const auto found = streams_.find(stream);
  if (found != streams_.end()) found->second->send(event);
}

void FakeSseServer::answer(int stream, const json& id, const json& result) {
  say(stream, event({{"jsonrpc", "2.0"}, {"id", id}, {"result", result}}));
}

// The answer to a POST.
std::string FakeSseServer::take(const std::string& request) {
  const auto at = request.find("stream=");
  EXPECT_TRUE(request.starts_with("POST /messages?stream=")) << request;
  return act(std::stoi(request.substr(at + 7)), json::parse(body_of(request)));
}

std::string FakeSseServer::act(int stream, const json& message) {
  if (is_silent(stream)) return std::string(kAccepted);
  const auto method = message.value("method", "");
  if (method == "initialize") {
    answer(stream, message["id"], {{"protocolVersion", "2024-11-05"}});
  } else if (method == "tools/call") {
    return call(stream, message);
  } else if (message.contains("result")) {
    const auto id = asked_[stream];
    answer(stream, id, {{"content", {{{"type", "text"}, {"text", message["result"].dump()}}}}});
    const std::scoped_lock lock(mutex_);
    asked_.erase(stream);
  } else if (message.contains("id")) {
    say(stream, event({{"jsonrpc", "2.0"},
                       {"id", message["id"]},
                       {"error", {{"code", -32601}, {"message", "unknown"}}}}));
  }
  return std::string(kAccepted);
}

std::string FakeSseServer::call(int stream, const json& request) {
  const auto& params = request["params"];
  const auto tool = params["name"].get<std::string>();
  const auto text = [](const std::string& said) {
    return json{{"content", {{{"type", "text"}, {"text", said}}}}};
  };
  if (tool == "stream") {
    answer(stream, request["id"], text(std::to_string(stream)));
  } else if (tool == "noise") {
    say(stream, "event: ping\ndata: {\"id\":1,\"result\":{}}\n\ndata: this is no JSON\n\n:\n\n");
    answer(stream, request["id"], text("after the noise"));
  } else if (tool == "progress") {
    say(stream, event({{"jsonrpc", "2.0"},
                       {"method", "notifications/progress"},
                       {"params", {{"progressToken", params["_meta"]["progressToken"]}}}}));
    answer(stream, request["id"], text("done"));
  } else if (tool == "ask") {
    {
      const std::scoped_lock lock(mutex_);
      asked_[stream] = request["id"];
    }
    say(stream, event({{"jsonrpc", "2.0"}, {"id", "s1"}, {"method", "roots/list"}}));
    const auto answered = [&] {
      const std::scoped_lock lock(mutex_);
      return !asked_.contains(stream);
    };
    if (manners_.answers_late) {
      EXPECT_TRUE(eventually(answered));
    }
  } else if (tool == "break") {
    const std::scoped_lock lock(mutex_);
    streams_.at(stream)->shut();
  } else if (tool == "stop") {
    const std::scoped_lock lock(mutex_);
    silent_.insert(stream);
  } else if (tool == "refuse") {
    return response("413 Payload Too Large");
  } else if (tool == "forget") {
    return response("404 Not Found");
  } else if (tool == "flood") {
    const std::string piece(1024 * 1024, 'x');
    say(stream, "data: ");
    for (int i = 0; i < 65; ++i) say(stream, piece);
  }
  // "hang" gets no answer.
  return std::string(kAccepted);
}

}  // namespace mcpfleet::proxy
