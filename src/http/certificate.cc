#include "http/certificate.h"

#include <openssl/pem.h>
#include <openssl/rand.h>

#include <ctime>

#include "http/openssl.h"

namespace mcpfleet::http {
namespace {

std::string take_text(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

Result<KeyPair> to_pem(X509* certificate, EVP_PKEY* key) {
  const BioPtr certificate_out(BIO_new(BIO_s_mem()));
  const BioPtr key_out(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(certificate_out.get(), certificate) != 1 ||
      PEM_write_bio_PrivateKey(key_out.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return openssl_error(ErrorKind::Internal, "a certificate cannot be written");
  return KeyPair{take_text(certificate_out.get()), take_text(key_out.get())};
}

Result<KeyPtr> read_key(std::string_view pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  if (key == nullptr) return openssl_error(ErrorKind::Invalid, "the text has no PEM private key");
  return key;
}

std::time_t to_time(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

bool set_serial(X509* certificate) {
  unsigned char bytes[16];
  if (RAND_bytes(bytes, sizeof bytes) != 1) return false;
  bytes[0] &= 0x7f;  // a serial number is positive
  const std::unique_ptr<BIGNUM, OpensslDelete<BN_free>> number(
      BN_bin2bn(bytes, sizeof bytes, nullptr));
  return BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool add_name(X509_NAME* name, const char* field, const std::string& value) {
  return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(value.data()),
                                    static_cast<int>(value.size()), -1, 0) == 1;
}

bool add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, OpensslDelete<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

// A certificate with key, names and times, without extensions and signature.
Result<X509Ptr> make_unsigned(EVP_PKEY* key, const CertificateSpec& spec) {
  X509Ptr certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  bool ok = set_serial(certificate.get());
  ok = ok && ASN1_TIME_set(X509_getm_notBefore(certificate.get()), to_time(spec.not_before));
  ok = ok && ASN1_TIME_set(X509_getm_notAfter(certificate.get()), to_time(spec.not_after));
  ok = ok && X509_set_pubkey(certificate.get(), key) == 1;
  X509_NAME* name = X509_get_subject_name(certificate.get());
  for (const auto& organization : spec.organizations) ok = ok && add_name(name, "O", organization);
  ok = ok && add_name(name, "CN", spec.common_name);
  if (!ok) return openssl_error(ErrorKind::Internal, "a certificate cannot be made");
  return certificate;
}

// "DNS:a,IP:1.2.3.4"; refuses what would be read as something else.
Result<std::string> alternative_names(const CertificateSpec& spec) {
  std::string text;
  const auto append = [&text](const char* kind, const std::string& value) {
    if (value.empty() || value.find_first_of(",;: \n") != std::string::npos) return false;
    text += (text.empty() ? "" : ",") + std::string(kind) + value;
    return true;
  };
  for (const auto& name : spec.dns_names)
    if (!append("DNS:", name))
      return fail(ErrorKind::Invalid, "'" + name + "' is no DNS name for a certificate");
  for (const auto& address : spec.ip_addresses)
    if (!append("IP:", address))
      return fail(ErrorKind::Invalid, "'" + address + "' is no IPv4 address for a certificate");
  return text;
}

Result<void> sign(X509* certificate, EVP_PKEY* key) {
  if (X509_sign(certificate, key, EVP_sha256()) > 0) return {};
  return openssl_error(ErrorKind::Internal, "a certificate cannot be signed");
}

}  // namespace

Result<KeyPair> make_authority(const std::string& common_name, WallTime not_before,
                               WallTime not_after) {
  const KeyPtr key(EVP_EC_gen("P-256"));
  if (key == nullptr) return openssl_error(ErrorKind::Internal, "a key cannot be made");
  CertificateSpec spec;
  spec.common_name = common_name;
  spec.not_before = not_before;
  spec.not_after = not_after;
  auto certificate = make_unsigned(key.get(), spec);
  if (!certificate) return fail(certificate.error());
  X509* raw = certificate->get();
  X509_set_issuer_name(raw, X509_get_subject_name(raw));
  const bool ok = add_extension(raw, raw, NID_basic_constraints, "critical,CA:TRUE") &&
                  add_extension(raw, raw, NID_key_usage, "critical,keyCertSign,cRLSign") &&
                  add_extension(raw, raw, NID_subject_key_identifier, "hash");
  if (!ok) return openssl_error(ErrorKind::Internal, "a certificate authority cannot be made");
  if (auto done = sign(raw, key.get()); !done) return fail(done.error());
  return to_pem(raw, key.get());
}

Result<KeyPair> issue_certificate(const KeyPair& authority, const CertificateSpec& spec) {
  auto issuers = read_certificates(authority.certificate_pem);
  if (!issuers) return fail(issuers.error());
  auto issuer_key = read_key(authority.key_pem);
  if (!issuer_key) return fail(issuer_key.error());
  auto names = alternative_names(spec);
  if (!names) return fail(names.error());
  const KeyPtr key(EVP_EC_gen("P-256"));
  if (key == nullptr) return openssl_error(ErrorKind::Internal, "a key cannot be made");
  auto certificate = make_unsigned(key.get(), spec);
  if (!certificate) return fail(certificate.error());
  X509* raw = certificate->get();
  X509* issuer = issuers->front().get();
  X509_set_issuer_name(raw, X509_get_subject_name(issuer));
  bool ok = add_extension(raw, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
            add_extension(raw, issuer, NID_key_usage, "critical,digitalSignature") &&
            add_extension(raw, issuer, NID_ext_key_usage,
                          spec.for_client ? "clientAuth" : "serverAuth") &&
            add_extension(raw, issuer, NID_subject_key_identifier, "hash") &&
            add_extension(raw, issuer, NID_authority_key_identifier, "keyid");
  if (!names->empty()) ok = ok && add_extension(raw, issuer, NID_subject_alt_name, *names);
  if (!ok) return openssl_error(ErrorKind::Invalid, "a certificate cannot be made");
  if (auto done = sign(raw, issuer_key->get()); !done) return fail(done.error());
  return to_pem(raw, key.get());
}

Result<CertificateInfo> read_certificate(std::string_view pem) {
  auto certificates = read_certificates(pem);
  if (!certificates) return fail(certificates.error());
  X509* raw = certificates->front().get();
  CertificateInfo info;
  const auto names = subject_values(raw, NID_commonName);
  if (!names.empty()) info.common_name = names.back();
  info.organizations = subject_values(raw, NID_organizationName);
  info.not_before = to_wall_time(X509_get0_notBefore(raw));
  info.not_after = to_wall_time(X509_get0_notAfter(raw));
  const std::unique_ptr<GENERAL_NAMES, OpensslDelete<GENERAL_NAMES_free>> alternatives(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(raw, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; alternatives != nullptr && i < sk_GENERAL_NAME_num(alternatives.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(alternatives.get(), i);
    if (name->type != GEN_DNS) continue;
    const auto* text = ASN1_STRING_get0_data(name->d.dNSName);
    info.dns_names.emplace_back(text, text + ASN1_STRING_length(name->d.dNSName));
  }
  return info;
}

Result<std::string> certificate_der(std::string_view pem) {
  auto certificates = read_certificates(pem);
  if (!certificates) return fail(certificates.error());
  X509* raw = certificates->front().get();
  std::string der(static_cast<std::size_t>(std::max(0, i2d_X509(raw, nullptr))), '\0');
  auto* out = reinterpret_cast<unsigned char*>(der.data());
  i2d_X509(raw, &out);
  return der;
}

Result<void> check_key_pair(const KeyPair& pair, std::string_view authorities_pem, WallTime now) {
  auto certificates = read_certificates(pair.certificate_pem);
  if (!certificates) return fail(certificates.error());
  auto key = read_key(pair.key_pem);
  if (!key) return fail(key.error());
  if (X509_check_private_key(certificates->front().get(), key->get()) != 1)
    return openssl_error(ErrorKind::Invalid, "the key does not belong to the certificate");
  auto store = make_store(authorities_pem);
  if (!store) return fail(store.error());
  auto verified =
      verify_certificate(**store, *certificates->front(), nullptr, X509_PURPOSE_SSL_SERVER, now);
  if (!verified) return fail(ErrorKind::Invalid, verified.error().message);
  return {};
}

}  // namespace mcpfleet::http
