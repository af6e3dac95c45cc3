#include "proxy/session_keys.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace mcpfleet::proxy {
namespace {

Result<std::string> read_key(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    return fail(ErrorKind::NotFound,
                "cannot read the session key file " + path + ": " + std::strerror(errno));
  return std::string{std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

Result<SessionKeys> SessionKeys::load(std::string file) {
  SessionKeys keys(std::move(file));
  auto read = keys.read();
  if (!read) return fail(read.error());
  keys.keys_ = std::move(*read);
  return keys;
}

Result<std::vector<SessionKeys::Key>> SessionKeys::read() const {
  std::vector<Key> keys;
  const auto folder = std::filesystem::path(file_).parent_path();
  for (const auto& path : {file_, (folder / "previous").string(), (folder / "next").string()}) {
    auto secret = read_key(path);
    if (!secret && !keys.empty()) continue;  // only the first must be there
    if (!secret) return fail(secret.error());
    auto seal = SessionSeal::create(*secret);
    if (!seal) return fail(seal.error().context(path));
    keys.push_back({std::move(*secret), std::move(*seal)});
  }
  return keys;
}

Result<bool> SessionKeys::reload() {
  auto read = this->read();
  if (!read) return fail(read.error());
  if (std::ranges::equal(*read, keys_, {}, &Key::secret, &Key::secret)) return false;
  keys_ = std::move(*read);
  return true;
}

Result<std::string> SessionKeys::seal(const SealedSession& session, std::string_view binding) {
  return keys_.front().seal.seal(session, binding);
}

std::optional<SealedSession> SessionKeys::open(std::string_view id, std::string_view binding) {
  for (auto& key : keys_)
    if (auto session = key.seal.open(id, binding)) return session;
  return std::nullopt;
}

}  // namespace mcpfleet::proxy
