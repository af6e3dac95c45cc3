#include "mcp/answer_scanner.h"

#include "mcp/headers.h"

namespace mcpfleet::mcp {
namespace {

// Media types compare without regard to case and parameters.
bool has_type(std::string_view content_type, std::string_view type) {
  if (content_type.size() < type.size()) return false;
  for (std::size_t i = 0; i < type.size(); ++i) {
    const char c = content_type[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != type[i]) return false;
  }
  const auto rest = content_type.substr(type.size());
  return rest.empty() || rest.front() == ';' || rest.front() == ' ';
}

}  // namespace

AnswerScanner::Form AnswerScanner::form_of(std::string_view content_type) {
  if (has_type(content_type, kJson)) return Form::Json;
  if (has_type(content_type, kEventStream)) return Form::EventStream;
  return Form::Other;
}

void AnswerScanner::feed(std::string_view bytes, std::vector<Answer>& answers) {
  switch (form_) {
    case Form::Json:
      if (!scanner_.feed(bytes) || !scanner_.complete()) break;
      take(answers);
      form_ = Form::Other;  // there is only one
      break;
    case Form::EventStream:
      answers_ = &answers;
      reader_.feed(bytes, *this);
      answers_ = nullptr;
      break;
    case Form::Other:
      break;
  }
}

void AnswerScanner::on_event(std::string_view) {
  if (scanner_.finish()) take(*answers_);
  scanner_.reset();
}

void AnswerScanner::take(std::vector<Answer>& answers) {
  for (const auto& message : scanner_.messages()) {
    if (message.kind() != Message::Kind::Response) continue;
    answers.push_back({message.id, message.has_error || message.is_error});
  }
}

}  // namespace mcpfleet::mcp
