// HTTP messages as plain values; no library's types.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mcpfleet::http {

// Header fields in order. Names compare without regard to case (RFC 9110).
class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<std::pair<std::string, std::string>> fields) : fields_(fields) {}

  // The first field of that name.
  std::optional<std::string_view> get(std::string_view name) const;
  // All fields of that name, in order.
  std::vector<std::string_view> all(std::string_view name) const;
  void add(std::string name, std::string value);
  // Replaces every field of that name by one.
  void set(std::string_view name, std::string value);
  const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

// True where two header names are the same but for the case of ASCII letters.
bool same_name(std::string_view a, std::string_view b);

// The certificate that a TLS client showed. It is NOT verified against any CA: the one who uses it
// does that.
struct PeerCertificate {
  std::string der;                     // the leaf, DER
  std::vector<std::string> chain_der;  // intermediates the client sent, DER
};

struct Request {
  std::string method = "GET";
  std::string target = "/";  // path and query, percent-encoded as received
  Headers headers;
  std::string body;
  std::string peer;  // numeric address of the client; empty on the client side
  std::shared_ptr<const PeerCertificate> certificate;  // null without TLS or client certificate
};

struct Response {
  int status = 200;
  Headers headers;
  std::string body;
};

// A response with a Content-Type.
Response text_response(int status, std::string body,
                       std::string content_type = "text/plain; charset=utf-8");

}  // namespace mcpfleet::http
