// What conditions say of a workload and its pods, alike for all that runs as one. Internal to
// desired.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "desired/desired.h"
#include "desired/observed.h"
#include "fleet/status.h"

namespace mcpfleet::desired {

// What a condition says, before it is compared with what it said last.
struct Verdict {
  fleet::ConditionStatus status = fleet::ConditionStatus::Unknown;
  std::string_view reason;
  std::string message;
};

struct Workload {
  const ReplicaCounts* counts = nullptr;  // nullptr: there is none yet
  std::string name;                       // "Deployment", "StatefulSet x"
};

Verdict available(const Workload& workload);
Verdict progressing(const Workload& workload);
// `needed`: replicas without which it is not ready, of so many that its spec wants.
Verdict ready(const Workload& workload, const std::vector<ObservedPod>& pods, int needed,
              const std::optional<Refusal>& refusal);
// The counts are those of an older spec.
bool unobserved(const Workload& workload);

// The condition of that type; nullptr: there is none.
const ForeignCondition* foreign(const std::vector<ForeignCondition>& conditions,
                                std::string_view type);

// Makes conditions from verdicts: last_transition is kept while the status is the same.
class ConditionWriter {
 public:
  ConditionWriter(const std::vector<fleet::Condition>& before, std::int64_t generation,
                  WallTime now);

  void set(std::string_view type, Verdict verdict);
  // For what cannot be judged now: as it was. False where it was nothing yet.
  bool keep(std::string_view type);
  std::vector<fleet::Condition> take() { return std::move(conditions_); }

 private:
  const std::vector<fleet::Condition>& before_;
  const std::int64_t generation_;
  const WallTime now_;
  std::vector<fleet::Condition> conditions_;
};

}  // namespace mcpfleet::desired
