#include "http/authentication.h"

#include <algorithm>

#include "http/openssl.h"

namespace mcpfleet::http {
namespace {

constexpr std::size_t kMaxVerdicts = 256;
constexpr auto kVerdictLife = std::chrono::minutes(10);
constexpr const char* kAuthenticated = "system:authenticated";

X509Ptr read_der(const std::string& der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  return X509Ptr(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
}

StackPtr read_chain(const std::vector<std::string>& chain_der) {
  StackPtr chain(sk_X509_new_null());
  for (const auto& der : chain_der) {
    auto certificate = read_der(der);
    if (certificate != nullptr) sk_X509_push(chain.get(), certificate.release());
  }
  return chain;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The key behind "X-Remote-Extra-": lower case, then percent-decoded; a broken escape stays as it
// is.
std::string extra_key(std::string_view raw) {
  std::string key;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const char c = raw[i];
    if (c == '%' && i + 2 < raw.size() && hex_digit(raw[i + 1]) >= 0 &&
        hex_digit(raw[i + 2]) >= 0) {
      key += static_cast<char>(hex_digit(raw[i + 1]) * 16 + hex_digit(raw[i + 2]));
      i += 2;
    } else {
      key += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  return key;
}

std::string first_value(const Headers& headers, const std::vector<std::string>& names) {
  for (const auto& name : names)
    if (const auto value = headers.get(name); value && !value->empty()) return std::string(*value);
  return {};
}

}  // namespace

struct CertificateAuthenticator::Stores {
  StorePtr requestheader;
  StorePtr client;
};

bool Identity::in_group(std::string_view group) const {
  return std::ranges::find(groups, group) != groups.end();
}

void add_authenticated_group(Identity& identity) {
  if (!identity.in_group(kAuthenticated)) identity.groups.emplace_back(kAuthenticated);
}

std::optional<std::string_view> bearer_token(const Request& request) {
  const auto header = request.headers.get("Authorization");
  constexpr std::string_view kScheme = "bearer ";
  if (!header || header->size() <= kScheme.size() ||
      !same_name(header->substr(0, kScheme.size()), kScheme))
    return std::nullopt;
  auto token = header->substr(kScheme.size());
  while (!token.empty() && token.front() == ' ') token.remove_prefix(1);
  if (token.empty()) return std::nullopt;
  return token;
}

CertificateAuthenticator::CertificateAuthenticator(AuthenticationConfig config,
                                                   std::unique_ptr<Stores> stores)
    : config_(std::move(config)), stores_(std::move(stores)) {}

CertificateAuthenticator::~CertificateAuthenticator() = default;

Result<std::unique_ptr<CertificateAuthenticator>> CertificateAuthenticator::create(
    AuthenticationConfig config) {
  auto stores = std::make_unique<Stores>();
  if (!config.requestheader_ca_pem.empty()) {
    auto store = make_store(config.requestheader_ca_pem);
    if (!store) return fail(store.error().context("requestheader-client-ca-file"));
    stores->requestheader = std::move(*store);
  }
  if (!config.client_ca_pem.empty()) {
    auto store = make_store(config.client_ca_pem);
    if (!store) return fail(store.error().context("client-ca-file"));
    stores->client = std::move(*store);
  }
  return std::unique_ptr<CertificateAuthenticator>(
      new CertificateAuthenticator(std::move(config), std::move(stores)));
}

Result<Identity> CertificateAuthenticator::authenticate(const Request& request, WallTime now) {
  if (request.certificate == nullptr)
    return fail(ErrorKind::Unauthorized, "no client certificate was shown");
  auto verdict = recall_or_judge(*request.certificate, now);
  if (verdict.proxy) {
    if (auto identity = from_headers(request.headers)) return std::move(*identity);
    if (!verdict.self) verdict.reason = "the front proxy names no user";
  }
  if (verdict.self) return std::move(*verdict.self);
  return fail(ErrorKind::Unauthorized, verdict.reason);
}

CertificateAuthenticator::Verdict CertificateAuthenticator::recall_or_judge(
    const PeerCertificate& certificate, WallTime now) {
  {
    std::lock_guard lock(mutex_);
    const auto known = verdicts_.find(certificate.der);
    if (known != verdicts_.end() && now <= known->second.until) return known->second;
  }
  auto verdict = judge(certificate, now);
  // What nobody vouches for is not kept: anybody can make such certificates.
  if (!verdict.proxy && !verdict.self) return verdict;
  std::lock_guard lock(mutex_);
  if (verdicts_.size() >= kMaxVerdicts) verdicts_.clear();
  verdicts_.insert_or_assign(certificate.der, verdict);
  return verdict;
}

CertificateAuthenticator::Verdict CertificateAuthenticator::judge(
    const PeerCertificate& certificate, WallTime now) const {
  Verdict verdict;
  const auto leaf = read_der(certificate.der);
  if (leaf == nullptr) {
    verdict.reason = "the client certificate cannot be read";
    return verdict;
  }
  const auto chain = read_chain(certificate.chain_der);
  verdict.until = std::min(now + kVerdictLife, to_wall_time(X509_get0_notAfter(leaf.get())));
  verdict.reason = "no authority for client certificates is known";
  const auto names = subject_values(leaf.get(), NID_commonName);
  const std::string name = names.empty() ? std::string() : names.back();
  const auto verified = [&](const StorePtr& store) {
    if (store == nullptr) return false;
    auto result = verify_certificate(*store, *leaf, chain.get(), X509_PURPOSE_SSL_CLIENT, now);
    if (!result) verdict.reason = result.error().message;
    return result.has_value();
  };
  if (verified(stores_->requestheader)) {
    verdict.proxy = config_.allowed_names.empty() ||
                    std::ranges::find(config_.allowed_names, name) != config_.allowed_names.end();
    if (!verdict.proxy)
      verdict.reason = "the name '" + name + "' is not one of the front proxy's allowed names";
  }
  if (verified(stores_->client) && !name.empty()) {
    Identity self;
    self.user = name;
    self.groups = subject_values(leaf.get(), NID_organizationName);
    add_authenticated_group(self);
    verdict.self = std::move(self);
  }
  return verdict;
}

std::optional<Identity> CertificateAuthenticator::from_headers(const Headers& headers) const {
  Identity identity;
  identity.user = first_value(headers, config_.username_headers);
  if (identity.user.empty()) return std::nullopt;
  identity.uid = first_value(headers, config_.uid_headers);
  for (const auto& name : config_.group_headers)
    for (const auto value : headers.all(name))
      if (!value.empty()) identity.groups.emplace_back(value);
  for (const auto& [name, value] : headers.fields()) {
    for (const auto& prefix : config_.extra_prefixes) {
      if (name.size() <= prefix.size() || !same_name(name.substr(0, prefix.size()), prefix))
        continue;
      identity.extra[extra_key(std::string_view(name).substr(prefix.size()))].push_back(value);
    }
  }
  add_authenticated_group(identity);
  return identity;
}

}  // namespace mcpfleet::http
