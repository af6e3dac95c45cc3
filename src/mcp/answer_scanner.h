// Watches the body of an HTTP response go by and tells which JSON-RPC requests it answers.
//
// Thread safety: a plain value.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mcp/message_scanner.h"
#include "mcp/sse.h"

namespace mcpfleet::mcp {

struct Answer {
  std::string id;       // raw JSON; empty where the server did not say whose answer it is
  bool failed = false;  // a JSON-RPC error, or a result with isError
};

class AnswerScanner final : private EventSink {
 public:
  enum class Form { Json, EventStream, Other };

  // By the Content-Type of the response.
  static Form form_of(std::string_view content_type);

  explicit AnswerScanner(Form form) : form_(form) {}

  // Takes the next bytes of the body, and appends the answers that are complete.
  void feed(std::string_view bytes, std::vector<Answer>& answers);

 private:
  void on_data(std::string_view bytes) override { scanner_.feed(bytes); }
  void on_event(std::string_view type) override;
  void take(std::vector<Answer>& answers);

  Form form_;
  MessageScanner scanner_;
  SseReader reader_;
  std::vector<Answer>* answers_ = nullptr;  // set while feed() runs
};

}  // namespace mcpfleet::mcp
