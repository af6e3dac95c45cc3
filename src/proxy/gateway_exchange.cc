#include "proxy/gateway_exchange.h"

#include <optional>
#include <utility>
#include <vector>

#include "base/time_text.h"
#include "log/log.h"
#include "mcp/headers.h"
#include "proxy/access_log.h"
#include "proxy/caller.h"
#include "proxy/digest.h"
#include "proxy/error_answer.h"
#include "proxy/gateway_request.h"
#include "proxy/relay.h"

namespace mcpfleet::proxy {
namespace {

namespace http = boost::beast::http;
using mcp::ErrorCode;
using routing::PodId;
using routing::Reached;
using routing::Refusal;
using End = RelayOutcome::End;

bool is_pod_failure(int status) { return status == 502 || status == 503 || status == 504; }

// How a try ended, for statistics.
routing::Outcome outcome_of(const RelayOutcome& relayed, bool failed_call) {
  switch (relayed.end) {
    case End::Passed:
      if (is_pod_failure(relayed.status)) return routing::Outcome::BadStatus;
      return failed_call || relayed.status >= 500 ? routing::Outcome::CallError
                                                  : routing::Outcome::Success;
    case End::Declined:
      return is_pod_failure(relayed.status) ? routing::Outcome::BadStatus
                                            : routing::Outcome::CallError;
    case End::NotConnected:
      return routing::Outcome::ConnectFailed;
    case End::ClientGone:
      return routing::Outcome::Cancelled;
    case End::Broken:
    case End::Unanswered:
      return relayed.timed_out ? routing::Outcome::TimedOut : routing::Outcome::Broken;
  }
  return routing::Outcome::Broken;
}

class Exchange final : public RelayWatcher {
 public:
  Exchange(GatewayPlane& plane, ClientLink& client, std::shared_ptr<GatewayServer> server,
           std::string document)
      : document_(std::move(document)),
        plane_(plane),
        client_(client),
        server_(std::move(server)),
        routed_(*server_->routing),
        start_(plane.now()) {}
  ~Exchange() override;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  Task<> run();

  bool on_head(const ResponseHead& head) override;
  std::optional<std::string> session_for_client(std::string_view from_server) override;

 private:
  // A pod's part in this exchange.
  struct Try {
    PodId pod;
    routing::Endpoint endpoint;
    bool refused = false;                                 // the pod has not taken the request
    bool minted = false;                                  // and has begun a session
    std::optional<Refusal> no_connection = std::nullopt;  // nor was it sent there
  };

  void ask_for_document();
  std::string path() const;
  bool open_session();
  std::optional<Refusal> ask_rates();
  Task<std::optional<Refusal>> wait_for_place();
  Task<> deliver();
  std::expected<PodId, Refusal> choose();
  Task<RelayOutcome> pass_to_pod();
  std::optional<Duration> repeat_after(const RelayOutcome& relayed);
  routing::Attempt attempt(Reached reached, routing::Outcome outcome);
  Task<bool> pause(Duration time);
  RelayTarget target(std::shared_ptr<PodPool> pool) const;
  Task<RelayOutcome> relay_over(std::shared_ptr<PodPool> pool);
  void end_try(const RelayOutcome& relayed, Duration took);

  Task<> refuse(Refusal refusal);
  Task<> answer_failure(const RelayOutcome& relayed);
  Task<> answer(Answer reply);
  Task<> answer_lost(std::string why);
  std::string id() const { return first_request_id(request_.messages); }
  std::string binding() const;
  routing::SessionKey session_key(std::string_view session) const;
  void hold(std::string_view session);
  void finish();

  const std::string document_;
  GatewayPlane& plane_;
  ClientLink& client_;
  const std::shared_ptr<GatewayServer> server_;
  routing::Server& routed_;
  const MonotonicTime start_;
  MonotonicTime deadline_ = MonotonicTime::max();
  GatewayRequest request_;
  Caller caller_;
  std::optional<OpenCalls> calls_;
  std::optional<SealedSession> session_;
  std::optional<routing::SessionKey> held_;
  bool placed_ = false;  // among the calls in flight
  std::vector<PodId> tried_;
  Try try_;
  AccessLine line_;
};

Exchange::~Exchange() {
  const auto now = plane_.now();
  if (held_) routed_.sessions.release(*held_, now);
  if (placed_) server_->room.leave(now);
}

Task<> Exchange::run() {
  auto request = read_request(client_);
  if (!request) {
    auto reply = error_answer(400, {}, ErrorCode::ParseError, request.error().message);
    co_await answer(std::move(reply));
    co_return;
  }
  request_ = std::move(*request);
  if (!document_.empty()) ask_for_document();
  caller_ = identify(client_.field("Authorization"), client_.peer());
  if (request_.calls) calls_.emplace(server_->stats, request_.messages, start_);
  if (!open_session()) {
    std::string why = "this id is not one of ours";
    co_await answer_lost(std::move(why));
  } else if (!request_.calls) {
    co_await deliver();
  } else {
    const auto timeout = routed_.settings().traffic.timeouts.call;
    if (timeout.count() > 0 && !request_.listens) deadline_ = start_ + timeout;
    auto refusal = ask_rates();
    if (!refusal) refusal = co_await wait_for_place();
    if (refusal) {
      co_await refuse(std::move(*refusal));
    } else if (placed_) {
      server_->observe(Phase::Queue, plane_.now() - start_);
      co_await deliver();
    }
  }
  finish();
}

// It is of no session, and ends as a call does.
void Exchange::ask_for_document() {
  request_.session.clear();
  request_.listens = false;
  const auto timeout = routed_.settings().traffic.timeouts.call;
  if (timeout.count() > 0) deadline_ = start_ + timeout;
}

// Where the pods have what is asked for. The path of MCP comes last in that of a document.
std::string Exchange::path() const {
  if (document_.empty()) return server_->path;
  return "/.well-known/" + document_ + (server_->path == "/" ? "" : server_->path);
}

std::string Exchange::binding() const {
  return server_->text() + std::string(1, '\0') + caller_.identity;
}

// False: there is a session, and its id opens to nobody who asks like this.
bool Exchange::open_session() {
  if (request_.session.empty()) return true;
  session_ = plane_.keys.open(request_.session, binding());
  return session_.has_value();
}

std::optional<Refusal> Exchange::ask_rates() {
  std::vector<routing::RatedCall> rated;
  for (const auto& message : request_.messages) {
    if (message.kind() != mcp::Message::Kind::Request) continue;
    const bool tool = message.method == "tools/call";
    rated.push_back({tool ? std::string_view(message.name) : std::string_view(), caller_.id});
  }
  return routed_.rates.take(rated, plane_.now());
}

// Placed, refused, or neither: then the client is gone.
Task<std::optional<Refusal>> Exchange::wait_for_place() {
  auto got = co_await server_->room.enter(client_, caller_.id, plane_.now(), deadline_);
  placed_ = got.admitted;
  co_return std::move(got.refusal);
}

Task<> Exchange::deliver() {
  if (calls_) routed_.retries.called();
  for (line_.tries = 1;; ++line_.tries) {
    const auto pod = choose();
    if (!pod && session_) {
      ++server_->sessions_lost;
      auto why = "its pod " + session_->owner.pod + " is gone";
      co_await answer_lost(std::move(why));
      co_return;
    }
    if (!pod) {
      auto refusal = pod.error();
      co_await refuse(std::move(refusal));
      co_return;
    }
    try_ = {*pod, routed_.pods.get(*pod)->endpoint};
    const auto relayed = co_await pass_to_pod();
    if (try_.no_connection) {
      auto refusal = *try_.no_connection;
      co_await refuse(std::move(refusal));
      co_return;
    }
    line_.status = relayed.status;
    if (relayed.end == End::Passed || relayed.end == End::Broken || relayed.end == End::ClientGone)
      co_return;
    const auto again = repeat_after(relayed);
    const bool waited = again && co_await pause(*again);
    if (!waited) {
      if (!client_.gone()) co_await answer_failure(relayed);
      co_return;
    }
    ++server_->repeats;
    tried_.push_back(*pod);
  }
}

std::expected<PodId, Refusal> Exchange::choose() {
  const auto now = plane_.now();
  if (session_) {
    const auto found = routed_.pods.find(session_->owner.pod, session_->owner.ip);
    if (found) return *found;
    return std::unexpected(Refusal{.limit = routing::Limit::NoPods});
  }
  if (request_.starts_session) return routed_.sessions.begin(tried_, now, plane_.random);
  return routed_.pods.choose(routing::Purpose::Call, tried_, now, plane_.random);
}

RelayTarget Exchange::target(std::shared_ptr<PodPool> pool) const {
  const auto& timeouts = routed_.settings().traffic.timeouts;
  RelayTarget target{.pool = std::move(pool),
                     .path = path(),
                     .session = session_ ? session_->backend_id : std::string(),
                     .connect_timeout = timeouts.connect,
                     .deadline = deadline_,
                     .write_timeout = timeouts.write};
  if (timeouts.read.count() > 0 && request_.calls && !request_.listens)
    target.read_timeout = timeouts.read;
  append_field(target.fields, kForwardedField, "1");
  return target;
}

Task<RelayOutcome> Exchange::pass_to_pod() {
  const auto begin = plane_.now();
  if (calls_) routed_.pods.begin(try_.pod, begin);
  auto pool = server_->pool_of(*routed_.pods.get(try_.pod));
  auto relayed = co_await relay_over(std::move(pool));
  const auto took = plane_.now() - begin;
  if (calls_ && relayed.end != End::NotConnected && !try_.no_connection) {
    server_->observe(Phase::Connect, relayed.connect);
    server_->observe(Phase::FirstByte, relayed.first_byte);
    server_->observe(Phase::Stream, took - relayed.connect - relayed.first_byte);
  }
  end_try(relayed, took);
  co_return relayed;
}

// Holds a connection of the pod for as long as it takes. The time for which it waited for one
// counts as that of connecting.
Task<RelayOutcome> Exchange::relay_over(std::shared_ptr<PodPool> pool) {
  const auto begin = plane_.now();
  PodPool::Lease lease(pool);
  if (calls_) {
    try_.no_connection = co_await lease.acquire(client_, caller_.id, deadline_);
    if (try_.no_connection) co_return RelayOutcome{.end = End::Declined};
    if (client_.gone()) co_return RelayOutcome{.end = End::ClientGone};
  } else {
    lease.acquire_beside();
  }
  const auto waited = plane_.now() - begin;
  auto to = target(std::move(pool));
  auto* const calls = calls_ ? &*calls_ : nullptr;
  auto relayed = co_await relay(plane_, client_, std::move(to), *this, calls);
  relayed.connect += waited;
  co_return relayed;
}

void Exchange::end_try(const RelayOutcome& relayed, Duration took) {
  line_.pod = try_.endpoint.pod;
  line_.connect += relayed.connect;
  line_.first_byte = relayed.first_byte;
  if (request_.starts_session && !try_.minted) routed_.sessions.abandoned(try_.pod);
  if (relayed.end == End::NotConnected || relayed.end == End::Unanswered)
    log::warn(
        "a pod did not answer",
        {{"server", server_->text()}, {"pod", try_.endpoint.pod}, {"reason", relayed.reason}});
  if (!calls_) return;
  // One who said that it cannot take it has not failed.
  const bool not_asked = try_.refused || try_.no_connection;
  const auto outcome =
      not_asked ? routing::Outcome::Cancelled : outcome_of(relayed, calls_->failed());
  const auto ejected = routed_.pods.end(try_.pod, outcome, took, plane_.now());
  if (!ejected) return;
  ++server_->ejections;
  log::warn("a pod is left out for a time", {{"server", server_->text()},
                                             {"pod", try_.endpoint.pod},
                                             {"time", format_duration(*ejected)}});
}

routing::Attempt Exchange::attempt(Reached reached, routing::Outcome outcome) {
  const auto now = plane_.now();
  auto tried = tried_;
  tried.push_back(try_.pod);
  const auto purpose =
      request_.starts_session ? routing::Purpose::NewSession : routing::Purpose::Call;
  return {.number = line_.tries,
          .reached = reached,
          .outcome = outcome,
          .safe = request_.safe,
          .other_pod = !session_ && routed_.pods.other_than(tried, purpose, now),
          .time_left = deadline_ == MonotonicTime::max() ? Duration::max() : deadline_ - now};
}

std::optional<Duration> Exchange::repeat_after(const RelayOutcome& relayed) {
  auto reached = Reached::Written;
  if (relayed.end == End::NotConnected) reached = Reached::Nothing;
  if (try_.refused) reached = Reached::Refused;
  return routing::retry_after(routed_.settings().traffic.retries,
                              attempt(reached, outcome_of(relayed, false)), routed_.retries,
                              plane_.random);
}

// False: the client went away meanwhile.
Task<bool> Exchange::pause(Duration time) {
  if (time.count() <= 0) co_return !client_.gone();
  Waiter waiter(plane_.io);
  client_.start_watching([&waiter] { waiter.wake(Waiter::End::Late); });
  co_await waiter.wait(plane_.now() + time);
  client_.stop_watching();
  co_return !client_.gone();
}

bool Exchange::on_head(const ResponseHead& head) {
  try_.refused = !head.refused.empty();
  if (head.refused == kRefusedDraining) routed_.pods.set_draining(try_.pod);
  if (try_.refused) return false;
  if (is_pod_failure(head.status)) {
    const auto again = attempt(Reached::Written, routing::Outcome::BadStatus);
    if (again.other_pod && again.number < routed_.settings().traffic.retries.attempts &&
        routing::may_repeat(again) && routed_.retries.left() >= 1)
      return false;
  }
  const auto now = plane_.now();
  if (session_) {
    const auto key = session_key(session_->backend_id);
    const bool ends = client_.request().method() == http::verb::delete_ && head.status < 300;
    if (ends || head.status == 404) {
      routed_.sessions.ended(key);
    } else {
      routed_.sessions.used(try_.pod, key, now);
      hold(session_->backend_id);
    }
  } else if (request_.starts_session && !head.session.empty() && head.status < 400) {
    try_.minted = true;
    routed_.sessions.minted(try_.pod, session_key(head.session), now);
    hold(head.session);
  }
  return true;
}

routing::SessionKey Exchange::session_key(std::string_view session) const {
  return short_digest(sha256({try_.endpoint.pod, try_.endpoint.address, session}));
}

// While this exchange lasts its session is not idle.
void Exchange::hold(std::string_view session) {
  if (held_) return;
  held_ = session_key(session);
  routed_.sessions.hold(*held_);
}

std::optional<std::string> Exchange::session_for_client(std::string_view from_server) {
  if (session_ && from_server == session_->backend_id) return request_.session;
  const Owner owner{try_.endpoint.pod, try_.endpoint.address, try_.endpoint.port};
  auto id = plane_.keys.seal({owner, std::string(from_server)}, binding());
  if (id) return std::move(*id);
  log::warn("a session id was left out", {{"reason", id.error().message}});
  return std::nullopt;
}

Task<> Exchange::refuse(Refusal refusal) {
  ++server_->refusals[refusal.limit];
  std::string fields;
  append_field(fields, "Retry-After", std::to_string(refusal.retry_after_seconds()));
  auto reply = error_answer(refusal.status(), id(), ErrorCode::ServerError,
                            server_->text() + ": " + refusal.message(), std::move(fields));
  co_await answer(std::move(reply));
}

Task<> Exchange::answer_failure(const RelayOutcome& relayed) {
  const auto who = "pod " + try_.endpoint.pod + " of " + server_->text();
  if (try_.refused) {
    auto reply = error_answer(503, id(), ErrorCode::ServerError,
                              who + " takes nothing new; try again", "Retry-After: 1\r\n");
    co_await answer(std::move(reply));
  } else if (relayed.end == End::Declined) {
    auto reply = error_answer(relayed.status, id(), ErrorCode::ServerError,
                              who + " answered with status " + std::to_string(relayed.status));
    co_await answer(std::move(reply));
  } else {
    auto reply = error_answer(relayed.timed_out && relayed.end != End::NotConnected ? 504 : 502,
                              id(), ErrorCode::ServerError, who + " " + relayed.reason);
    co_await answer(std::move(reply));
  }
}

Task<> Exchange::answer_lost(std::string why) {
  auto reply = session_not_found(client_, why);
  co_await answer(std::move(reply));
}

Task<> Exchange::answer(Answer reply) {
  line_.status = reply.status;
  co_await client_.answer(std::move(reply));
}

void Exchange::finish() {
  const auto now = plane_.now();
  if (calls_) calls_->end_all(!client_.gone(), now);
  if (!request_.calls) return;
  const int sample = plane_.access_log_sample;
  if (sample == 0 || plane_.calls++ % static_cast<std::uint64_t>(sample) != 0) return;
  line_.took = now - start_;
  line_.failed = calls_->failed();
  line_.client = client_.peer();
  log_access(line_, *server_, request_);
}

}  // namespace

Task<> exchange(GatewayPlane& plane, ClientLink& client, std::shared_ptr<GatewayServer> server,
                std::string document) {
  Exchange run(plane, client, std::move(server), std::move(document));
  co_await run.run();
}

}  // namespace mcpfleet::proxy
