#include "http/tls.h"

#include <utility>

namespace mcpfleet::http {
namespace {

namespace asio = boost::asio;
namespace ssl = asio::ssl;
using boost::system::error_code;

std::string why(const char* what, const error_code& ec) {
  return std::string(what) + " cannot be used: " + ec.message();
}

Result<void> use_identity(ssl::context& context, const std::string& chain, const std::string& key) {
  error_code ec;
  context.use_certificate_chain(asio::buffer(chain), ec);
  if (ec) return fail(ErrorKind::Invalid, why("the certificate", ec));
  context.use_private_key(asio::buffer(key), ssl::context::pem, ec);
  if (ec) return fail(ErrorKind::Invalid, why("the private key", ec));
  if (SSL_CTX_check_private_key(context.native_handle()) != 1)
    return fail(ErrorKind::Invalid, "the private key does not belong to the certificate");
  return {};
}

std::shared_ptr<ssl::context> make_context(ssl::context::method method) {
  auto context = std::make_shared<ssl::context>(method);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  // Without this, OpenSSL 3 takes a peer that closes without close_notify for an attack; HTTP has
  // its own lengths.
  SSL_CTX_set_options(context->native_handle(), SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context->native_handle(), SSL_MODE_RELEASE_BUFFERS);
  return context;
}

}  // namespace

Result<std::shared_ptr<ssl::context>> make_server_context(const TlsIdentity& identity,
                                                          bool request_client_certificate) {
  auto context = make_context(ssl::context::tls_server);
  auto used = use_identity(*context, identity.certificate_chain_pem, identity.private_key_pem);
  if (!used) return fail(used.error());
  if (request_client_certificate) {
    static constexpr unsigned char kSessionContext[] = "mcpfleet";
    SSL_CTX_set_session_id_context(context->native_handle(), kSessionContext,
                                   sizeof kSessionContext - 1);
    context->set_verify_mode(ssl::verify_peer);
    context->set_verify_callback([](bool, ssl::verify_context&) { return true; });
  }
  return context;
}

Result<std::shared_ptr<ssl::context>> make_client_context(const TlsClientOptions& options) {
  auto context = make_context(ssl::context::tls_client);
  error_code ec;
  if (options.insecure_skip_verify) {
    context->set_verify_mode(ssl::verify_none);
  } else {
    context->set_verify_mode(ssl::verify_peer);
    if (options.ca_pem.empty()) {
      context->set_default_verify_paths(ec);
    } else {
      context->add_certificate_authority(asio::buffer(options.ca_pem), ec);
    }
    if (ec) return fail(ErrorKind::Invalid, why("the certificate authority", ec));
  }
  if (!options.client_certificate_pem.empty()) {
    auto used = use_identity(*context, options.client_certificate_pem, options.client_key_pem);
    if (!used) return fail(used.error().context("client certificate"));
  }
  return context;
}

}  // namespace mcpfleet::http
