// Who makes a request of an extension API server: the aggregator on somebody's behalf, or somebody
// with a client certificate of the cluster.
//
// Source: k8s.io/apiserver pkg/authentication/request/{headerrequest,x509} and the ConfigMap
// kube-system/extension-apiserver-authentication.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "http/message.h"

namespace mcpfleet::http {

struct Identity {
  std::string user;
  std::string uid;
  std::vector<std::string> groups;
  std::map<std::string, std::vector<std::string>> extra;

  bool in_group(std::string_view group) const;
  bool operator==(const Identity&) const = default;
};

// Everyone who was authenticated is in this group.
void add_authenticated_group(Identity& identity);

struct AuthenticationConfig {
  std::string client_ca_pem;         // of the cluster's users; empty: none are accepted
  std::string requestheader_ca_pem;  // of the aggregator's certificate; empty: it is not accepted
  std::vector<std::string> allowed_names;  // its common names; empty: any
  std::vector<std::string> username_headers{"X-Remote-User"};
  std::vector<std::string> uid_headers{"X-Remote-Uid"};
  std::vector<std::string> group_headers{"X-Remote-Group"};
  std::vector<std::string> extra_prefixes{"X-Remote-Extra-"};

  bool operator==(const AuthenticationConfig&) const = default;
};

// The token of "Authorization: Bearer TOKEN", if there is one.
std::optional<std::string_view> bearer_token(const Request& request);

// Authenticates by client certificate. Identity headers count only with a certificate of the
// request header authority whose name is allowed; from anybody else they are ignored.
// Thread safety: authenticate() from any thread.
class CertificateAuthenticator {
 public:
  // Error: Invalid (an authority that cannot be read, named).
  static Result<std::unique_ptr<CertificateAuthenticator>> create(AuthenticationConfig config);
  ~CertificateAuthenticator();

  // Error: Unauthorized, with the reason (also when no certificate was shown).
  Result<Identity> authenticate(const Request& request, WallTime now);

  const AuthenticationConfig& config() const { return config_; }

 private:
  struct Stores;
  // What verifying a certificate came to; kept, because it costs a hundred times a look-up.
  struct Verdict {
    bool proxy = false;            // may speak for others
    std::optional<Identity> self;  // a user of the cluster
    std::string reason;            // why it is neither
    WallTime until;
  };

  CertificateAuthenticator(AuthenticationConfig config, std::unique_ptr<Stores> stores);
  Verdict judge(const PeerCertificate& certificate, WallTime now) const;
  Verdict recall_or_judge(const PeerCertificate& certificate, WallTime now);
  std::optional<Identity> from_headers(const Headers& headers) const;

  // Constant after construction.
  const AuthenticationConfig config_;
  const std::unique_ptr<Stores> stores_;
  // Protected by mutex_.
  std::mutex mutex_;
  std::unordered_map<std::string, Verdict> verdicts_;  // by the leaf's DER
};

}  // namespace mcpfleet::http
