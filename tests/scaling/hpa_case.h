// A case of hpa_cases.json, played to our Hpa: what a real HPA controller is told in objects and
// metrics, as values.
//
// The same file is played to the real controller by tests/integration/test_hpa_arithmetic.py, which
// reads our answers from the program hpa_cases. A case:
//
//   name, why     what it is called, and what it shows
//   spec          of the HorizontalPodAutoscaler, as the API has it but for names that the test
//   knows replicas      of the scale's spec; statusReplicas: of its status (absent: the same) pods
//   groups of pods that are alike: count (1), phase ("Running"), ready ("True"; "Absent":
//                 no condition), deleting (false); started (3600, null: absent), readySince (3500)
//                 and sampled (10): so many seconds before the beginning; window (30): seconds of a
//                 sample; cpu and memory: {request, usage} of container "main", or containers:
//                 {name: {cpu, memory}}; values: {metric: quantity} of metrics of Pods
//   metrics       by name: {values: [quantity…]} of Object and External metrics, or {error} of any
//   steps, lasts  of a course: other metrics from so many seconds after the first sync on
//
// Who plays it adds `base`, the beginning in seconds since 1970, and `syncs`, a list of {at,
// metrics} with their times and what was answered then. `slack` is added to all windows and
// periods.
#pragma once

#include "base/result.h"
#include "fleet/json_text.h"

namespace mcpfleet::scaling {

// The answers to a case, one a sync: current, replicas, desiredReplicas, event, conditions (by
// type: status, reason, message) and metrics (usage in thousandths, utilization; null: no value).
// Error: what is wrong with the case.
Result<fleet::Json> play(const fleet::Json& hpa_case);

// The case with `base` and `syncs` as a controller would sync it that is never late: one sync, or
// one each two seconds of a course.
fleet::Json on_time(fleet::Json hpa_case);

}  // namespace mcpfleet::scaling
