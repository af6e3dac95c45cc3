#include "metrics-adapter/authenticator.h"

#include <nlohmann/json.hpp>

#include "log/log.h"
#include "metrics-adapter/json_fields.h"

namespace mcpfleet::adapter {
namespace {

using nlohmann::json;

constexpr const char* kConfigMap =
    "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication";
constexpr const char* kTokenReviews = "/apis/authentication.k8s.io/v1/tokenreviews";
// A certificate that nobody vouches for makes us look for new authorities, but not more often.
constexpr Duration kOnDemandPause = std::chrono::seconds(5);
constexpr std::size_t kMaxToken = 16 * 1024;

// A value of the ConfigMap that is itself a JSON list of strings.
Result<void> read_list(const json& data, const char* key, std::vector<std::string>& into) {
  const auto found = data.find(key);
  if (found == data.end() || !found->is_string()) return {};
  const auto list = json::parse(found->get_ref<const std::string&>(), nullptr, false);
  if (!list.is_array()) return fail(ErrorKind::Malformed, std::string(key) + " is no JSON list");
  into.clear();
  for (const auto& item : list) {
    if (!item.is_string())
      return fail(ErrorKind::Malformed, std::string(key) + " is no list of strings");
    into.push_back(item.get<std::string>());
  }
  return {};
}

std::vector<std::string> texts_of(const json& list) {
  std::vector<std::string> texts;
  if (!list.is_array()) return texts;
  for (const auto& item : list)
    if (item.is_string()) texts.push_back(item.get<std::string>());
  return texts;
}

}  // namespace

Result<http::AuthenticationConfig> parse_authentication_config(std::string_view config_map_json) {
  const auto object = json::parse(config_map_json, nullptr, false);
  if (!object.is_object() || !object.contains("data") || !object["data"].is_object())
    return fail(ErrorKind::Malformed, "extension-apiserver-authentication has no data");
  const auto& data = object["data"];
  http::AuthenticationConfig config;
  config.client_ca_pem = text_of(data, "client-ca-file");
  config.requestheader_ca_pem = text_of(data, "requestheader-client-ca-file");
  const struct {
    const char* key;
    std::vector<std::string>& into;
  } lists[] = {
      {"requestheader-allowed-names", config.allowed_names},
      {"requestheader-username-headers", config.username_headers},
      {"requestheader-uid-headers", config.uid_headers},
      {"requestheader-group-headers", config.group_headers},
      {"requestheader-extra-headers-prefix", config.extra_prefixes},
  };
  for (const auto& list : lists)
    if (auto read = read_list(data, list.key, list.into); !read) return fail(read.error());
  return config;
}

Result<http::Identity> parse_token_review(std::string_view review_json) {
  const auto review = json::parse(review_json, nullptr, false);
  if (!review.is_object() || !review.contains("status") || !review["status"].is_object())
    return fail(ErrorKind::Malformed, "a TokenReview without status");
  const auto& status = review["status"];
  const bool good = status.contains("authenticated") && status["authenticated"].is_boolean() &&
                    status["authenticated"].get<bool>();
  const auto user = object_of(status, "user");
  const auto extra = object_of(user, "extra");
  http::Identity identity;
  identity.user = text_of(user, "username");
  identity.uid = text_of(user, "uid");
  identity.groups = texts_of(user.value("groups", json::array()));
  for (const auto& [key, values] : extra.items()) identity.extra[key] = texts_of(values);
  if (!good || identity.user.empty())
    return fail(ErrorKind::Unauthorized, "the bearer token is not accepted");
  http::add_authenticated_group(identity);
  return identity;
}

std::optional<Result<http::Identity>> Authenticator::try_now(const http::Request& request) {
  if (request.certificate != nullptr) {
    const auto certificates = certificates_.load();
    if (certificates == nullptr) return std::nullopt;
    auto identity = certificates->authenticate(request, clock_.wall());
    if (identity) return identity;
  }
  const auto token = http::bearer_token(request);
  if (token) return tokens_.get(*token, clock_.monotonic());
  if (request.certificate != nullptr) return std::nullopt;
  return fail(ErrorKind::Unauthorized, "no client certificate and no bearer token was shown");
}

Result<http::Identity> Authenticator::authenticate(const http::Request& request) {
  Error reason{ErrorKind::Unauthorized, "no client certificate and no bearer token was shown"};
  if (request.certificate != nullptr) {
    if (may_refresh_for_request()) static_cast<void>(refresh());
    const auto certificates = certificates_.load();
    if (certificates != nullptr) {
      auto identity = certificates->authenticate(request, clock_.wall());
      if (identity) return identity;
      reason = identity.error();
    } else {
      reason.message = "the cluster's authorities for client certificates are not known yet";
    }
  }
  const auto token = http::bearer_token(request);
  if (!token) return fail(reason);
  return review(*token);
}

bool Authenticator::may_refresh_for_request() {
  std::lock_guard lock(mutex_);
  const auto now = clock_.monotonic();
  if (last_on_demand_ && now - *last_on_demand_ < kOnDemandPause) return false;
  last_on_demand_ = now;
  return true;
}

Result<http::Identity> Authenticator::review(std::string_view token) {
  if (token.size() > kMaxToken)
    return fail(ErrorKind::Unauthorized, "the bearer token is not accepted");
  const json review{{"apiVersion", "authentication.k8s.io/v1"},
                    {"kind", "TokenReview"},
                    {"spec", {{"token", token}}}};
  auto answer = client_.create_object(kTokenReviews,
                                      review.dump(-1, ' ', false, json::error_handler_t::replace));
  if (!answer) return fail(answer.error().context("cannot have the bearer token reviewed"));
  auto identity = parse_token_review(*answer);
  tokens_.put(std::string(token), identity, clock_.monotonic());
  return identity;
}

Result<void> Authenticator::refresh() {
  const auto read = [this]() -> Result<void> {
    auto text = client_.get(kConfigMap);
    if (!text) return fail(text.error());
    auto config = parse_authentication_config(*text);
    if (!config) return fail(config.error());
    const auto current = certificates_.load();
    if (current != nullptr && current->config() == *config) return {};
    auto next = http::CertificateAuthenticator::create(std::move(*config));
    if (!next) return fail(next.error());
    certificates_.store(std::shared_ptr(std::move(*next)));
    log::info(current == nullptr ? "know the cluster's authorities for client certificates"
                                 : "the cluster's authorities for client certificates changed");
    return {};
  };
  auto done = read();
  std::lock_guard lock(mutex_);
  if (!done && !told_failure_)
    log::warn("cannot read the cluster's authorities for client certificates",
              {{"error", done.error().message}});
  told_failure_ = !done;
  return done;
}

}  // namespace mcpfleet::adapter
