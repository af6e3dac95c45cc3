#include "routing/retry.h"

#include <algorithm>
#include <array>

#include "base/backoff.h"

namespace mcpfleet::routing {
namespace {

constexpr std::array<std::string_view, 11> kSafe{"completion/complete",
                                                 "ping",
                                                 "prompts/get",
                                                 "prompts/list",
                                                 "resources/list",
                                                 "resources/read",
                                                 "resources/templates/list",
                                                 "server/discover",
                                                 "tasks/get",
                                                 "tasks/list",
                                                 "tools/list"};
static_assert(std::ranges::is_sorted(kSafe));

// A back-off grows to this many times the first one.
constexpr int kMostGrowth = 16;

bool unwritten(const Attempt& attempt) {
  return attempt.reached == Reached::Nothing || attempt.reached == Reached::Refused;
}

Duration delay(const fleet::Retries& settings, const Attempt& attempt, Random& random) {
  if (unwritten(attempt) && attempt.other_pod) return Duration(0);
  const Backoff backoff{.base = settings.backoff, .ceiling = settings.backoff * kMostGrowth};
  const auto even = static_cast<double>(backoff.delay(attempt.number).count());
  return Duration(static_cast<Duration::rep>(even * (0.5 + random.uniform())));
}

}  // namespace

bool safe_to_repeat(std::string_view method) { return std::ranges::binary_search(kSafe, method); }

bool may_repeat(const Attempt& attempt) {
  if (!is_failure(attempt.outcome)) return false;
  switch (attempt.reached) {
    case Reached::Nothing:
    case Reached::Refused:
      return true;
    case Reached::Written:
      return attempt.safe;
    case Reached::Answering:
      return false;
  }
  return false;
}

bool RetryBudget::take() {
  if (left_ < 1) return false;
  left_ -= 1;
  return true;
}

std::optional<Duration> retry_after(const fleet::Retries& settings, const Attempt& attempt,
                                    RetryBudget& budget, Random& random) {
  if (attempt.number >= settings.attempts || !may_repeat(attempt)) return std::nullopt;
  const Duration wait = delay(settings, attempt, random);
  if (wait >= attempt.time_left || !budget.take()) return std::nullopt;
  return wait;
}

}  // namespace mcpfleet::routing
