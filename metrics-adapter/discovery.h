// What API groups, versions and resources there are: constant texts, which never wait for anything.
//
// A slow or changing discovery slows every kubectl, and an unavailable one blocks the deletion of
// namespaces (kubernetes/kubernetes#98801, #75788). Pure.
#pragma once

#include <optional>
#include <string>

#include "http/message.h"
#include "metrics-adapter/constant_text.h"
#include "metrics-adapter/request_path.h"

namespace mcpfleet::adapter {

class Discovery {
 public:
  Discovery();

  // Answers /apis, /apis/GROUP and /apis/GROUP/VERSION; nullopt for other paths. /apis in the
  // aggregated form where the client accepts it, with an ETag.
  std::optional<http::Response> answer(const Target& target, const http::Headers& headers) const;

 private:
  http::Response aggregated(const http::Headers& headers) const;

  std::string groups_;
  ConstantText aggregated_;
};

}  // namespace mcpfleet::adapter
