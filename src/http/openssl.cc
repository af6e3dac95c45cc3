#include "http/openssl.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <ctime>

namespace mcpfleet::http {

void free_certificate_stack(STACK_OF(X509) * stack) { sk_X509_pop_free(stack, X509_free); }

std::unexpected<Error> openssl_error(ErrorKind kind, std::string_view step) {
  std::string text(step);
  if (const auto code = ERR_peek_last_error(); code != 0) {
    if (const char* reason = ERR_reason_error_string(code)) text += std::string(": ") + reason;
  }
  ERR_clear_error();
  return fail(kind, std::move(text));
}

Result<std::vector<X509Ptr>> read_certificates(std::string_view pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::vector<X509Ptr> certificates;
  while (bio != nullptr) {
    X509Ptr next(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (next == nullptr) break;
    certificates.push_back(std::move(next));
  }
  if (certificates.empty())
    return openssl_error(ErrorKind::Invalid, "the text has no PEM certificate");
  ERR_clear_error();  // the end of the text is an error to PEM_read_bio_X509
  return certificates;
}

std::vector<std::string> subject_values(X509* certificate, int nid) {
  std::vector<std::string> values;
  const X509_NAME* name = X509_get_subject_name(certificate);
  for (int at = X509_NAME_get_index_by_NID(name, nid, -1); at >= 0;
       at = X509_NAME_get_index_by_NID(name, nid, at)) {
    unsigned char* text = nullptr;
    const int size =
        ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    if (size < 0) continue;
    values.emplace_back(text, text + size);
    OPENSSL_free(text);
  }
  return values;
}

WallTime to_wall_time(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return WallTime{};
  return WallTime{std::chrono::seconds(timegm(&parts))};
}

Result<StorePtr> make_store(std::string_view authorities_pem) {
  auto authorities = read_certificates(authorities_pem);
  if (!authorities) return fail(authorities.error());
  StorePtr store(X509_STORE_new());
  for (const auto& authority : *authorities)
    if (X509_STORE_add_cert(store.get(), authority.get()) != 1)
      return openssl_error(ErrorKind::Invalid, "the certificate authority cannot be used");
  // As Go does: whatever is in the list is trusted, also without the root above it.
  X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN);
  return store;
}

Result<void> verify_certificate(X509_STORE& store, X509& leaf, STACK_OF(X509) * chain, int purpose,
                                WallTime now) {
  const StoreContextPtr context(X509_STORE_CTX_new());
  if (context == nullptr || X509_STORE_CTX_init(context.get(), &store, &leaf, chain) != 1)
    return openssl_error(ErrorKind::Internal, "the certificate cannot be verified");
  X509_STORE_CTX_set_purpose(context.get(), purpose);
  X509_VERIFY_PARAM_set_time(
      X509_STORE_CTX_get0_param(context.get()),
      std::chrono::system_clock::to_time_t(
          std::chrono::time_point_cast<std::chrono::system_clock::duration>(now)));
  if (X509_verify_cert(context.get()) == 1) return {};
  ERR_clear_error();
  return fail(ErrorKind::Unauthorized,
              std::string("the certificate is not accepted: ") +
                  X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get())));
}

}  // namespace mcpfleet::http
