// Making and reading X.509 certificates (P-256, in-process), for programs that bring their own.
//
// Thread safety: plain values and free functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace mcpfleet::http {

// PEM texts. The key is a secret.
struct KeyPair {
  std::string certificate_pem;
  std::string key_pem;
};

struct CertificateSpec {
  std::string common_name;
  std::vector<std::string> organizations;
  std::vector<std::string> dns_names;     // subject alternative names of a server
  std::vector<std::string> ip_addresses;  // numeric
  bool for_client = false;                // else for a server
  WallTime not_before;
  WallTime not_after;
};

// A self-signed certificate authority. Error: Internal (OpenSSL's words).
Result<KeyPair> make_authority(const std::string& common_name, WallTime not_before,
                               WallTime not_after);

// A certificate and its key, signed by `authority`. Errors: Invalid (the authority's texts, an
// address), Internal.
Result<KeyPair> issue_certificate(const KeyPair& authority, const CertificateSpec& spec);

struct CertificateInfo {
  std::string common_name;
  std::vector<std::string> organizations;
  std::vector<std::string> dns_names;
  WallTime not_before;
  WallTime not_after;
};

// The first certificate of a PEM text. Error: Invalid.
Result<CertificateInfo> read_certificate(std::string_view pem);

// The DER form of the first certificate of a PEM text, as PeerCertificate has it. Error: Invalid.
Result<std::string> certificate_der(std::string_view pem);

// Whether the first certificate of `certificate_pem` is signed by one in `authorities_pem` and the
// key belongs to it. Error: Invalid, with the reason.
Result<void> check_key_pair(const KeyPair& pair, std::string_view authorities_pem, WallTime now);

}  // namespace mcpfleet::http
