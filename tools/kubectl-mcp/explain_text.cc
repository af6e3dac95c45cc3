#include "tools/kubectl-mcp/explain_text.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/kubectl-mcp/drivers.h"
#include "tools/kubectl-mcp/page.h"
#include "tools/kubectl-mcp/text.h"
#include "tools/kubectl-mcp/trouble.h"
#include "tools/kubectl-mcp/value_text.h"

namespace mcpfleet::kubectl {
namespace {

// A decision of a mode or a limit alone, as the status has it.
constexpr std::string_view kNobody = "none";
constexpr std::size_t kIndent = 2;
constexpr std::size_t kHang = 12;         // of decisions: "for 5h12m"
constexpr std::size_t kCommand = 6;       // of what is to be copied
constexpr std::size_t kLongestName = 32;  // of what scales; longer ones have a line of their own
constexpr std::size_t kConditions = 18;   // "  ScalingLimited  "

std::string replicas_text(int count) {
  return std::to_string(count) + (count == 1 ? " replica" : " replicas");
}

std::string ago(WallTime time, const Explanation& explanation) {
  return age_text(age_of(time, explanation.now)) + " ago";
}

std::string joined(const std::vector<std::string>& parts, const char* between) {
  std::string text;
  for (const auto& part : parts) text += (text.empty() ? "" : between) + part;
  return text;
}

std::string how_many(const fleet::Status& status) {
  if (status.replicas == 0) return "It has no replicas now.";
  const bool one = status.replicas == 1;
  std::string ready = std::to_string(status.ready_replicas) + " of them ready";
  if (status.ready_replicas == 0) ready = one ? "not ready" : "none of them ready";
  if (status.ready_replicas >= status.replicas) ready = one ? "ready" : "all ready";
  return "It has " + replicas_text(status.replicas) + ", " + ready + ".";
}

// Who moves the replicas, and within what.
std::string who(const Explanation& explanation) {
  const auto& autoscaling = *explanation.server.autoscaling;
  const std::string within = " between " + std::to_string(autoscaling.min_replicas) + " and " +
                             replicas_text(autoscaling.max_replicas) + ".";
  const bool hpa = autoscaling.actuator == fleet::Actuator::Hpa;
  switch (autoscaling.mode) {
    case fleet::ScalingMode::DryRun:
      return "Nothing moves them: spec.autoscaling.mode is DryRun, so it is only said what would "
             "be done," +
             within;
    case fleet::ScalingMode::Paused:
      return "Nothing moves them: spec.autoscaling.mode is Paused.";
    case fleet::ScalingMode::Active:
      break;
  }
  if (hpa) {
    return "HorizontalPodAutoscaler " + explanation.server.name + " keeps them" + within;
  }
  return "The operator itself keeps them" + within;
}

// What is wanted, where that is more than what there is.
std::string wanted(const fleet::Status& status) {
  if (!status.scaling) return {};
  const auto& scaling = *status.scaling;
  if (scaling.would_be) return " There would be " + replicas_text(*scaling.would_be) + ".";
  if (scaling.recommended_replicas == 0) return {};
  std::string text = " Recommended: at least " + replicas_text(scaling.recommended_replicas);
  if (scaling.floor > 0 && scaling.floor != scaling.recommended_replicas) {
    text += " (the rules alone: " + std::to_string(scaling.floor) + ")";
  }
  return text + ".";
}

// What is known may be of another spec than the one that stands there.
std::string out_of_date(const Explanation& explanation) {
  const auto& status = explanation.server.status;
  if (status.observed_generation == 0) {
    return "mcp-operator has not looked at it yet: is it running?";
  }
  if (status.observed_generation >= explanation.server.generation) return {};
  return "mcp-operator has not seen the last edit yet: what follows is about generation " +
         std::to_string(status.observed_generation) + ", and this is " +
         std::to_string(explanation.server.generation) + ".";
}

void introduce(const Explanation& explanation, Page& page) {
  const auto& server = explanation.server;
  page.heading("MCPServer " + server.namespace_ + "/" + server.name);
  if (const auto text = out_of_date(explanation); !text.empty()) {
    page.paragraph(kIndent, text, Paint::Warning);
  }
  if (!explanation.invalid.empty()) {
    page.paragraph(kIndent, "Its spec cannot be read: " + explanation.invalid, Paint::Warning);
  }
  std::string text = how_many(server.status);
  if (server.autoscaling) text += " " + who(explanation) + wanted(server.status);
  page.paragraph(kIndent, text);
}

void tell_how_to_begin(const Explanation& explanation, Page& page) {
  const auto& server = explanation.server;
  page.heading("Nothing scales it");
  page.paragraph(kIndent,
                 "spec.autoscaling is not set. To see first what it would do, and change nothing:");
  page.paragraph(kIndent, "");
  page.verbatim(kCommand, "kubectl patch mcpserver " + server.name + " -n " + server.namespace_ +
                              R"( --type=merge -p '{"spec":{"autoscaling":)"
                              R"({"mode":"DryRun","minReplicas":1,"maxReplicas":10}}}')");
  page.verbatim(kCommand, "kubectl mcp explain " + server.name + " -n " + server.namespace_);
  page.paragraph(kIndent, "");
  page.paragraph(kIndent,
                 "Without targets of your own these are 100 calls a second a replica, and 70 % of "
                 "the CPU and 80 % of the memory that it requests. With \"mode\":\"Active\" it "
                 "scales.");
}

// Those that have the same reason to have no value, said once.
void tell_missing(const std::vector<Driver>& all, Page& page) {
  std::vector<std::pair<std::string, std::vector<std::string>>> reasons;
  for (const auto& driver : all) {
    if (driver.missing.empty()) continue;
    auto found = std::ranges::find(reasons, driver.missing,
                                   &std::pair<std::string, std::vector<std::string>>::first);
    if (found == reasons.end()) found = reasons.insert(found, {driver.missing, {}});
    found->second.push_back(driver.name);
  }
  for (const auto& [reason, names] : reasons) {
    page.paragraph(kIndent, "No value of " + joined(names, ", ") + ": " + reason, Paint::Warning);
  }
}

bool measured(const Driver& driver) { return !driver.value.empty() || !driver.missing.empty(); }

// "395ms    target > 200ms    1s old": value, target and age, aligned with those of the others.
std::vector<std::string> cells(const Driver& driver) {
  return {driver.value.empty() ? "no value" : driver.value, "target " + driver.target,
          driver.age ? age_text(*driver.age) + " old" : ""};
}

std::string without_measure(const Driver& driver) {
  if (driver.target.empty() || driver.detail.empty()) return driver.target + driver.detail;
  return driver.target + ", " + driver.detail;
}

void tell_drivers(const Explanation& explanation, Page& page) {
  const auto all = drivers(explanation);
  page.heading("What scales it");
  if (all.empty()) return page.paragraph(kIndent, "Nothing: it has no target and no rule.");
  std::vector<std::vector<std::string>> rows;
  std::size_t name = 0;
  for (const auto& driver : all) {
    name = std::max(name, columns(driver.name));
    if (measured(driver)) rows.push_back(cells(driver));
  }
  const std::size_t hang = kIndent + std::min(name, kLongestName) + 2;
  const auto lines = aligned(rows);
  auto line = lines.begin();
  for (const auto& driver : all) {
    if (measured(driver)) {
      page.row(kIndent, driver.name, hang, *line++);
      if (!driver.detail.empty()) page.paragraph(hang, driver.detail, Paint::Faint);
    } else {
      page.entry(kIndent, driver.name, hang, without_measure(driver));
    }
  }
  tell_missing(all, page);
}

std::string input_text(const fleet::DecisionInput& input) {
  std::string text = input.name + " ";
  text += input.value.empty() ? "without a value" : stored_text(input.name, input.value);
  std::vector<std::string> notes;
  if (!input.target.empty()) notes.push_back("target " + stored_text(input.name, input.target));
  if (!input.value.empty()) {
    notes.push_back(age_text(std::chrono::seconds(input.age_seconds)) + " old");
  }
  return notes.empty() ? text : text + " (" + joined(notes, ", ") + ")";
}

// `ended`: when the next decision came; absent: this is the last one.
std::string step_text(const fleet::ScalingDecision& decision, std::optional<WallTime> ended) {
  if (decision.from != decision.to) {
    return std::to_string(decision.from) + " → " + std::to_string(decision.to);
  }
  // One that stays stands for all alike that followed it.
  if (!ended) return "stays at " + std::to_string(decision.to);
  return "stayed at " + std::to_string(decision.to) + " for " +
         age_text(age_of(decision.time, *ended));
}

void tell_decision(const Explanation& explanation, const fleet::ScalingDecision& decision,
                   std::optional<WallTime> ended, Page& page) {
  const bool stays = decision.from == decision.to && !ended;
  const std::string age = age_text(age_of(decision.time, explanation.now));
  std::string headline = step_text(decision, ended);
  const std::string by = decision.rule.empty() ? decision.by : "rule " + decision.rule;
  if (!by.empty() && by != kNobody) headline += ", by " + by;
  if (!decision.reason.empty()) headline += ": " + decision.reason;
  page.entry(kIndent, stays ? "for " + age : age + " ago", kHang, headline, Paint::Strong);
  if (!decision.message.empty()) page.paragraph(kHang, decision.message);
  std::vector<std::string> inputs;
  inputs.reserve(decision.inputs.size());
  for (const auto& input : decision.inputs) inputs.push_back(input_text(input));
  if (!inputs.empty()) page.paragraph(kHang, "looked at " + joined(inputs, ", "));
  if (!decision.limits.empty()) {
    page.paragraph(kHang, "clipped by " + joined(decision.limits, ", "), Paint::Warning);
  }
}

// Before there was a list of decisions a status had the last one of the rules.
fleet::ScalingDecision decision_of(const fleet::Decision& decision) {
  return {.time = decision.time,
          .from = decision.from,
          .to = decision.to,
          .by = "",
          .rule = decision.rule,
          .reason = decision.reason,
          .message = decision.message};
}

void tell_decisions(const Explanation& explanation, Page& page) {
  const auto& scaling = explanation.server.status.scaling;
  page.heading("Last decisions");
  if (scaling && !scaling->decisions.empty()) {
    std::optional<WallTime> ended;
    for (const auto& decision : scaling->decisions) {
      tell_decision(explanation, decision, ended, page);
      ended = decision.time;
    }
  } else if (scaling && scaling->last_decision) {
    tell_decision(explanation, decision_of(*scaling->last_decision), std::nullopt, page);
  } else if (fleet::recommends(*explanation.server.autoscaling) ||
             !fleet::wants_hpa(*explanation.server.autoscaling)) {
    page.paragraph(kIndent, "None yet.");
  } else {
    page.paragraph(kIndent, "The HorizontalPodAutoscaler alone decides.");
  }
}

const char* text_of(fleet::ConditionStatus status) {
  switch (status) {
    case fleet::ConditionStatus::True:
      return "True";
    case fleet::ConditionStatus::False:
      return "False";
    case fleet::ConditionStatus::Unknown:
      break;
  }
  return "Unknown";
}

void tell_troubles(const Explanation& explanation, Page& page) {
  const auto all = troubles(explanation.server.status);
  if (all.empty()) return;
  page.heading("Worth a look");
  for (const auto& condition : all) {
    page.entry(kIndent, condition.type, kConditions,
               std::string(text_of(condition.status)) + " for " +
                   age_text(age_of(condition.last_transition, explanation.now)) + ", " +
                   condition.reason + ": " + condition.message,
               Paint::Warning);
  }
}

bool said_already(const Explanation& explanation, const std::string& message) {
  return std::ranges::any_of(troubles(explanation.server.status), [&](const auto& condition) {
    return !message.empty() && condition.message.find(message) != std::string::npos;
  });
}

void tell_hpa(const Explanation& explanation, Page& page) {
  if (!explanation.hpa) {
    if (explanation.hpa_problem.empty()) return;
    page.heading("HorizontalPodAutoscaler " + explanation.server.name);
    return page.paragraph(kIndent, explanation.hpa_problem, Paint::Warning);
  }
  const auto& [hpa, last_scaled, last_event] = *explanation.hpa;
  page.heading("HorizontalPodAutoscaler " + hpa.name);
  std::string text = "It wants " + replicas_text(hpa.desired_replicas) + " and has " +
                     std::to_string(hpa.current_replicas) + ". ";
  text += last_scaled ? "It last scaled " + ago(*last_scaled, explanation) + "."
                      : "It has not scaled yet.";
  page.paragraph(kIndent, text);
  if (last_event) {
    page.paragraph(kIndent, "Its last Event of that, " + ago(last_event->time, explanation) + ": " +
                                last_event->message);
  }
  for (const auto& condition : hpa.conditions) {
    const bool known = said_already(explanation, condition.message);
    page.entry(kIndent, condition.type, kConditions,
               condition.status + ", " + condition.reason +
                   (known ? " (see above)" : ": " + condition.message));
  }
}

}  // namespace

std::string explain_text(const Explanation& explanation, std::size_t width, bool colour) {
  Page page(width, colour);
  introduce(explanation, page);
  tell_troubles(explanation, page);
  if (explanation.server.autoscaling) {
    tell_drivers(explanation, page);
    tell_decisions(explanation, page);
    tell_hpa(explanation, page);
  } else if (explanation.invalid.empty()) {
    tell_how_to_begin(explanation, page);
  }
  return page.text();
}

}  // namespace mcpfleet::kubectl
