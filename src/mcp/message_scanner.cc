#include "mcp/message_scanner.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>

namespace mcpfleet::mcp {
namespace {

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

bool ends_literal(char c) {
  return is_space(c) || c == ',' || c == ']' || c == '}' || c == ':' || c == '"' || c == '[' ||
         c == '{';
}

// The text of a JSON string's inside. Only called where there is an escape, which is rare.
std::string unescape(const std::string& inside) {
  const auto value = nlohmann::json::parse("\"" + inside + "\"", nullptr, false);
  return value.is_string() ? value.get<std::string>() : inside;
}

// Raw JSON of a string, in one spelling whatever escapes the sender chose.
std::string quoted(const std::string& inside, bool escaped) {
  if (!escaped) return "\"" + inside + "\"";
  return nlohmann::json(unescape(inside))
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

Message::Kind Message::kind() const {
  if (!method.empty()) return id.empty() ? Kind::Notification : Kind::Request;
  return has_result || has_error ? Kind::Response : Kind::Unknown;
}

void MessageScanner::reset() {
  state_ = State::Value;
  slot_ = next_slot_ = Slot::None;
  message_member_ = inner_member_ = Member::Other;
  key_ = escaped_ = batch_ = false;
  seen_ = 0;
  depth_ = offset_ = value_begin_ = 0;
  capture_.clear();
  messages_.clear();
  problem_ = {};
}

bool MessageScanner::fail(std::string_view problem) {
  state_ = State::Broken;
  problem_ = problem;
  return false;
}

bool MessageScanner::feed(std::string_view bytes) {
  if (state_ == State::Broken) return false;
  const char* const begin = bytes.data();
  const char* const end = begin + bytes.size();
  const auto base = offset_;
  for (const char* at = begin; at != end; ++at) {
    if (state_ == State::String) {
      at = skip_string(at, end);
      if (at == end) break;
    }
    offset_ = base + static_cast<std::size_t>(at - begin);
    if (!step(*at)) return false;
  }
  offset_ = base + bytes.size();
  return true;
}

// Runs over the inside of a string to the next quote or backslash.
const char* MessageScanner::skip_string(const char* from, const char* end) {
  const char* at = from;
  const auto left = static_cast<std::size_t>(end - from);
  const auto* quote = static_cast<const char*>(std::memchr(from, '"', left));
  const auto span = quote == nullptr ? left : static_cast<std::size_t>(quote - from);
  const auto* slash = static_cast<const char*>(std::memchr(from, '\\', span));
  at = slash != nullptr ? slash : (quote != nullptr ? quote : end);
  if (slot_ != Slot::None && capture_.size() < kMaxText) {
    const auto size = static_cast<std::size_t>(at - from);
    capture_.append(from, std::min(size, kMaxText - capture_.size()));
  }
  return at;
}

bool MessageScanner::step(char c) {
  switch (state_) {
    case State::String:
      if (c == '"') return end_string();
      escaped_ = true;  // skip_string() stops at a quote or a backslash only
      if (slot_ != Slot::None) capture_ += c;
      state_ = State::Escape;
      return true;
    case State::Escape:
      if (std::strchr("\"\\/bfnrtu", c) == nullptr || c == '\0')
        return fail("a string has an escape that JSON does not know");
      if (slot_ != Slot::None) capture_ += c;
      state_ = State::String;
      return true;
    case State::Literal:
      if (!ends_literal(c)) {
        if (capture_.size() >= kMaxText) return fail("a number or word is too long");
        capture_ += c;
        return true;
      }
      if (!literal_is_valid()) return fail("a value is not JSON");
      end_literal();
      return step(c);
    case State::Broken:
      return false;
    default:
      break;
  }
  if (is_space(c)) return true;
  switch (state_) {
    case State::FirstElement:
      if (c == ']') return end_container(false);
      return start_value(c);
    case State::Value:
      return start_value(c);
    case State::FirstKey:
      if (c == '}') return end_container(true);
      [[fallthrough]];
    case State::Key:
      if (c != '"') return fail("an object's key is missing");
      key_ = true;
      escaped_ = false;
      capture_.clear();
      slot_ = level() <= 3 ? Slot::Key : Slot::None;
      state_ = State::String;
      return true;
    case State::Colon:
      if (c != ':') return fail("a colon is missing after a key");
      state_ = State::Value;
      return true;
    case State::AfterValue:
      if (c == ',') {
        state_ = in_object() ? State::Key : State::Value;
        return true;
      }
      if (c == '}' || c == ']') return end_container(c == '}');
      return fail("a comma is missing between two values");
    default:
      return fail("there is something after the end of the message");
  }
}

bool MessageScanner::start_value(char c) {
  if (depth_ == 0 && c != '{' && c != '[') return fail("a message must be a JSON object");
  if (batch_ && depth_ == 1 && c != '{') return fail("a batch must hold JSON objects");
  slot_ = next_slot_;
  next_slot_ = Slot::None;
  value_begin_ = offset_;
  if (!note_value_start(c)) return false;
  capture_.clear();
  switch (c) {
    case '{':
      return start_container(true);
    case '[':
      return start_container(false);
    case '"':
      key_ = escaped_ = false;
      state_ = State::String;
      return true;
    case ']':
    case '}':
    case ',':
    case ':':
      return fail("a value is missing");
    default:
      capture_ += c;
      state_ = State::Literal;
      return true;
  }
}

// result and error are noted by their presence; a null one is absent.
bool MessageScanner::note_value_start(char c) {
  if (messages_.empty()) return true;
  auto& message = messages_.back();
  if (level() == 1 && message_member_ == Member::Result) message.has_result = true;
  if (level() == 1 && message_member_ == Member::Error) message.has_error = c != 'n';
  if (slot_ == Slot::ClientCapabilities) message.has_client_capabilities = c == '{';
  if (slot_ == Slot::Id && (c == '{' || c == '[' || c == 't' || c == 'f'))
    return fail("an id must be a string or a number");
  return true;
}

bool MessageScanner::start_container(bool object) {
  if (depth_ == kMaxDepth) return fail("it is nested too deeply");
  if (depth_ == 0 && !object) batch_ = true;
  const bool message = object && depth_ == (batch_ ? 1u : 0u);
  if (message) {
    if (messages_.size() == kMaxMessages) return fail("the batch holds too many messages");
    messages_.emplace_back().begin = offset_;
    message_member_ = inner_member_ = Member::Other;
    seen_ = 0;
  }
  slot_ = Slot::None;
  objects_[depth_++] = object;
  state_ = object ? State::FirstKey : State::FirstElement;
  return true;
}

bool MessageScanner::end_container(bool object) {
  if (depth_ == 0 || in_object() != object) return fail("a bracket does not fit its opening one");
  --depth_;
  if (object && level() == 0) messages_.back().end = offset_ + 1;
  end_value();
  return true;
}

void MessageScanner::end_value() {
  slot_ = Slot::None;
  state_ = depth_ == 0 ? State::Done : State::AfterValue;
}

bool MessageScanner::end_string() {
  if (key_) {
    state_ = State::Colon;
    return end_key();
  }
  if (slot_ == Slot::Id && capture_.size() >= kMaxText) return fail("an id is too long");
  store(true);
  end_value();
  return true;
}

// Whoever routes by a member and whoever acts on it could take different ones of two, so that one
// client's message would pass for another's: such a message is refused. Some parsers even take "ID"
// for "id".
bool MessageScanner::seen_before(std::string_view key) {
  static constexpr std::array<std::string_view, 8> kOnce{
      "id", "method", "params", "result", "error", "_meta", "progressToken", "requestId"};
  const auto same = [](char a, char b) { return (a | 0x20) == (b | 0x20); };
  for (std::size_t i = 0; i < kOnce.size(); ++i) {
    const bool outer = i < 5;
    if (outer != (level() == 1)) continue;
    if (key.size() != kOnce[i].size() || !std::ranges::equal(key, kOnce[i], same)) continue;
    const auto bit = 1u << (level() == 3 ? i + kOnce.size() : i);
    const bool again = (seen_ & bit) != 0;
    seen_ |= bit;
    if (again) return true;
  }
  return false;
}

// Finds out where the value of this key goes.
bool MessageScanner::end_key() {
  next_slot_ = Slot::None;
  if (slot_ == Slot::None) return true;
  slot_ = Slot::None;
  if (escaped_) capture_ = unescape(capture_);
  const std::string_view key = capture_;
  const bool routed = level() == 1 || message_member_ == Member::Params;
  if (level() == 1) {
    enter_message_member(key);
  } else if (level() == 2) {
    enter_inner_member(key);
  } else if (level() == 3 && inner_member_ == Member::Meta) {
    enter_meta_member(key);
  } else {
    return true;
  }
  return !routed || !seen_before(key) || fail("a member that must be there once is there twice");
}

void MessageScanner::enter_message_member(std::string_view key) {
  message_member_ = key == "params"   ? Member::Params
                    : key == "result" ? Member::Result
                    : key == "error"  ? Member::Error
                                      : Member::Other;
  inner_member_ = Member::Other;
  if (key == "method") next_slot_ = Slot::Method;
  if (key == "id") next_slot_ = Slot::Id;
}

void MessageScanner::enter_inner_member(std::string_view key) {
  inner_member_ = Member::Other;
  if (message_member_ == Member::Error && key == "code") next_slot_ = Slot::ErrorCode;
  if (message_member_ != Member::Params && message_member_ != Member::Result) return;
  if (key == "_meta") inner_member_ = Member::Meta;
  if (message_member_ == Member::Result) {
    if (key == "isError") next_slot_ = Slot::IsError;
    return;
  }
  if (key == "name") next_slot_ = Slot::Name;
  if (key == "uri") next_slot_ = Slot::Uri;
  if (key == "progressToken") next_slot_ = Slot::ReportedToken;
  if (key == "requestId") next_slot_ = Slot::RequestId;
}

void MessageScanner::enter_meta_member(std::string_view key) {
  if (key == "io.modelcontextprotocol/subscriptionId") next_slot_ = Slot::SubscriptionId;
  if (message_member_ != Member::Params) return;
  if (key == "progressToken") next_slot_ = Slot::ProgressToken;
  if (key == "io.modelcontextprotocol/protocolVersion") next_slot_ = Slot::ProtocolVersion;
  if (key == "io.modelcontextprotocol/clientCapabilities") next_slot_ = Slot::ClientCapabilities;
}

bool MessageScanner::literal_is_valid() const {
  if (capture_ == "true" || capture_ == "false" || capture_ == "null") return true;
  const char first = capture_.front();
  if (first != '-' && (first < '0' || first > '9')) return false;
  return std::ranges::all_of(capture_, [](char c) {
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
  });
}

void MessageScanner::end_literal() {
  store(false);
  end_value();
}

void MessageScanner::store_raw(std::string Message::* member, Span Message::* at, bool text) {
  auto& message = messages_.back();
  const bool null = !text && capture_ == "null";
  message.*member = text ? quoted(capture_, escaped_) : (null ? std::string() : capture_);
  message.*at = {value_begin_, offset_ + (text ? 1 : 0)};
}

void MessageScanner::store(bool text) {
  if (slot_ == Slot::None || messages_.empty()) return;
  auto& message = messages_.back();
  const auto inside = [&] { return escaped_ ? unescape(capture_) : capture_; };
  switch (slot_) {
    case Slot::Method:
      if (text) message.method = inside();
      break;
    case Slot::Name:
      if (text) message.name = inside();
      break;
    case Slot::Uri:
      if (text) message.uri = inside();
      break;
    case Slot::ProtocolVersion:
      if (text) message.protocol_version = inside();
      break;
    case Slot::Id:
      store_raw(&Message::id, &Message::id_at, text);
      break;
    case Slot::ProgressToken:
      store_raw(&Message::progress_token, &Message::progress_token_at, text);
      break;
    case Slot::ReportedToken:
      store_raw(&Message::reported_token, &Message::reported_token_at, text);
      break;
    case Slot::RequestId:
      store_raw(&Message::request_id, &Message::request_id_at, text);
      break;
    case Slot::SubscriptionId:
      store_raw(&Message::subscription_id, &Message::subscription_id_at, text);
      break;
    case Slot::IsError:
      message.is_error = !text && capture_ == "true";
      break;
    case Slot::ErrorCode:
      if (!text)
        std::from_chars(capture_.data(), capture_.data() + capture_.size(), message.error_code);
      break;
    case Slot::None:
    case Slot::Key:
    case Slot::ClientCapabilities:
      break;
  }
}

bool MessageScanner::finish() {
  if (state_ == State::Broken) return false;
  if (state_ != State::Done) return fail("it ends too early");
  return true;
}

}  // namespace mcpfleet::mcp
