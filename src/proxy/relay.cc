#include "proxy/relay.h"

#include <algorithm>
#include <array>
#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <limits>

#include "base/time_text.h"
#include "mcp/answer_scanner.h"
#include "mcp/headers.h"
#include "proxy/chunked_reader.h"

namespace mcpfleet::proxy {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using http::field;

constexpr std::uint32_t kMaxHeader = 64 * 1024;
constexpr std::size_t kPiece = 64 * 1024;

// Fields that belong to one connection (RFC 9110, 7.6.1).
bool is_hop_by_hop(field name) {
  switch (name) {
    case field::connection:
    case field::keep_alive:
    case field::proxy_authenticate:
    case field::proxy_authorization:
    case field::proxy_connection:
    case field::te:
    case field::trailer:
    case field::transfer_encoding:
    case field::upgrade:
      return true;
    default:
      return false;
  }
}

// Fields that the message's own Connection field names.
template <typename Fields>
bool named_by_connection(const Fields& fields, beast::string_view name) {
  const auto found = fields.find(field::connection);
  return found != fields.end() && http::token_list(found->value()).exists(name);
}

beast::string_view to_beast(std::string_view text) { return {text.data(), text.size()}; }

bool same(beast::string_view a, std::string_view b) { return beast::iequals(a, to_beast(b)); }

// What a server is told of the client, by the fields that proxies use for it.
class Forwarded {
 public:
  // `secure`: the client speaks TLS with us, so that no proxy is before us.
  explicit Forwarded(bool secure) : secure_(secure) {}

  // Whether a field is one of them.
  bool takes(beast::string_view name, std::string_view value) {
    if (same(name, "X-Forwarded-For")) {
      addresses_.append(value).append(", ");
    } else if (same(name, "X-Forwarded-Host")) {
      host_ = value;
    } else if (same(name, "X-Forwarded-Proto")) {
      protocol_ = value;
    } else {
      return secure_ && same(name, "Forwarded");
    }
    return true;
  }

  void append_to(std::string& head, std::string_view peer, std::string_view host) const {
    const auto ours = [this](std::string_view told) { return secure_ || told.empty(); };
    append_field(head, "X-Forwarded-For", addresses_ + std::string(peer));
    if (!ours(host_) || !host.empty())
      append_field(head, "X-Forwarded-Host", ours(host_) ? host : host_);
    append_field(head, "X-Forwarded-Proto",
                 ours(protocol_) ? (secure_ ? "https" : "http") : protocol_);
  }

 private:
  const bool secure_;
  std::string addresses_;
  std::string_view host_;
  std::string_view protocol_;
};

// How the end of a body is known.
enum class Framing { None, Length, Chunked, UntilClose };

class Relay {
 public:
  Relay(DataPlane& plane, ClientLink& client, RelayTarget target, RelayWatcher& watcher,
        OpenCalls* calls)
      : plane_(plane),
        client_(client),
        target_(std::move(target)),
        watcher_(watcher),
        calls_(calls) {}
  ~Relay() { leave(Closed::Unfinished); }
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  Task<RelayOutcome> run();

 private:
  using End = RelayOutcome::End;
  enum class Attempt { Over, Stale };
  struct Piece {
    std::size_t consumed = 0;
    std::string_view out;
    bool end = false;
    bool broken = false;
  };

  Task<Attempt> attempt(bool may_reuse);
  Task<bool> connect();
  Task<bool> send_request();
  Task<bool> read_response_head();
  Task<> pass_response();
  Task<bool> pass_body(std::string head);

  std::string request_head() const;
  std::string target_of_request() const;
  std::string response_head();
  std::string_view without_own_address(std::string_view location) const;
  void append_response_fields(std::string& head);
  Framing framing_of_response() const;
  Piece take(std::string_view data);
  void scan(std::string_view payload);
  void set_interrupt();
  void allow(Duration time);
  void leave(Closed why);
  void end(End how, std::string reason = {});
  std::string trouble(std::string_view what) const;

  DataPlane& plane_;
  ClientLink& client_;
  RelayTarget target_;
  RelayWatcher& watcher_;
  OpenCalls* calls_;
  RelayOutcome outcome_;
  std::unique_ptr<UpstreamConnection> upstream_;
  std::optional<http::response_parser<http::empty_body>> parser_;
  error_code error_;
  bool timed_out_ = false;

  Framing framing_ = Framing::None;
  std::uint64_t left_ = 0;  // of a body with a length
  ChunkedReader chunks_;
  bool decode_ = false;  // the client cannot read chunks
  std::string decoded_;
  mcp::AnswerScanner scanner_{mcp::AnswerScanner::Form::Other};
  std::vector<mcp::Answer> answers_;
};

Task<RelayOutcome> Relay::run() {
  const auto verb = client_.request().method();
  const bool safe =
      verb == http::verb::get || verb == http::verb::head || verb == http::verb::options;
  const auto first = co_await attempt(true);
  if (first == Attempt::Stale && safe && !client_.gone()) co_await attempt(false);
  client_.stop_watching();
  if (client_.gone()) outcome_.end = End::ClientGone;
  co_return std::move(outcome_);
}

void Relay::end(End how, std::string reason) {
  outcome_.end = how;
  outcome_.timed_out = timed_out_;
  outcome_.reason = std::move(reason);
}

// "WHAT: the system's words", or that there was no more time.
std::string Relay::trouble(std::string_view what) const {
  return std::string(what) + ": " + (timed_out_ ? "the time for it is over" : error_.message());
}

// Sends the request and passes the response. Stale: a connection from the pool was closed already.
Task<Relay::Attempt> Relay::attempt(bool may_reuse) {
  leave(Closed::Stale);  // of the attempt before
  if (may_reuse) upstream_ = target_.pool->take(plane_.now());
  const bool reused = may_reuse && upstream_ != nullptr;
  if (!reused) {
    const bool connected = co_await connect();
    if (!connected) co_return Attempt::Over;
  }
  const auto start = plane_.now();
  const bool sent = co_await send_request();
  const bool answered = sent && co_await read_response_head();
  if (!answered) {
    const bool silent = upstream_->buffer.size() == 0 && !parser_->got_some();
    end(End::Unanswered,
        trouble(timed_out_ ? "has not answered" : "closed the connection without an answer"));
    co_return reused&& silent && !timed_out_ ? Attempt::Stale : Attempt::Over;
  }
  client_.deadline = target_.deadline;
  outcome_.first_byte = plane_.now() - start;
  co_await pass_response();
  co_return Attempt::Over;
}

// Closes the connection, where there is one.
void Relay::leave(Closed why) {
  if (upstream_ != nullptr) target_.pool->drop(std::move(upstream_), why);
}

void Relay::set_interrupt() {
  client_.start_watching([this] {
    timed_out_ = !client_.gone();
    error_code ignored;
    upstream_->socket.close(ignored);
  });
}

// Of what is waited for next.
void Relay::allow(Duration time) {
  client_.deadline =
      time == Duration::max() ? target_.deadline : std::min(plane_.now() + time, target_.deadline);
}

Task<bool> Relay::connect() {
  upstream_ = target_.pool->make();
  set_interrupt();
  const auto start = plane_.now();
  allow(target_.connect_timeout);
  error_.clear();
  co_await upstream_->socket.async_connect(target_.pool->endpoint(), caught(error_));
  client_.deadline = target_.deadline;
  outcome_.connect = plane_.now() - start;
  if (error_) {
    auto why = error_.message();
    if (timed_out_) why = "no answer in " + format_duration(target_.connect_timeout);
    end(End::NotConnected, "cannot be reached: " + why);
    leave(Closed::Unconnected);
    co_return false;
  }
  upstream_->tune();
  co_return true;
}

std::string Relay::target_of_request() const {
  const auto target = to_view(client_.request().target());
  if (target_.path.empty()) return std::string(target);
  const auto query = target.find('?');
  return target_.path + std::string(query == target.npos ? "" : target.substr(query));
}

std::string Relay::request_head() const {
  const auto& request = client_.request();
  std::string head;
  head.reserve(1024);
  head.append(to_view(request.method_string())).append(" ");
  head.append(target_of_request()).append(" HTTP/1.1\r\n");
  Forwarded forwarded(client_.secure());
  std::string_view host;
  for (const auto& one : request) {
    const auto name = one.name();
    if (is_hop_by_hop(name) || name == field::content_length || name == field::expect) continue;
    const auto text = one.name_string();
    if (name == field::host) {
      host = to_view(one.value());
      continue;
    }
    if (name == field::unknown) {
      if (same(text, mcp::kSessionId) || same(text, kForwardedField)) continue;
    }
    if (forwarded.takes(text, to_view(one.value()))) continue;
    if (named_by_connection(request, text)) continue;
    append_field(head, to_view(text), to_view(one.value()));
  }
  // Servers that listen on loopback refuse a foreign Host (protection against DNS rebinding).
  append_field(head, "Host", target_.host.empty() ? host : std::string_view(target_.host));
  forwarded.append_to(head, client_.peer(), host);
  if (!target_.session.empty()) append_field(head, mcp::kSessionId, target_.session);
  head.append(target_.fields);
  if (!request.body().empty() || request.method() == http::verb::post)
    append_field(head, "Content-Length", std::to_string(request.body().size()));
  return head.append("\r\n");
}

Task<bool> Relay::send_request() {
  set_interrupt();
  allow(target_.write_timeout);
  parser_.emplace();
  const auto head = request_head();
  const std::string& body = client_.request().body();
  std::array<asio::const_buffer, 2> parts{asio::buffer(head), asio::buffer(body)};
  error_.clear();
  const auto sent = upstream_->socket.write_some(parts, error_);
  if (error_ == asio::error::would_block) error_.clear();
  if (!error_ && sent < head.size() + body.size()) {
    parts[0] += sent;
    parts[1] += sent - std::min(sent, head.size());
    co_await asio::async_write(upstream_->socket, parts, caught(error_));
  }
  co_return !error_;
}

Task<bool> Relay::read_response_head() {
  allow(target_.read_timeout);
  for (;;) {
    parser_.emplace();
    parser_->header_limit(kMaxHeader);
    parser_->body_limit(std::numeric_limits<std::uint64_t>::max());
    co_await http::async_read_header(upstream_->socket, upstream_->buffer, *parser_,
                                     caught(error_));
    if (error_) co_return false;
    const auto status = parser_->get().result_int();
    if (status == 101) {
      error_ = http::make_error_code(http::error::bad_status);
      co_return false;
    }
    if (status >= 200) break;  // 100 and 103 are for nobody
  }
  const auto coding = parser_->get().find(field::transfer_encoding);
  if (coding != parser_->get().end() && !same(coding->value(), "chunked")) {
    error_ = http::make_error_code(http::error::bad_transfer_encoding);
    co_return false;
  }
  co_return true;
}

Framing Relay::framing_of_response() const {
  const auto status = parser_->get().result_int();
  if (client_.request().method() == http::verb::head || status == 204 || status == 304)
    return Framing::None;
  if (parser_->chunked()) return Framing::Chunked;
  return parser_->content_length() ? Framing::Length : Framing::UntilClose;
}

Task<> Relay::pass_response() {
  const auto& response = parser_->get();
  outcome_.status = static_cast<int>(response.result_int());
  const auto value_of = [&response](std::string_view name) {
    const auto found = response.find(to_beast(name));
    return found == response.end() ? std::string_view() : to_view(found->value());
  };
  const ResponseHead seen{outcome_.status, value_of(mcp::kSessionId), value_of(kRefusedField)};
  if (!watcher_.on_head(seen)) {
    end(End::Declined);
    co_return;
  }
  framing_ = framing_of_response();
  left_ = framing_ == Framing::Length ? *parser_->content_length() : 0;
  decode_ = framing_ == Framing::Chunked && client_.http_1_0();
  const bool endless = framing_ == Framing::UntilClose || decode_;
  if (endless || plane_.drain.draining()) client_.close_after_answer();
  const auto type = response.find(field::content_type);
  const bool failed = outcome_.status >= 500;  // whatever its body says
  if (calls_ != nullptr && !calls_->empty() && !failed && type != response.end())
    scanner_ = mcp::AnswerScanner(mcp::AnswerScanner::form_of(to_view(type->value())));
  auto head = response_head();
  const bool reusable = response.keep_alive() && framing_ != Framing::UntilClose;
  const bool whole = co_await pass_body(std::move(head));
  const auto now = plane_.now();
  if (calls_ != nullptr && failed) calls_->end_all(true, now);
  if (calls_ != nullptr && outcome_.status >= 400 && !failed) calls_->refused(now);
  end(whole ? End::Passed : End::Broken, whole ? std::string() : trouble("broke off its answer"));
  if (!whole || !upstream_->socket.is_open() || upstream_->buffer.size() > 0) co_return;
  if (!reusable) {
    leave(Closed::Final);
  } else {
    upstream_->carried_some = true;
    target_.pool->give(std::move(upstream_), now);
  }
}

// A redirect to the server's own address must lead a client back to us.
std::string_view Relay::without_own_address(std::string_view location) const {
  const auto own = "http://" + target_.host;
  return !target_.host.empty() && location.starts_with(own + "/") ? location.substr(own.size())
                                                                  : location;
}

std::string Relay::response_head() {
  const auto& response = parser_->get();
  auto head = status_line(static_cast<int>(response.result_int()));
  append_response_fields(head);
  if (framing_ == Framing::Chunked && !decode_) append_field(head, "Transfer-Encoding", "chunked");
  client_.finish_head(head);
  return head;
}

void Relay::append_response_fields(std::string& head) {
  const auto& response = parser_->get();
  bool accel = false;
  bool stream = false;
  for (const auto& one : response) {
    const auto name = one.name();
    if (is_hop_by_hop(name) || named_by_connection(response, one.name_string())) continue;
    auto value = to_view(one.value());
    if (name == field::content_length && response.result_int() == 204) continue;
    if (name == field::content_type)
      stream = mcp::AnswerScanner::form_of(value) == mcp::AnswerScanner::Form::EventStream;
    if (name == field::location) value = without_own_address(value);
    if (name == field::unknown && same(one.name_string(), mcp::kSessionId)) {
      if (const auto id = watcher_.session_for_client(value))
        append_field(head, mcp::kSessionId, *id);
      continue;
    }
    accel = accel || same(one.name_string(), "X-Accel-Buffering");
    append_field(head, to_view(one.name_string()), value);
  }
  // Tells other proxies on the way not to hold events back.
  if (stream && !accel) append_field(head, "X-Accel-Buffering", "no");
}

void Relay::scan(std::string_view payload) {
  if (calls_ == nullptr || calls_->empty()) return;
  answers_.clear();
  scanner_.feed(payload, answers_);
  for (const auto& answer : answers_) calls_->answered(answer, plane_.now());
}

// Finds out how much of `data` belongs to the body, and what of it goes to the client.
Relay::Piece Relay::take(std::string_view data) {
  Piece piece;
  switch (framing_) {
    case Framing::None:
      piece.end = true;
      break;
    case Framing::Length:
      piece.consumed = static_cast<std::size_t>(std::min<std::uint64_t>(left_, data.size()));
      piece.out = data.substr(0, piece.consumed);
      left_ -= piece.consumed;
      piece.end = left_ == 0;
      scan(piece.out);
      break;
    case Framing::UntilClose:
      piece.consumed = data.size();
      piece.out = data;
      scan(piece.out);
      break;
    case Framing::Chunked:
      decoded_.clear();
      while (piece.consumed < data.size() && !chunks_.done() && !chunks_.broken()) {
        const auto step = chunks_.next(data.substr(piece.consumed));
        piece.consumed += step.consumed;
        scan(step.payload);
        if (decode_) decoded_.append(step.payload);
      }
      piece.out = decode_ ? std::string_view(decoded_) : data.substr(0, piece.consumed);
      piece.end = chunks_.done();
      piece.broken = chunks_.broken();
      break;
  }
  return piece;
}

// Reads no further before the client took what was read: its pace is the server's. Whether the
// client has all of it.
Task<bool> Relay::pass_body(std::string head) {
  auto& buffer = upstream_->buffer;
  for (;;) {
    const auto data = buffer.data();
    const auto piece = take({static_cast<const char*>(data.data()), data.size()});
    bool ok = !piece.broken;
    if (!head.empty() || !piece.out.empty()) {
      const bool sent = co_await client_.send(head, piece.out);
      ok = ok && sent;
    }
    head.clear();
    buffer.consume(piece.consumed);
    if (ok && piece.end) co_return true;
    if (!ok) break;
    const auto room = buffer.prepare(kPiece);
    error_.clear();
    allow(target_.read_timeout);
    const auto got = co_await upstream_->socket.async_read_some(room, caught(error_));
    client_.deadline = target_.deadline;
    buffer.commit(got);
    if (error_ == asio::error::eof && framing_ == Framing::UntilClose) co_return true;
    if (error_) break;
  }
  // A body that breaks off must look so to the client: no last chunk, and the connection closes.
  client_.close_after_answer();
  error_code ignored;
  upstream_->socket.close(ignored);
  co_return false;
}

}  // namespace

Task<RelayOutcome> relay(DataPlane& plane, ClientLink& client, RelayTarget target,
                         RelayWatcher& watcher, OpenCalls* calls) {
  Relay run(plane, client, std::move(target), watcher, calls);
  auto outcome = co_await run.run();
  co_return outcome;
}

}  // namespace mcpfleet::proxy
