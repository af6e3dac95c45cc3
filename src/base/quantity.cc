#include "base/quantity.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace mcpfleet {
namespace {

constexpr const char* kShape = "must be a quantity such as 100, 250m, 1.5 or 2Gi";

Result<long double> suffix_factor(std::string_view suffix) {
  static constexpr std::array<std::pair<std::string_view, long double>, 15> kFactors{{
      {"", 1e3L},
      {"n", 1e-6L},
      {"u", 1e-3L},
      {"m", 1.0L},
      {"k", 1e6L},
      {"M", 1e9L},
      {"G", 1e12L},
      {"T", 1e15L},
      {"P", 1e18L},
      {"E", 1e21L},
      {"Ki", 1024e3L},
      {"Mi", 1048576e3L},
      {"Gi", 1073741824e3L},
      {"Ti", 1099511627776e3L},
      {"Pi", 1125899906842624e3L},
  }};
  for (const auto& [name, factor] : kFactors)
    if (name == suffix) return factor;
  if (suffix.size() > 1 && suffix.size() < 5 && (suffix[0] == 'e' || suffix[0] == 'E')) {
    auto digits = suffix.substr(suffix[1] == '+' ? 2 : 1);
    int exponent = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
    if (error == std::errc{} && end == digits.data() + digits.size())
      return 1e3L * std::pow(10.0L, static_cast<long double>(exponent));
  }
  return fail(ErrorKind::Invalid, kShape);
}

}  // namespace

Result<std::int64_t> parse_quantity_milli(std::string_view text) {
  if (text.empty() || text.size() > 64) return fail(ErrorKind::Invalid, kShape);
  std::size_t at = 0;
  const bool negative = text[0] == '-';
  if (text[0] == '-' || text[0] == '+') at = 1;
  long double value = 0;
  long double place = 0;  // 0 before the point, then the value of the next fraction digit
  bool any = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '.' && place == 0) {
      place = 0.1L;
    } else if (c >= '0' && c <= '9') {
      any = true;
      if (place == 0) {
        value = value * 10 + (c - '0');
      } else {
        value += (c - '0') * place;
        place /= 10;
      }
    } else {
      break;
    }
  }
  if (!any) return fail(ErrorKind::Invalid, kShape);
  auto factor = suffix_factor(text.substr(at));
  if (!factor) return fail(factor.error());
  long double milli = value * *factor;
  // Decimal fractions are not exact in binary: what is a whole number of thousandths but for that
  // error is whole.
  const long double nearest = std::round(milli);
  milli = std::fabs(milli - nearest) < 1e-6L ? nearest : std::ceil(milli);
  milli = std::min(milli, static_cast<long double>(kMaxMilli));
  const auto whole = static_cast<std::int64_t>(milli);
  return negative ? -whole : whole;
}

std::string format_quantity_milli(std::int64_t milli) {
  if (milli == 0) return "0";
  if (milli % 1000 != 0) return std::to_string(milli) + "m";
  std::int64_t whole = milli / 1000;
  static constexpr std::array<const char*, 6> kSuffixes{"", "k", "M", "G", "T", "P"};
  std::size_t suffix = 0;
  while (suffix + 1 < kSuffixes.size() && whole % 1000 == 0) {
    whole /= 1000;
    ++suffix;
  }
  return std::to_string(whole) + kSuffixes[suffix];
}

Result<std::int64_t> to_milli(double value) {
  if (!std::isfinite(value)) return fail(ErrorKind::Invalid, "is not a finite number");
  const double milli = std::round(value * 1000);
  if (milli >= static_cast<double>(kMaxMilli)) return kMaxMilli;
  if (milli <= -static_cast<double>(kMaxMilli)) return -kMaxMilli;
  return static_cast<std::int64_t>(milli);
}

}  // namespace mcpfleet
