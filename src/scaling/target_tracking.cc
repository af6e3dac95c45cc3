#include "scaling/target_tracking.h"

#include <algorithm>

namespace mcpfleet::scaling {
namespace {

// A load that is so little above or below what `wanted` pods shall carry is not acted upon.
bool little_above(double load, double target, int wanted, double tolerance) {
  return load <= target * wanted * (1 + std::max(tolerance, 0.0));
}

bool little_below(double load, double target, int wanted, double tolerance) {
  return load >= target * wanted * (1 - std::clamp(tolerance, 0.0, 1.0));
}

void hold(int wanted, Proposal& proposal) {
  proposal.replicas = wanted;
  proposal.held = true;
  proposal.reason = Reason::OnTarget;
}

}  // namespace

Proposal track_target(const Load& load, double target, const Pods& pods, const Behavior& behavior) {
  Proposal proposal{Recommender::Target, Reason::OnTarget, 1, 0, false, false, pods.wanted, target,
                    {load.input()}};
  const double carried = load.greatest();
  const int up = pods_for(carried, target);
  if (up > pods.wanted) {
    if (little_above(carried, target, pods.wanted, behavior.up.tolerance)) {
      hold(pods.wanted, proposal);
    } else {
      proposal.replicas = up;
      proposal.reason = Reason::OverTarget;
    }
    return proposal;
  }
  // Pods that were not heard might carry all that they shall.
  const double at_most = carried + load.unheard * target;
  const int down = std::min(pods_for(at_most, target), pods.wanted);
  if (little_below(at_most, target, pods.wanted, behavior.down.tolerance)) {
    proposal.held = down != pods.wanted;
    return proposal;
  }
  proposal.replicas = down;
  if (down < pods.wanted) proposal.reason = carried > 0 ? Reason::UnderTarget : Reason::Idle;
  return proposal;
}

}  // namespace mcpfleet::scaling
