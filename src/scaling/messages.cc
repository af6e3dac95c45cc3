#include "scaling/messages.h"

#include <cmath>
#include <cstdio>

#include "base/time_text.h"
#include "scaling/autoscaler.h"

namespace mcpfleet::scaling {
namespace {

std::string two_digits(double value) {
  if (value == 0) return "0";
  const double scale = std::pow(10.0, std::floor(std::log10(std::fabs(value))) - 1);
  return format_value(std::round(value / scale) * scale);
}

}  // namespace

std::string format_value(double value) {
  char text[64];
  const bool small = std::fabs(value) < 1;
  std::snprintf(text, sizeof text, small ? "%.3g" : "%.3f", value);
  std::string result = text;
  if (small) return result;
  result.erase(result.find_last_not_of('0') + 1);
  if (result.ends_with('.')) result.pop_back();
  return result;
}

const char* symbol(fleet::Operator op) {
  switch (op) {
    case fleet::Operator::Greater:
      return ">";
    case fleet::Operator::Less:
      return "<";
    case fleet::Operator::GreaterOrEqual:
      return ">=";
    case fleet::Operator::LessOrEqual:
      return "<=";
  }
  return "?";
}

std::string subject(const fleet::Rule& rule) {
  return rule.tool.empty() ? rule.metric : rule.metric + " of tool " + rule.tool;
}

std::string finding(const fleet::Rule& rule, const Window& window, bool met) {
  const std::string head = "rule " + rule.name + ": " + subject(rule);
  if (window.state == Window::State::Idle) return head + " is idle: there is nothing to measure";
  return head + " averaged " + format_value(window.average) + " over " +
         format_duration(rule.window) + (met ? " " : ", not ") + symbol(rule.op) + " " +
         format_value(rule.threshold);
}

std::string without_data(const fleet::Rule& rule, const Window& window, const std::string& why) {
  const std::string head = "rule " + rule.name + " has no data for " + subject(rule);
  const std::string since = window.state == Window::State::Stale
                                ? " within its window of " + format_duration(rule.window)
                                : std::string();
  return head + since + (why.empty() ? ": nothing was read yet" : ": " + why);
}

std::string step(int from, int to) {
  return std::to_string(from) + " → " + std::to_string(to) + " replicas";
}

fleet::MetricReading reading(const fleet::Rule& rule, const Window& window) {
  const bool measured = window.state == Window::State::Average;
  return {subject(rule), measured ? two_digits(window.average) : std::string(),
          std::string(symbol(rule.op)) + " " + format_value(rule.threshold), WallTime{}};
}

}  // namespace mcpfleet::scaling
