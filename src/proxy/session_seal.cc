#include "proxy/session_seal.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <cstring>
#include <fstream>
#include <iterator>

#include "base/base64.h"

namespace mcpfleet::proxy {
namespace {

constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;
constexpr char kFormat = 1;                                   // the first byte of the sealed text
constexpr std::string_view kPurpose = "mcpfleet session id";  // authenticated, not sent

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
struct FreeCipher {
  void operator()(EVP_CIPHER* cipher) const { EVP_CIPHER_free(cipher); }
};

void put(std::string& out, std::string_view part) {
  out += static_cast<char>(part.size() >> 8);
  out += static_cast<char>(part.size() & 255);
  out += part;
}

std::optional<std::string> get(std::string_view& in) {
  if (in.size() < 2) return std::nullopt;
  const auto size = static_cast<std::size_t>(static_cast<unsigned char>(in[0])) << 8 |
                    static_cast<unsigned char>(in[1]);
  if (in.size() < 2 + size) return std::nullopt;
  std::string part(in.substr(2, size));
  in.remove_prefix(2 + size);
  return part;
}

std::string encode(const SealedSession& session) {
  std::string plain(1, kFormat);
  put(plain, session.owner.pod);
  put(plain, session.owner.ip);
  plain += static_cast<char>(session.owner.port >> 8);
  plain += static_cast<char>(session.owner.port & 255);
  put(plain, session.backend_id);
  return plain;
}

std::optional<SealedSession> decode(std::string_view plain) {
  if (plain.empty() || plain.front() != kFormat) return std::nullopt;
  plain.remove_prefix(1);
  auto pod = get(plain);
  auto ip = pod ? get(plain) : std::nullopt;
  if (!ip || plain.size() < 2) return std::nullopt;
  const auto port = static_cast<std::uint16_t>(static_cast<unsigned char>(plain[0]) << 8 |
                                               static_cast<unsigned char>(plain[1]));
  plain.remove_prefix(2);
  auto backend_id = get(plain);
  if (!backend_id || !plain.empty()) return std::nullopt;
  return SealedSession{{std::move(*pod), std::move(*ip), port}, std::move(*backend_id)};
}

unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

struct SessionSeal::Impl {
  std::unique_ptr<EVP_CIPHER, FreeCipher> cipher;
  std::unique_ptr<EVP_CIPHER_CTX, FreeContext> context;
  std::string key;

  // Starts a run with this nonce, the key, the purpose and the binding.
  bool start(const unsigned char* nonce, std::string_view binding, int encrypt) {
    return EVP_CipherInit_ex2(context.get(), cipher.get(), bytes_of(std::string_view(key)), nonce,
                              encrypt, nullptr) == 1 &&
           authenticate(kPurpose) && (binding.empty() || authenticate(binding));
  }

  bool authenticate(std::string_view text) {
    int ignored = 0;
    return EVP_CipherUpdate(context.get(), nullptr, &ignored, bytes_of(text),
                            static_cast<int>(text.size())) == 1;
  }
};

SessionSeal::SessionSeal(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SessionSeal::SessionSeal(SessionSeal&&) noexcept = default;
SessionSeal& SessionSeal::operator=(SessionSeal&&) noexcept = default;
SessionSeal::~SessionSeal() = default;

Result<SessionSeal> SessionSeal::create(std::string_view key) {
  if (key.size() != kKeyBytes)
    return fail(ErrorKind::Invalid,
                "the session key must have 32 bytes, not " + std::to_string(key.size()));
  auto impl = std::make_unique<Impl>();
  impl->cipher.reset(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr));
  impl->context.reset(EVP_CIPHER_CTX_new());
  impl->key = key;
  if (!impl->cipher || !impl->context)
    return fail(ErrorKind::Internal, "OpenSSL offers no AES-256-GCM");
  return SessionSeal(std::move(impl));
}

Result<SessionSeal> SessionSeal::from_key_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    return fail(ErrorKind::NotFound,
                "cannot read the session key file " + path + ": " + std::strerror(errno));
  const std::string key{std::istreambuf_iterator<char>(file), {}};
  auto seal = create(key);
  if (!seal) return fail(seal.error().context(path));
  return seal;
}

Result<std::string> SessionSeal::seal(const SealedSession& session, std::string_view binding) {
  for (const auto* part : {&session.owner.pod, &session.owner.ip, &session.backend_id})
    if (part->size() > kMaxPart)
      return fail(ErrorKind::Invalid,
                  "the server's session id is longer than " + std::to_string(kMaxPart) + " bytes");
  const auto plain = encode(session);
  std::string out(kNonceBytes + plain.size() + kTagBytes, '\0');
  auto* const nonce = bytes_of(out);
  auto* const text = nonce + kNonceBytes;
  int written = 0;
  int last = 0;
  if (RAND_bytes(nonce, kNonceBytes) != 1 || !impl_->start(nonce, binding, 1) ||
      EVP_CipherUpdate(impl_->context.get(), text, &written, bytes_of(std::string_view(plain)),
                       static_cast<int>(plain.size())) != 1 ||
      EVP_CipherFinal_ex(impl_->context.get(), text + written, &last) != 1 ||
      EVP_CIPHER_CTX_ctrl(impl_->context.get(), EVP_CTRL_AEAD_GET_TAG, kTagBytes,
                          text + plain.size()) != 1)
    return fail(ErrorKind::Internal, "cannot seal a session id");
  return to_base64url(out);
}

std::optional<SealedSession> SessionSeal::open(std::string_view id, std::string_view binding) {
  if (id.size() > kMaxIdLength) return std::nullopt;
  auto sealed = from_base64url(id);
  if (!sealed || sealed->size() <= kNonceBytes + kTagBytes) return std::nullopt;
  const auto size = sealed->size() - kNonceBytes - kTagBytes;
  auto* const nonce = bytes_of(*sealed);
  auto* const text = nonce + kNonceBytes;
  std::string plain(size, '\0');
  int written = 0;
  int last = 0;
  if (!impl_->start(nonce, binding, 0) ||
      EVP_CipherUpdate(impl_->context.get(), bytes_of(plain), &written, text,
                       static_cast<int>(size)) != 1 ||
      EVP_CIPHER_CTX_ctrl(impl_->context.get(), EVP_CTRL_AEAD_SET_TAG, kTagBytes, text + size) !=
          1 ||
      EVP_CipherFinal_ex(impl_->context.get(), bytes_of(plain) + written, &last) != 1)
    return std::nullopt;
  return decode(plain);
}

}  // namespace mcpfleet::proxy
