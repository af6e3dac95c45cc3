#include "mcp/message_scanner.h"

#include <algorithm>
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
  message_member_ = params_member_ = Member::Other;
  key_ = escaped_ = batch_ = false;
  depth_ = offset_ = 0;
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
  note_value_start(c);
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
void MessageScanner::note_value_start(char c) {
  if (level() != 1 || messages_.empty()) return;
  if (message_member_ == Member::Result) messages_.back().has_result = true;
  if (message_member_ == Member::Meta) messages_.back().has_error = c != 'n';
}

bool MessageScanner::start_container(bool object) {
  if (depth_ == kMaxDepth) return fail("it is nested too deeply");
  if (depth_ == 0 && !object) batch_ = true;
  const bool message = object && depth_ == (batch_ ? 1u : 0u);
  if (message) {
    if (messages_.size() == kMaxMessages) return fail("the batch holds too many messages");
    messages_.emplace_back().begin = offset_;
    message_member_ = params_member_ = Member::Other;
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
    end_key();
    state_ = State::Colon;
    return true;
  }
  if (slot_ == Slot::Id && capture_.size() >= kMaxText) return fail("an id is too long");
  store(true);
  end_value();
  return true;
}

// Finds out where the value of this key goes.
void MessageScanner::end_key() {
  next_slot_ = Slot::None;
  if (slot_ == Slot::None) return;
  slot_ = Slot::None;
  if (escaped_) capture_ = unescape(capture_);
  const std::string_view key = capture_;
  if (level() == 1) {
    message_member_ = key == "params"   ? Member::Params
                      : key == "result" ? Member::Result
                      : key == "error"  ? Member::Meta
                                        : Member::Other;
    params_member_ = Member::Other;
    if (key == "method") next_slot_ = Slot::Method;
    if (key == "id") next_slot_ = Slot::Id;
  } else if (level() == 2 && message_member_ == Member::Params) {
    params_member_ = key == "_meta" ? Member::Meta : Member::Other;
    if (key == "name") next_slot_ = Slot::Name;
    if (key == "progressToken") next_slot_ = Slot::ProgressToken;
    if (key == "requestId") next_slot_ = Slot::RequestId;
  } else if (level() == 2 && message_member_ == Member::Result) {
    if (key == "isError") next_slot_ = Slot::IsError;
  } else if (level() == 3 && message_member_ == Member::Params && params_member_ == Member::Meta) {
    if (key == "progressToken") next_slot_ = Slot::ProgressToken;
  }
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

void MessageScanner::store(bool text) {
  if (slot_ == Slot::None || messages_.empty()) return;
  auto& message = messages_.back();
  const bool null = !text && capture_ == "null";
  const auto raw = text ? quoted(capture_, escaped_) : (null ? std::string() : capture_);
  switch (slot_) {
    case Slot::Method:
      if (text) message.method = escaped_ ? unescape(capture_) : capture_;
      break;
    case Slot::Name:
      if (text) message.name = escaped_ ? unescape(capture_) : capture_;
      break;
    case Slot::Id:
      message.id = raw;
      break;
    case Slot::ProgressToken:
      message.progress_token = raw;
      break;
    case Slot::RequestId:
      message.request_id = raw;
      break;
    case Slot::IsError:
      message.is_error = !text && capture_ == "true";
      break;
    case Slot::None:
    case Slot::Key:
      break;
  }
}

bool MessageScanner::finish() {
  if (state_ == State::Broken) return false;
  if (state_ != State::Done) return fail("it ends too early");
  return true;
}

}  // namespace mcpfleet::mcp
