#include "scaling/decision_log.h"

#include "scaling/explain.h"
#include "scaling/reasons.h"

namespace mcpfleet::scaling {
namespace {

bool stays(const Verdict& verdict) { return verdict.advised == verdict.from; }

// Of what a person would say the same.
bool same(const Verdict& a, const Verdict& b) {
  return a.from == b.from && a.advised == b.advised && a.acts == b.acts && a.by == b.by &&
         a.reason == b.reason && a.clipped_by == b.clipped_by && a.missing == b.missing;
}

std::string rule_of(const Policy& policy, const Verdict& verdict, const fleet::Decision* rules) {
  const Proposal* cause = verdict.cause();
  if (verdict.by == Recommender::Rules && rules != nullptr) return rules->rule;
  if (verdict.by == Recommender::Schedule && cause != nullptr)
    return policy.schedules[cause->entry].name;
  return {};
}

// The rules' own decision is what changes the replicas: its words say more than that there is a
// floor.
bool is_of_rule(const Verdict& verdict, const fleet::Decision* rules) {
  return verdict.by == Recommender::Rules && rules != nullptr && !stays(verdict) &&
         rules->to == verdict.asked && !rules->reason.empty();
}

LoggedDecision logged(const Policy& policy, const Verdict& verdict, const fleet::Decision* rules) {
  LoggedDecision entry;
  entry.since = entry.last = verdict.now;
  entry.from = verdict.from;
  entry.to = verdict.replicas;
  entry.advised = verdict.advised;
  entry.acted = verdict.acts;
  entry.by = name(verdict.by);
  entry.rule = rule_of(policy, verdict, rules);
  entry.reason = text(verdict.reason);
  entry.message = explain(policy, verdict, rules);
  if (is_of_rule(verdict, rules)) {
    entry.reason = rules->reason;
    if (verdict.clipped_by.none()) entry.message = rules->message;
  }
  if (const Proposal* cause = verdict.cause())
    for (std::size_t i = 0; i < cause->inputs; ++i) {
      const Input& input = cause->input[i];
      entry.inputs.push_back(
          {metric_name(policy, input.signal), input.value, input.over, input.age});
    }
  for (std::size_t i = 0; i < kClips; ++i)
    if (verdict.clipped_by.has(static_cast<Clip>(i)))
      entry.limits.emplace_back(name(static_cast<Clip>(i)));
  return entry;
}

}  // namespace

Noted DecisionLog::note(const Policy& policy, const Verdict& verdict,
                        const fleet::Decision* rules) {
  if (!entries_.empty() && same(last_, verdict)) {
    entries_.back().last = verdict.now;
    ++entries_.back().count;
    return Noted::Nothing;
  }
  const bool in_place = !entries_.empty() && stays(last_) && stays(verdict);
  if (in_place) entries_.pop_back();
  entries_.push_back(logged(policy, verdict, rules));
  if (entries_.size() > keep_ && entries_.size() > 1) entries_.pop_front();
  last_ = verdict;
  return stays(verdict) ? Noted::Stay : Noted::Change;
}

fleet::Decision to_decision(const LoggedDecision& entry) {
  return {std::chrono::floor<std::chrono::seconds>(entry.since),
          entry.from,
          entry.to,
          entry.rule,
          entry.reason,
          entry.message};
}

}  // namespace mcpfleet::scaling
