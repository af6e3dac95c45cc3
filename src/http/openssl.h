// Owning pointers to OpenSSL's objects, and its errors as ours. Internal to src/http.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace mcpfleet::http {

template <auto kFree>
struct OpensslDelete {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};

void free_certificate_stack(STACK_OF(X509) * stack);

using X509Ptr = std::unique_ptr<X509, OpensslDelete<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, OpensslDelete<EVP_PKEY_free>>;
using BioPtr = std::unique_ptr<BIO, OpensslDelete<BIO_free_all>>;
using StorePtr = std::unique_ptr<X509_STORE, OpensslDelete<X509_STORE_free>>;
using StoreContextPtr = std::unique_ptr<X509_STORE_CTX, OpensslDelete<X509_STORE_CTX_free>>;
using StackPtr = std::unique_ptr<STACK_OF(X509), OpensslDelete<free_certificate_stack>>;

// "step: OpenSSL's reason", and clears OpenSSL's queue of errors.
std::unexpected<Error> openssl_error(ErrorKind kind, std::string_view step);

// Every certificate of a PEM text. Error: Invalid where there is none.
Result<std::vector<X509Ptr>> read_certificates(std::string_view pem);

// All values of one field of the subject, such as NID_commonName.
std::vector<std::string> subject_values(X509* certificate, int nid);

WallTime to_wall_time(const ASN1_TIME* time);

// A store that trusts every certificate of a PEM text, intermediates included. Error: Invalid.
Result<StorePtr> make_store(std::string_view authorities_pem);

// Verifies for one purpose (X509_PURPOSE_SSL_CLIENT, …) at a time. Error: Unauthorized, with the
// reason.
Result<void> verify_certificate(X509_STORE& store, X509& leaf, STACK_OF(X509) * chain, int purpose,
                                WallTime now);

}  // namespace mcpfleet::http
