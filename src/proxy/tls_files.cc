#include "proxy/tls_files.h"

#include <boost/asio/ssl/context.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "http/tls.h"

namespace mcpfleet::proxy {
namespace {

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorKind::NotFound, "cannot read " + path + ": " + std::strerror(errno));
  return std::string{std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

Result<TlsFiles> TlsFiles::load(std::string certificate_file, std::string key_file) {
  TlsFiles files(std::move(certificate_file), std::move(key_file));
  const auto loaded = files.reload();
  if (!loaded) return fail(loaded.error());
  return files;
}

Result<bool> TlsFiles::reload() {
  auto certificate = read_file(certificate_file_);
  if (!certificate) return fail(certificate.error());
  auto key = read_file(key_file_);
  if (!key) return fail(key.error());
  if (context_ != nullptr && *certificate == certificate_ && *key == key_) return false;
  auto context = http::make_server_context({*certificate, *key}, false);
  if (!context) return fail(context.error().context(certificate_file_));
  context_ = std::move(*context);
  certificate_ = std::move(*certificate);
  key_ = std::move(*key);
  return true;
}

}  // namespace mcpfleet::proxy
