#include "scaling/advice.h"

#include <algorithm>

#include "base/time_text.h"
#include "scaling/amounts.h"
#include "scaling/autoscaler.h"
#include "scaling/messages.h"
#include "scaling/policy_of.h"
#include "scaling/series.h"

namespace mcpfleet::scaling {
namespace {

bool holds(const fleet::Rule& rule, double value) {
  return compare(rule.op, value, rule.threshold);
}

// Some value meets both: a comparison changes only at its threshold, so these are all the cases.
bool overlap(const fleet::Rule& a, const fleet::Rule& b) {
  const auto [low, high] = std::minmax(a.threshold, b.threshold);
  const double values[] = {low - 1, low, (low + high) / 2, high, high + 1};
  return std::ranges::any_of(values, [&](double v) { return holds(a, v) && holds(b, v); });
}

std::string wish(const fleet::Rule& rule) {
  return "rule " + rule.name + " (" + symbol(rule.op) + " " + format_value(rule.threshold) + ")";
}

void add_contradictions(const fleet::Autoscaling& autoscaling, std::vector<std::string>& found) {
  for (const auto& up : autoscaling.rules)
    for (const auto& down : autoscaling.rules)
      if (up.action == fleet::Action::ScaleUp && down.action == fleet::Action::ScaleDown &&
          up.metric == down.metric && up.tool == down.tool && overlap(up, down))
        found.push_back(wish(up) + " and " + wish(down) + " contradict each other over " +
                        subject(up) + "; where both hold, ScaleUp counts");
}

void add_short_cooldowns(const fleet::Autoscaling& autoscaling, std::vector<std::string>& found) {
  for (const auto& rule : autoscaling.rules)
    if (rule.cooldown < sample_interval(rule))
      found.push_back("rule " + rule.name + ": cooldown " + format_duration(rule.cooldown) +
                      " is over before the next sample, which comes after " +
                      format_duration(sample_interval(rule)));
}

}  // namespace

std::vector<std::string> advice(const fleet::Autoscaling& autoscaling) {
  std::vector<std::string> found = problems(policy_of(autoscaling));
  add_contradictions(autoscaling, found);
  add_short_cooldowns(autoscaling, found);
  return found;
}

}  // namespace mcpfleet::scaling
