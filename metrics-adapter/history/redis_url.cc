#include "metrics-adapter/history/redis_url.h"

#include <charconv>
#include <optional>

#include "metrics-adapter/request_path.h"

namespace mcpfleet::adapter {
namespace {

constexpr std::string_view kScheme = "redis://";
constexpr int kMaxDatabase = 65'535;

std::unexpected<Error> no_url() {
  return fail(ErrorKind::Invalid, "must be redis://[:PASSWORD@]HOST[:PORT][/DATABASE]");
}

template <typename Number>
std::optional<Number> whole_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Result<void> take_credentials(std::string_view text, RedisAddress& address) {
  const auto colon = text.find(':');
  if (colon == text.npos) return no_url();
  auto user = percent_decode(text.substr(0, colon));
  auto password = percent_decode(text.substr(colon + 1));
  if (!user || !password) return no_url();
  address.user = std::move(*user);
  address.password = std::move(*password);
  return {};
}

Result<void> take_place(std::string_view text, RedisAddress& address) {
  const auto bracket = text.rfind(']');
  const auto colon = text.find(':', bracket == text.npos ? 0 : bracket);
  auto host = text.substr(0, colon);
  if (bracket != text.npos) {
    if (!host.starts_with('[') || !host.ends_with(']')) return no_url();
    host = host.substr(1, host.size() - 2);
  }
  if (host.empty()) return no_url();
  address.host = host;
  if (colon == text.npos) return {};
  const auto port = whole_number<std::uint16_t>(text.substr(colon + 1));
  if (!port || *port == 0) return no_url();
  address.port = *port;
  return {};
}

}  // namespace

Result<RedisAddress> parse_redis_url(std::string_view text) {
  if (text.starts_with("rediss://"))
    return fail(ErrorKind::Invalid,
                "rediss:// is not supported, since Debian 12's Redis client has no TLS: give "
                "redis:// and a tunnel or a network policy");
  if (!text.starts_with(kScheme)) return no_url();
  text.remove_prefix(kScheme.size());
  RedisAddress address;
  if (const auto slash = text.rfind('/'); slash != text.npos && slash > text.find('@') + 1) {
    const auto database = text.substr(slash + 1);
    text = text.substr(0, slash);
    const auto number = database.empty() ? 0 : whole_number<int>(database).value_or(-1);
    if (number < 0 || number > kMaxDatabase) return no_url();
    address.database = number;
  }
  if (const auto at = text.rfind('@'); at != text.npos) {
    if (auto taken = take_credentials(text.substr(0, at), address); !taken)
      return fail(taken.error());
    text.remove_prefix(at + 1);
  }
  if (auto taken = take_place(text, address); !taken) return fail(taken.error());
  return address;
}

}  // namespace mcpfleet::adapter
