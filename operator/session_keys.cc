#include "operator/session_keys.h"

#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "kube/paths.h"

namespace mcpfleet::op {
namespace {

using nlohmann::json;

constexpr std::size_t kKeyBytes = 32;

std::string hmac(std::string_view key, std::string_view data) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(data.data()), data.size(), out, &size);
  return {reinterpret_cast<const char*>(out), size};
}

Result<std::string> master_of(const std::string& secret_json, const std::string& where) {
  const auto secret = json::parse(secret_json, nullptr, false);
  const auto pointer = json::json_pointer("/data/key");
  std::string text;
  if (secret.is_object() && secret.contains(pointer) && secret[pointer].is_string()) {
    text = secret[pointer].get<std::string>();
  }
  auto key = from_base64(text);
  if (!key || key->size() < kKeyBytes) {
    return fail(ErrorKind::Invalid, where + " has no data.key of at least 32 bytes");
  }
  key->resize(kKeyBytes);
  return key;
}

Result<std::string> make_master(kube::Client& client, const std::string& namespace_) {
  unsigned char random[kKeyBytes];
  if (RAND_bytes(random, sizeof random) != 1) {
    return fail(ErrorKind::Internal, "no random bytes for the session master key");
  }
  const json secret = {
      {"apiVersion", "v1"},
      {"kind", "Secret"},
      {"metadata", {{"name", kMasterSecret}, {"namespace", namespace_}}},
      {"type", "Opaque"},
      {"data", {{"key", to_base64({reinterpret_cast<const char*>(random), sizeof random})}}}};
  return client.create_object(kube::collection_path("v1", namespace_, "secrets"), secret.dump());
}

}  // namespace

Result<SessionKeys> SessionKeys::load(kube::Client& client, const std::string& namespace_) {
  const std::string path = kube::object_path("v1", namespace_, "secrets", kMasterSecret);
  auto stored = client.get(path);
  if (!stored && stored.error().kind == ErrorKind::NotFound) {
    stored = make_master(client, namespace_);
    // Somebody was quicker: theirs counts.
    if (!stored && stored.error().kind == ErrorKind::AlreadyExists) stored = client.get(path);
  }
  if (!stored) return fail(stored.error());
  auto master = master_of(*stored, "Secret " + namespace_ + "/" + kMasterSecret);
  if (!master) return fail(master.error());
  return SessionKeys(std::move(*master));
}

std::string SessionKeys::key_of(std::string_view uid) const { return hmac(master_, uid); }

std::string SessionKeys::fingerprint(std::string_view key) const {
  return fingerprint(key, "fingerprint");
}

std::string SessionKeys::fingerprint(std::string_view key, std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string result;
  for (const char c : hmac(key, text).substr(0, 8)) {
    const auto byte = static_cast<unsigned char>(c);
    result += {kHex[byte >> 4U], kHex[byte & 15U]};
  }
  return result;
}

}  // namespace mcpfleet::op
