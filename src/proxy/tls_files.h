// A server's certificate and key in two files, and how they change while it runs.
//
// Thread safety: none; it belongs to the proxy's one thread.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "proxy/tls_session.h"

namespace mcpfleet::proxy {

class TlsFiles {
 public:
  // PEM files of the certificate chain and of its key. Errors: NotFound, Invalid, that name a file.
  static Result<TlsFiles> load(std::string certificate_file, std::string key_file);

  // Reads both anew. True: they have changed, and new connections are to get context(). An error
  // leaves it as it is.
  Result<bool> reload();

  const std::shared_ptr<TlsContext>& context() const { return context_; }

 private:
  TlsFiles(std::string certificate_file, std::string key_file)
      : certificate_file_(std::move(certificate_file)), key_file_(std::move(key_file)) {}

  std::string certificate_file_;
  std::string key_file_;
  std::string certificate_;
  std::string key_;
  std::shared_ptr<TlsContext> context_;
};

}  // namespace mcpfleet::proxy
