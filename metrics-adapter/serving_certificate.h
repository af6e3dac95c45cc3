// The certificate that the adapter serves with, kept in a Secret that all replicas share, and the
// caBundle of the APIServices that makes the API server trust it.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "http/certificate.h"
#include "kube/client.h"

namespace mcpfleet::adapter {

struct ServingCertificateOptions {
  std::string namespace_;
  std::string secret;
  std::string service;
  std::vector<std::string> api_services;
};

struct ServingCertificate {
  http::KeyPair pair;
  std::string ca_pem;  // one or, after a renewal, two authorities

  bool operator==(const ServingCertificate& other) const {
    return pair.certificate_pem == other.pair.certificate_pem && ca_pem == other.ca_pem;
  }
};

// Why a certificate has to be replaced; empty: it is good. Pure.
std::string why_renew(const ServingCertificate& certificate, const std::string& dns_name,
                      WallTime now);

// A new authority and certificate for a Service; the authority's key is thrown away. `previous` are
// the old authorities, which stay trusted while other replicas still show the old certificate.
Result<ServingCertificate> make_serving_certificate(const std::string& dns_name,
                                                    const std::string& previous, WallTime now);

// Thread safety: one thread.
class CertificateKeeper {
 public:
  CertificateKeeper(kube::Client& client, const Clock& clock, ServingCertificateOptions options)
      : client_(client), clock_(clock), options_(std::move(options)) {}

  // The certificate of the Secret; made or renewed (30 days before its end) where need be. When two
  // replicas do that at once, one wins and both take its certificate. A Secret that somebody else
  // made is never overwritten.
  Result<ServingCertificate> ensure();

  // Puts `ca_pem` into every APIService where it differs. What fails is logged once and tried again
  // at the next call.
  void update_bundles(const std::string& ca_pem);

  // "SERVICE.NAMESPACE.svc"
  std::string dns_name() const { return options_.service + "." + options_.namespace_ + ".svc"; }

 private:
  struct Found;
  Result<Found> read();
  Result<void> create(const ServingCertificate& certificate);
  Result<void> replace(const ServingCertificate& certificate, const std::string& resource_version);
  Result<void> update_bundle(const std::string& name, const std::string& ca_pem);
  std::string secrets_path() const;

  kube::Client& client_;
  const Clock& clock_;
  const ServingCertificateOptions options_;
  std::set<std::string> told_;  // APIServices whose failure is in the log
};

}  // namespace mcpfleet::adapter
