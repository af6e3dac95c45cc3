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

// What is known of one JSON-RPC message. Texts are unescaped and cut after
// MessageScanner::kMaxText bytes, so that they are bounded.
struct Message {
  enum class Kind { Request, Notification, Response, Unknown };

  // By its members: a method with an id, a method without, a result or error, none of these.
  Kind kind() const;

  std::string method;
  std::string id;              // raw JSON, such as 7 or "a"; empty: absent or null
  std::string name;            // params.name: the tool of tools/call
  std::string progress_token;  // raw JSON of params.progressToken or params._meta.progressToken
  std::string request_id;      // raw JSON of params.requestId (notifications/cancelled)
  bool has_result = false;
  bool has_error = false;
  bool is_error = false;  // result.isError is true
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
  enum class Slot : std::uint8_t { None, Key, Method, Id, Name, ProgressToken, RequestId, IsError };
  // The member of the message, or of its params, that is being read.
  enum class Member : std::uint8_t { Other, Params, Result, Meta };

  bool step(char c);
  bool start_value(char c);
  bool start_container(bool object);
  bool end_container(bool object);
  void end_value();
  bool end_string();
  void end_key();
  void end_literal();
  bool literal_is_valid() const;
  void store(bool text);
  void note_value_start(char c);
  bool fail(std::string_view problem);
  const char* skip_string(const char* from, const char* end);

  std::size_t level() const { return depth_ - (batch_ ? 1 : 0); }
  bool in_object() const { return depth_ > 0 && objects_[depth_ - 1]; }

  State state_ = State::Value;
  Slot slot_ = Slot::None;       // where the value that is being read goes
  Slot next_slot_ = Slot::None;  // where the value of the last key goes
  Member message_member_ = Member::Other;
  Member params_member_ = Member::Other;
  bool key_ = false;      // the string being read is a key
  bool escaped_ = false;  // it contains an escape
  bool batch_ = false;
  std::size_t depth_ = 0;
  std::size_t offset_ = 0;
  std::array<bool, kMaxDepth> objects_{};
  std::string capture_;
  std::vector<Message> messages_;
  std::string_view problem_;
};

}  // namespace mcpfleet::mcp
