#include "proxy/sidecar_relay.h"

#include <algorithm>

#include "log/log.h"
#include "proxy/error_answer.h"
#include "proxy/relay.h"

namespace mcpfleet::proxy {
namespace {

namespace http = boost::beast::http;
using mcp::ErrorCode;
using End = RelayOutcome::End;

// An exchange with this pod's server: knows and counts its sessions.
class ServerExchange final : public RelayWatcher {
 public:
  ServerExchange(Runtime& runtime, const ClientLink& client, std::string session,
                 std::string sealed)
      : runtime_(runtime),
        ends_(client.request().method() == http::verb::delete_),
        session_(std::move(session)),
        sealed_(std::move(sealed)) {}
  ~ServerExchange() override {
    if (holds_) runtime_.sessions.release(session_, runtime_.now());
  }
  ServerExchange(const ServerExchange&) = delete;
  ServerExchange& operator=(const ServerExchange&) = delete;

  bool on_head(const ResponseHead& head) override {
    note_session(head);
    return true;
  }

  std::optional<std::string> session_for_client(std::string_view from_server) override {
    if (from_server == session_ && !sealed_.empty()) return sealed_;
    auto id = runtime_.seal.seal({runtime_.self, std::string(from_server)});
    if (id) return std::move(*id);
    log::warn("a session id was left out", {{"reason", id.error().message}});
    return std::nullopt;
  }

 private:
  void note_session(const ResponseHead& head) {
    const auto now = runtime_.now();
    if (!session_.empty() && ((ends_ && head.status < 300) || head.status == 404)) {
      runtime_.sessions.remove(session_);
      return;
    }
    if (head.status >= 400) return;
    if (session_.empty()) session_ = head.session;
    if (session_.empty()) return;
    runtime_.sessions.touch(session_, now);
    runtime_.sessions.hold(session_, now);
    holds_ = true;
  }

  Runtime& runtime_;
  const bool ends_;
  std::string session_;  // also one that this response brings
  const std::string sealed_;
  bool holds_ = false;
};

// An exchange with another pod's sidecar, who does all of that.
class PeerExchange final : public RelayWatcher {
 public:
  bool on_head(const ResponseHead&) override { return true; }
  std::optional<std::string> session_for_client(std::string_view from_server) override {
    return std::string(from_server);
  }
};

std::string address_text(const tcp::endpoint& endpoint) {
  return endpoint.address().to_string() + ":" + std::to_string(endpoint.port());
}

bool is_unanswered(const RelayOutcome& outcome) {
  return outcome.end == End::NotConnected || outcome.end == End::Unanswered;
}

Task<> answer_failure(ClientLink& client, std::string text) {
  log::warn("a request failed", {{"reason", text}});
  auto reply = error_answer(502, id_of(client), ErrorCode::ServerError, text);
  co_await client.answer(std::move(reply));
}

bool starts_session(const std::vector<mcp::Message>& messages) {
  return std::ranges::any_of(messages, [](const auto& m) { return m.method == "initialize"; });
}

Task<> exchange_with_server(Runtime& runtime, ClientLink& client, std::string session,
                            std::string sealed, OpenCalls* calls) {
  RelayTarget target{.pool = runtime.pools.of(runtime.upstream),
                     .host = runtime.upstream_host,
                     .session = session};
  ServerExchange watcher(runtime, client, std::move(session), std::move(sealed));
  const auto outcome = co_await relay(runtime, client, std::move(target), watcher, calls);
  if (is_unanswered(outcome)) {
    auto text = "the MCP server at " + address_text(runtime.upstream) + " " + outcome.reason;
    co_await answer_failure(client, std::move(text));
  }
  if (calls != nullptr) calls->end_all(!client.gone(), runtime.now());
}

}  // namespace

Answer refusal_of_session(ClientLink& client, std::string_view id) {
  client.close_after_answer();
  std::string fields = "Retry-After: 1\r\n";
  append_field(fields, kRefusedField, kRefusedDraining);
  return error_answer(503, id, ErrorCode::ServerError,
                      "this pod is about to end and takes no new session; try again",
                      std::move(fields));
}

Task<> pass_to_owner(Runtime& runtime, ClientLink& client, SealedSession session,
                     std::string sealed) {
  error_code ec;
  const auto address = asio::ip::make_address(session.owner.ip, ec);
  const bool forwarded = client.field(kForwardedField).has_value();
  // A pod of the same name with another address is an earlier life of this one.
  if (ec || forwarded || session.owner.pod == runtime.self.pod) {
    auto reply = session_not_found(client, "its pod " + session.owner.pod + " is gone");
    co_await client.answer(std::move(reply));
    co_return;
  }
  ++runtime.forwarded;
  const tcp::endpoint owner(address, session.owner.port);
  RelayTarget target{.pool = runtime.pools.of(owner), .session = std::move(sealed)};
  append_field(target.fields, kForwardedField, "1");
  const auto who = "pod " + session.owner.pod + " (" + address_text(owner) + ")";
  PeerExchange watcher;
  const auto outcome = co_await relay(runtime, client, std::move(target), watcher, nullptr);
  if (outcome.end == End::NotConnected) {
    log::warn("a session's owner is gone", {{"reason", who + " " + outcome.reason}});
    auto reply = session_not_found(client, "its " + who + " is gone");
    co_await client.answer(std::move(reply));
  } else if (is_unanswered(outcome)) {
    auto text = who + " " + outcome.reason;
    co_await answer_failure(client, std::move(text));
  }
}

Task<> pass_to_server(Runtime& runtime, ClientLink& client, std::string session,
                      std::string sealed) {
  if (client.request().method() != http::verb::post) {
    co_await exchange_with_server(runtime, client, std::move(session), std::move(sealed), nullptr);
    co_return;
  }
  mcp::MessageScanner scanner;
  if (!scanner.feed(client.request().body()) || !scanner.finish()) {
    auto text = "the request's body is not a JSON-RPC message: " + std::string(scanner.problem());
    auto reply = error_answer(400, {}, ErrorCode::ParseError, std::move(text));
    co_await client.answer(std::move(reply));
    co_return;
  }
  const bool starts = session.empty() && starts_session(scanner.messages());
  if (starts && runtime.drain.refuses_sessions(runtime.now())) {
    auto reply = refusal_of_session(client, first_request_id(scanner.messages()));
    co_await client.answer(std::move(reply));
    co_return;
  }
  OpenCalls calls(runtime.stats, scanner.messages(), runtime.now());
  co_await exchange_with_server(runtime, client, std::move(session), std::move(sealed), &calls);
}

}  // namespace mcpfleet::proxy
