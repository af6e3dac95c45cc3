// A text that never changes while the process runs, and is not sent again to who has it.
#pragma once

#include <string>
#include <string_view>

#include "http/message.h"

namespace mcpfleet::adapter {

// Thread safety: a plain value.
class ConstantText {
 public:
  explicit ConstantText(std::string text);

  // 304 where the request's If-None-Match is our ETag, else the text. The ETag is the same in every
  // replica of one build, since it depends on the text alone.
  http::Response answer(const http::Headers& request, std::string_view content_type) const;

 private:
  std::string text_;
  std::string etag_;
};

}  // namespace mcpfleet::adapter
