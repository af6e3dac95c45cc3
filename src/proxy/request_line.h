// What the first line of an HTTP request to an MCP endpoint says, and what it may not say.
#pragma once

#include <boost/beast/http/verb.hpp>
#include <string_view>

#include "proxy/client_link.h"
#include "proxy/error_answer.h"

namespace mcpfleet::proxy {

// The path of a request's target, without query and without a slash at the end.
inline std::string_view path_of(std::string_view target) {
  target = target.substr(0, target.find('?'));
  if (target.size() > 1 && target.ends_with('/')) target.remove_suffix(1);
  return target;
}

inline bool is_method_of_mcp(boost::beast::http::verb method) {
  using boost::beast::http::verb;
  return method == verb::get || method == verb::post || method == verb::delete_ ||
         method == verb::head || method == verb::options;
}

inline Answer method_not_allowed() {
  return error_answer(405, {}, mcp::ErrorCode::InvalidRequest, "MCP knows GET, POST and DELETE",
                      "Allow: GET, POST, DELETE, HEAD, OPTIONS\r\n");
}

}  // namespace mcpfleet::proxy
