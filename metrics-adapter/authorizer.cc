#include "metrics-adapter/authorizer.h"

#include <nlohmann/json.hpp>

#include "metrics-adapter/json_fields.h"

namespace mcpfleet::adapter {
namespace {

using nlohmann::json;

constexpr const char* kReviews = "/apis/authorization.k8s.io/v1/subjectaccessreviews";

// Everything that a decision depends on, in an order that does not; cheaper than the JSON.
std::string key_of(const http::Identity& identity, const AccessRequest& access) {
  std::string key;
  key.reserve(256);
  const auto add = [&key](const std::string& text) {
    key += std::to_string(text.size());
    key += ':';
    key += text;
  };
  for (const auto* text :
       {&access.path, &access.verb, &access.group, &access.version, &access.namespace_,
        &access.resource, &access.subresource, &access.name, &identity.user, &identity.uid})
    add(*text);
  for (const auto& group : identity.groups) add(group);
  for (const auto& [name, values] : identity.extra) {
    key += '=';
    add(name);
    for (const auto& value : values) add(value);
  }
  return key;
}

std::string forbidden(const http::Identity& identity, const AccessRequest& access,
                      const std::string& reason) {
  std::string text = "forbidden: User \"" + identity.user + "\" cannot " + access.verb + " ";
  if (!access.path.empty()) {
    text += "path \"" + access.path + "\"";
  } else {
    text += "resource \"" + access.resource;
    if (!access.subresource.empty()) text += "/" + access.subresource;
    text += "\" in API group \"" + access.group + "\"";
    text += access.namespace_.empty() ? " at the cluster scope"
                                      : " in the namespace \"" + access.namespace_ + "\"";
  }
  return reason.empty() ? text : text + ": " + reason;
}

// What is denied by nobody but allowed by nobody either is forbidden.
Result<void> decide(const http::Identity& identity, const AccessRequest& access,
                    const std::string& answer) {
  const auto review = json::parse(answer, nullptr, false);
  const auto status = object_of(review, "status");
  if (!status.contains("allowed") || !status["allowed"].is_boolean())
    return fail(ErrorKind::Malformed, "a SubjectAccessReview without status.allowed");
  if (status["allowed"].get<bool>()) return {};
  return fail(ErrorKind::Forbidden, forbidden(identity, access, text_of(status, "reason")));
}

}  // namespace

AccessRequest access_of(const Target& target) {
  for (const auto inner_of : {explained, remembered, ranked})
    if (const auto inner = inner_of(target)) return access_of(*inner);
  AccessRequest access;
  if (!is_resource(target)) {
    access.path = target.path;
    return access;
  }
  const auto& parts = target.segments;
  access.group = parts[1];
  access.version = parts[2];
  std::size_t at = 3;
  if (parts[at] == "namespaces" && parts.size() > at + 2) {
    access.namespace_ = parts[at + 1];
    at += 2;
  }
  const auto part = [&parts](std::size_t i) { return i < parts.size() ? parts[i] : std::string(); };
  access.resource = part(at);
  access.name = part(at + 1);
  access.subresource = part(at + 2);
  if (access.group == kExternalGroup) access.verb = "list";
  return access;
}

std::string access_review(const http::Identity& identity, const AccessRequest& access) {
  json spec{{"user", identity.user}, {"groups", identity.groups}};
  if (!identity.uid.empty()) spec["uid"] = identity.uid;
  if (!identity.extra.empty()) spec["extra"] = identity.extra;
  if (!access.path.empty()) {
    spec["nonResourceAttributes"] = {{"path", access.path}, {"verb", access.verb}};
  } else {
    spec["resourceAttributes"] = {
        {"verb", access.verb},         {"group", access.group},
        {"version", access.version},   {"namespace", access.namespace_},
        {"resource", access.resource}, {"subresource", access.subresource},
        {"name", access.name},
    };
  }
  const json review{{"apiVersion", "authorization.k8s.io/v1"},
                    {"kind", "SubjectAccessReview"},
                    {"spec", std::move(spec)}};
  return review.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<Result<void>> Authorizer::try_now(const http::Identity& identity,
                                                const AccessRequest& access) {
  if (identity.in_group("system:masters")) return Result<void>{};
  return decisions_.get(key_of(identity, access), clock_.monotonic());
}

Result<void> Authorizer::authorize(const http::Identity& identity, const AccessRequest& access) {
  if (auto known = try_now(identity, access)) return *known;
  auto answer = client_.create_object(kReviews, access_review(identity, access));
  if (!answer)
    return fail(ErrorKind::Internal, "cannot ask whether User \"" + identity.user +
                                         "\" has access: " + answer.error().message);
  auto decision = decide(identity, access, *answer);
  if (decision || decision.error().kind == ErrorKind::Forbidden)
    decisions_.put(key_of(identity, access), decision, clock_.monotonic());
  return decision;
}

}  // namespace mcpfleet::adapter
