// Reads JSON-RPC messages piece by piece and keeps only what a proxy needs to know, in constant
// memory: no tree is built, so a large body costs little more than reading its bytes once.
//
// Thread safety: a plain value.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mcpfleet::mcp {

// Where a value is in the text that was fed: [begin, end). Both 0: it is not there.
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool operator==(const Span&) const = default;
};

// What is known of one JSON-RPC message. Texts are unescaped and cut after
// MessageScanner::kMaxText bytes, so that they are bounded.
struct Message {
  enum class Kind { Request, Notification, Response, Unknown };

  // By its members: a method with an id, a method without, a result or error, none of these.
  Kind kind() const;

  std::string method;
  std::string id;              // raw JSON, such as 7 or "a"; empty: absent or null
  std::string name;            // params.name: the tool of tools/call
  std::string progress_token;  // raw JSON of params._meta.progressToken (of a request)
  std::string reported_token;  // raw JSON of params.progressToken (of notifications/progress)
  std::string request_id;      // raw JSON of params.requestId (notifications/cancelled)
  std::string uri;             // params.uri: the resource of resources/read
  // Of 2026-07-28, in _meta of params or of result: raw JSON of the subscription that the message
  // belongs to; the version that a request is in, and whether it says what its client can do.
  std::string subscription_id;
  std::string protocol_version;
  bool has_client_capabilities = false;
  bool has_result = false;
  bool has_error = false;
  bool is_error = false;  // result.isError is true
  int error_code = 0;     // error.code
  // Where the values of the same names are; the last one of several.
  Span id_at;
  Span progress_token_at;
  Span reported_token_at;
  Span request_id_at;
  Span subscription_id_at;
  // Where it is in the text that was fed: [begin, end).
  std::size_t begin = 0;
  std::size_t end = 0;
};

class MessageScanner {
 public:
  static constexpr std::size_t kMaxDepth = 192;     // nesting of objects and arrays
  static constexpr std::size_t kMaxMessages = 256;  // of one batch
  static constexpr std::size_t kMaxText = 512;

  // Takes the next bytes. False: not JSON, or over a limit; it stays so until reset().
  bool feed(std::string_view bytes);
  // Says that the text is over. True where it was one complete JSON value: a message, or an array
  // of messages.
  bool finish();
  // Whether what was fed so far is one complete JSON value.
  bool complete() const { return state_ == State::Done; }
  void reset();

  // What made feed() or finish() false, one sentence for a person.
  std::string_view problem() const { return problem_; }
  bool batch() const { return batch_; }
  const std::vector<Message>& messages() const { return messages_; }

 private:
  enum class State : std::uint8_t {
    Value,
    FirstElement,
    FirstKey,
    Key,
    Colon,
    AfterValue,
    String,
    Escape,
    Literal,
    Done,
    Broken
  };
  enum class Slot : std::uint8_t {
    None,
    Key,
    Method,
    Id,
    Name,
    Uri,
    ProgressToken,
    ReportedToken,
    RequestId,
    SubscriptionId,
    ProtocolVersion,
    ClientCapabilities,
    IsError,
    ErrorCode
  };
  // The member of the message, or of its params or result, that is being read.
  enum class Member : std::uint8_t { Other, Params, Result, Error, Meta };

  bool step(char c);
  bool start_value(char c);
  bool start_container(bool object);
  bool end_container(bool object);
  void end_value();
  bool end_string();
  bool end_key();
  void enter_message_member(std::string_view key);
  void enter_inner_member(std::string_view key);
  void enter_meta_member(std::string_view key);
  void end_literal();
  bool literal_is_valid() const;
  void store(bool text);
  void store_raw(std::string Message::* member, Span Message::* at, bool text);
  bool note_value_start(char c);
  bool seen_before(std::string_view key);
  bool fail(std::string_view problem);
  const char* skip_string(const char* from, const char* end);

  std::size_t level() const { return depth_ - (batch_ ? 1 : 0); }
  bool in_object() const { return depth_ > 0 && objects_[depth_ - 1]; }

  State state_ = State::Value;
  Slot slot_ = Slot::None;       // where the value that is being read goes
  Slot next_slot_ = Slot::None;  // where the value of the last key goes
  Member message_member_ = Member::Other;
  Member inner_member_ = Member::Other;
  std::uint32_t seen_ = 0;       // which of the members that others route by were there already
  std::size_t value_begin_ = 0;  // of the value that is being read
  bool key_ = false;             // the string being read is a key
  bool escaped_ = false;         // it contains an escape
  bool batch_ = false;
  std::size_t depth_ = 0;
  std::size_t offset_ = 0;
  std::array<bool, kMaxDepth> objects_{};
  std::string capture_;
  std::vector<Message> messages_;
  std::string_view problem_;
};

}  // namespace mcpfleet::mcp
