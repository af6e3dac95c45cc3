#include "proxy/digest.h"

#include <openssl/evp.h>

#include <cstring>
#include <stdexcept>

namespace mcpfleet::proxy {

std::string sha256(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const auto part : parts) text.append(std::to_string(part.size())).append(":").append(part);
  std::string digest(32, '\0');
  if (EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(digest.data()), nullptr,
                 EVP_sha256(), nullptr) != 1)
    throw std::runtime_error("OpenSSL offers no SHA-256");
  return digest;
}

routing::Digest short_digest(std::string_view sha256) {
  routing::Digest digest;
  std::memcpy(&digest.high, sha256.data(), sizeof digest.high);
  std::memcpy(&digest.low, sha256.data() + sizeof digest.high, sizeof digest.low);
  return digest;
}

}  // namespace mcpfleet::proxy
