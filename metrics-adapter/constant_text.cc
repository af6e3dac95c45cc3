#include "metrics-adapter/constant_text.h"

#include "base/hash.h"

namespace mcpfleet::adapter {

ConstantText::ConstantText(std::string text)
    : text_(std::move(text)), etag_("\"" + std::to_string(hash_text(text_)) + "\"") {}

http::Response ConstantText::answer(const http::Headers& request,
                                    std::string_view content_type) const {
  http::Response response;
  if (request.get("If-None-Match") == etag_) {
    response.status = 304;
  } else {
    response = http::text_response(200, text_, std::string(content_type));
  }
  response.headers.add("ETag", etag_);
  return response;
}

}  // namespace mcpfleet::adapter
