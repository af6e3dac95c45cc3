#include "metrics-adapter/serving_certificate.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "base/time_text.h"
#include "kube/paths.h"
#include "log/log.h"
#include "metrics-adapter/json_fields.h"

namespace mcpfleet::adapter {
namespace {

using nlohmann::json;
using std::chrono::hours;

constexpr const char* kManager = "mcp-metrics-adapter";
constexpr const char* kManagedBy = "app.kubernetes.io/managed-by";
constexpr auto kLife = hours(24 * 365);
constexpr auto kRenewBefore = hours(24 * 30);
// Clocks of nodes differ.
constexpr auto kBackdate = hours(1);
constexpr int kAttempts = 5;

std::string decoded(const json& data, std::string_view key) {
  return from_base64(text_of(data, key)).value_or(std::string());
}

json data_of(const ServingCertificate& certificate) {
  return {{"tls.crt", to_base64(certificate.pair.certificate_pem)},
          {"tls.key", to_base64(certificate.pair.key_pem)},
          {"ca.crt", to_base64(certificate.ca_pem)}};
}

// The first PEM certificate of a text.
std::string first_certificate(const std::string& pem) {
  static constexpr std::string_view kEnd = "-----END CERTIFICATE-----";
  const auto end = pem.find(kEnd);
  return end == std::string::npos ? std::string() : pem.substr(0, end + kEnd.size()) + "\n";
}

}  // namespace

struct CertificateKeeper::Found {
  bool exists = false;
  bool ours = false;
  std::string resource_version;
  ServingCertificate certificate;
};

std::string why_renew(const ServingCertificate& certificate, const std::string& dns_name,
                      WallTime now) {
  auto checked = http::check_key_pair(certificate.pair, certificate.ca_pem, now);
  if (!checked) return checked.error().message;
  const auto info = http::read_certificate(certificate.pair.certificate_pem);
  if (!info) return info.error().message;
  if (std::ranges::find(info->dns_names, dns_name) == info->dns_names.end())
    return "it is not for " + dns_name;
  if (info->not_after - now < kRenewBefore) return "it ends on " + to_rfc3339(info->not_after);
  return {};
}

Result<ServingCertificate> make_serving_certificate(const std::string& dns_name,
                                                    const std::string& previous, WallTime now) {
  auto authority = http::make_authority("mcp-metrics-adapter", now - kBackdate, now + kLife);
  if (!authority) return fail(authority.error());
  http::CertificateSpec spec;
  spec.common_name = dns_name.size() <= 64 ? dns_name : "mcp-metrics-adapter";
  spec.dns_names = {dns_name, dns_name + ".cluster.local"};
  spec.not_before = now - kBackdate;
  spec.not_after = now + kLife;
  auto pair = http::issue_certificate(*authority, spec);
  if (!pair) return fail(pair.error());
  return ServingCertificate{std::move(*pair),
                            authority->certificate_pem + first_certificate(previous)};
}

std::string CertificateKeeper::secrets_path() const {
  return kube::collection_path("v1", options_.namespace_, "secrets");
}

Result<CertificateKeeper::Found> CertificateKeeper::read() {
  Found found;
  auto text = client_.get(secrets_path() + "/" + options_.secret);
  if (!text && text.error().kind == ErrorKind::NotFound) return found;
  if (!text) return fail(text.error());
  const auto object = json::parse(*text, nullptr, false);
  if (!object.is_object())
    return fail(ErrorKind::Malformed, "Secret " + options_.secret + " is no JSON object");
  found.exists = true;
  const auto metadata = object_of(object, "metadata");
  found.resource_version = text_of(metadata, "resourceVersion");
  found.ours = text_of(object_of(metadata, "labels"), kManagedBy) == "mcpfleet";
  const auto data = object_of(object, "data");
  found.certificate = {{decoded(data, "tls.crt"), decoded(data, "tls.key")},
                       decoded(data, "ca.crt")};
  return found;
}

Result<ServingCertificate> CertificateKeeper::ensure() {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    auto found = read();
    if (!found) return fail(found.error());
    const auto now = clock_.wall();
    std::string reason = "there is none yet";
    if (found->exists) {
      reason = why_renew(found->certificate, dns_name(), now);
      if (reason.empty()) return found->certificate;
      if (!found->ours) {
        auto usable = http::check_key_pair(found->certificate.pair, found->certificate.ca_pem, now);
        if (usable) return found->certificate;
        return fail(ErrorKind::Invalid,
                    "Secret " + options_.namespace_ + "/" + options_.secret +
                        " was made by somebody else and cannot be used: " + usable.error().message);
      }
    }
    auto made = make_serving_certificate(dns_name(), found->certificate.ca_pem, now);
    if (!made) return fail(made.error());
    auto written = found->exists ? replace(*made, found->resource_version) : create(*made);
    if (written) {
      log::info("made a serving certificate", {{"name", dns_name()}, {"because", reason}});
      return made;
    }
    const auto kind = written.error().kind;
    if (kind != ErrorKind::AlreadyExists && kind != ErrorKind::Conflict)
      return fail(written.error());
  }
  return fail(ErrorKind::Conflict, "Secret " + options_.secret + " keeps changing");
}

Result<void> CertificateKeeper::create(const ServingCertificate& certificate) {
  const json secret{{"apiVersion", "v1"},
                    {"kind", "Secret"},
                    {"metadata",
                     {{"name", options_.secret},
                      {"namespace", options_.namespace_},
                      {"labels", {{kManagedBy, "mcpfleet"}}}}},
                    {"type", "kubernetes.io/tls"},
                    {"data", data_of(certificate)}};
  auto created = client_.create_object(secrets_path(), secret.dump());
  if (!created) return fail(created.error());
  return {};
}

// The resource version makes it a Conflict where another replica was quicker.
Result<void> CertificateKeeper::replace(const ServingCertificate& certificate,
                                        const std::string& resource_version) {
  const json patch{{"metadata", {{"resourceVersion", resource_version}}},
                   {"data", data_of(certificate)}};
  auto patched =
      client_.merge_patch(secrets_path() + "/" + options_.secret, patch.dump(), kManager);
  if (!patched) return fail(patched.error());
  return {};
}

void CertificateKeeper::update_bundles(const std::string& ca_pem) {
  for (const auto& name : options_.api_services) {
    auto updated = update_bundle(name, ca_pem);
    if (updated) {
      told_.erase(name);
    } else if (told_.insert(name).second) {
      log::warn("cannot set the caBundle of an APIService; it is tried again",
                {{"apiService", name}, {"error", updated.error().message}});
    }
  }
}

Result<void> CertificateKeeper::update_bundle(const std::string& name, const std::string& ca_pem) {
  const auto path = kube::object_path("apiregistration.k8s.io/v1", "", "apiservices", name);
  auto text = client_.get(path);
  if (!text) return fail(text.error());
  const auto object = json::parse(*text, nullptr, false);
  if (!object.is_object()) return fail(ErrorKind::Malformed, name + " is no JSON object");
  const auto wanted = to_base64(ca_pem);
  if (text_of(object_of(object, "spec"), "caBundle") == wanted) return {};
  auto patched = client_.merge_patch(path, json{{"spec", {{"caBundle", wanted}}}}.dump(), kManager);
  if (!patched) return fail(patched.error());
  log::info("set the caBundle of an APIService", {{"apiService", name}});
  return {};
}

}  // namespace mcpfleet::adapter
