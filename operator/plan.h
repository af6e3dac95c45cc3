// What to write, to delete or to refuse, so that an MCPServer or MCPGateway owns what it should.
//
// Pure: decides from what is wanted and what was observed; operator/applier.h carries it out.
// Thread safety: free functions.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "desired/desired.h"
#include "desired/gateway.h"
#include "desired/reasons.h"
#include "desired/status.h"
#include "fleet/mcp_server.h"
#include "operator/child.h"

namespace mcpfleet::op {

struct Write {
  // Its body with our annotations. Where it has to be created, a precondition in it makes the API
  // server answer Conflict if it exists after all.
  desired::Object object;
  const desired::Object* source = nullptr;  // in Desired::objects
  std::string applied;                      // the value of that annotation
  bool exists = false;                      // false: it has to be created
  std::string put_right;  // why it is written though we wrote it before; empty: it is new or
                          // was asked to change
};

struct Removal {
  desired::Object object;
  std::string uid;
};

struct Plan {
  std::optional<desired::Refusal> refusal;  // then nothing is written
  std::string wait_for;  // a child of a deleted owner of this name that must go first
  std::vector<Write> writes;
  std::vector<Removal> removals;
  std::vector<const desired::Object*> verified;  // their children's text was found to hold them

  bool has_work() const {
    return refusal || !wait_for.empty() || !writes.empty() || !removals.empty();
  }
};

// Whose objects they are.
struct PlanOwner {
  std::string kind;  // "MCPServer"
  std::string uid;
  std::int64_t generation = 0;
};

struct PlanInput {
  PlanOwner owner;
  bool applied_before = false;  // this generation was applied already: a missing child was deleted
  std::map<std::string, const Child*> children;  // by Object::path; not there: does not exist
  std::string secret_fingerprint;                // of the Secret's data, itself no secret
  bool secrets_seen = false;                     // `children` has Secrets as well
  std::string sidecar_image;                     // of newly made pods; empty: they have none
  bool keep_sidecar = false;  // pods keep the image they have while nothing else rolls them
};

// A Secret that is not seen is written with the Deployment, when that does not exist yet or when
// what is wanted of the two has changed.
Plan make_plan(const desired::Desired& desired, const PlanInput& input);

// The body, to be applied whether the object exists or not.
std::string without_precondition(const Write& write);

// The child says all that was written. Where it does not after an apply, the API server holds some
// field in a form of its own, and does so until either side changes.
bool holds(const Write& write, const Child& child);

// A digest of all that the wanted objects and the plan depend on. While it is the same as that of a
// plan without work, there is no work. `context`: the digest_of() what they depend on besides their
// owner.
std::uint64_t circumstances(const PlanInput& input, std::uint64_t context);
std::uint64_t digest_of(const desired::Context& context,
                        const std::vector<std::string>& other_scalers);
std::uint64_t digest_of(const desired::GatewayContext& context);

}  // namespace mcpfleet::op
