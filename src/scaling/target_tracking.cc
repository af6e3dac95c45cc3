#include "scaling/target_tracking.h"

#include <algorithm>

namespace mcpfleet::scaling {
namespace {

// A load that is so much above or below what `wanted` pods shall carry is not acted upon.
bool within(double load, double target, int wanted, double ratio) {
  const double shall = target * wanted;
  return ratio >= 1 ? load <= shall * ratio : load >= shall * ratio;
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
    if (within(carried, target, pods.wanted, 1 + std::max(behavior.up.tolerance, 0.0))) {
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
  if (within(at_most, target, pods.wanted, std::clamp(1 - behavior.down.tolerance, 0.0, 1.0))) {
    proposal.held = down != pods.wanted;
    return proposal;
  }
  proposal.replicas = down;
  if (down < pods.wanted) proposal.reason = carried > 0 ? Reason::UnderTarget : Reason::Idle;
  return proposal;
}

}  // namespace mcpfleet::scaling
