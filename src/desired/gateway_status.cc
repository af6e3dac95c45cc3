#include "desired/gateway_status.h"

#include "desired/gateway.h"
#include "desired/reasons.h"
#include "desired/workload_verdict.h"

namespace mcpfleet::desired {
namespace {

using fleet::ConditionStatus;

Verdict accepted(const std::optional<Refusal>& refusal) {
  if (refusal) return {ConditionStatus::False, refusal->reason, refusal->message};
  return {ConditionStatus::True, kApplied, "the spec is valid and all its objects are applied"};
}

// What is wrong with the spec, if anything.
std::optional<Refusal> refusal_of(const fleet::MCPGateway& gateway,
                                  const ObservedGateway& observed) {
  if (observed.refusal || gateway.tls_secret_name.empty() ||
      observed.tls_secret_exists.value_or(true))
    return observed.refusal;
  return Refusal{std::string(kSecretNotFound), "Secret " + gateway.tls_secret_name +
                                                   " does not exist, and spec.tls.secretName "
                                                   "needs it"};
}

// Nothing in a pod's status says that it waits for a Secret.
Verdict with_doubt(Verdict verdict, const fleet::MCPGateway& gateway,
                   const ObservedGateway& observed) {
  if (verdict.reason == kStarting && !gateway.tls_secret_name.empty() &&
      !observed.tls_secret_exists)
    verdict.message += "; pods wait for Secret " + gateway.tls_secret_name +
                       " of spec.tls.secretName where it does not exist, and this operator may "
                       "not look";
  return verdict;
}

std::vector<fleet::Condition> conditions(const fleet::MCPGateway& gateway,
                                         const ObservedGateway& observed, WallTime now) {
  ConditionWriter writer(gateway.status.conditions, gateway.generation, now);
  const Workload workload{observed.deployment ? &*observed.deployment : nullptr, "Deployment"};
  const int wanted = observed.deployment ? observed.deployment->spec_replicas : 0;
  const auto refusal = refusal_of(gateway, observed);
  writer.set(kAccepted, accepted(refusal));
  writer.set(kAvailable, available(workload));
  writer.set(kProgressing, progressing(workload));
  // As with a server: what the Deployment's controller has not seen yet is no reason to be unready.
  const bool wait = !refusal && unobserved(workload);
  if (!wait || !writer.keep(kReady))
    writer.set(kReady,
               with_doubt(ready(workload, observed.pods, wanted, refusal), gateway, observed));
  return writer.take();
}

fleet::GatewayStatus without_numbers(fleet::GatewayStatus status) {
  status.servers = 0;
  for (auto& condition : status.conditions) condition.message.clear();
  return status;
}

}  // namespace

fleet::GatewayStatus build_gateway_status(const fleet::MCPGateway& gateway,
                                          const ObservedGateway& observed, WallTime now) {
  const bool unreadable = observed.refusal && observed.refusal->reason == kInvalid;
  fleet::GatewayStatus status;
  status.observed_generation = gateway.generation;
  if (observed.deployment) {
    status.replicas = observed.deployment->replicas;
    status.ready_replicas = observed.deployment->ready_replicas;
  }
  status.selector = gateway_selector(gateway.name);
  status.address_url = unreadable ? gateway.status.address_url : gateway_url(gateway);
  status.servers = unreadable ? gateway.status.servers : observed.servers;
  status.conditions = conditions(gateway, observed, now);
  return status;
}

Change compare(const fleet::GatewayStatus& stored, const fleet::GatewayStatus& fresh) {
  if (!(without_numbers(stored) == without_numbers(fresh))) return Change::Material;
  return stored == fresh ? Change::None : Change::Numbers;
}

}  // namespace mcpfleet::desired
