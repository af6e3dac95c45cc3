// What the API looks like, in the words of OpenAPI v2 and v3: constant texts, as discovery's are.
//
// The paths alone, without schemas: the bodies belong to k8s.io/metrics, and an aggregator that
// merges the documents of several servers must find no second definition of them. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "http/message.h"
#include "metrics-adapter/constant_text.h"
#include "metrics-adapter/request_path.h"

namespace mcpfleet::adapter {

class OpenApi {
 public:
  OpenApi();

  // Answers /openapi/v2, /openapi/v3 (which documents there are) and
  // /openapi/v3/apis/GROUP/VERSION; 404 for other paths below /openapi; nullopt for all others.
  // With an ETag.
  std::optional<http::Response> answer(const Target& target, const http::Headers& headers) const;

 private:
  std::map<std::string, ConstantText> documents_;  // by path
};

}  // namespace mcpfleet::adapter
