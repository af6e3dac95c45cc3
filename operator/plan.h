// What to write, to delete or to refuse, so that an MCPServer owns what it should.
//
// Pure: decides from what is wanted and what was observed; operator/reconciler.h carries it out.
// Thread safety: free functions.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "desired/desired.h"
#include "desired/reasons.h"
#include "desired/status.h"
#include "fleet/mcp_server.h"

namespace mcpfleet::op {

// A child object as the API server holds it: who owns it, and the part of it that we may have
// written.
struct Child {
  std::string namespace_;
  std::string name;
  std::string uid;
  std::string resource_version;
  std::string controller_uid;   // empty: nobody controls it
  std::string controller_kind;  // such as "MCPServer"
  std::string applied;          // our annotation kAppliedAnnotation; empty: none
  std::string content;  // {"metadata":{labels, annotations, ownerReferences},"spec":…} as JSON text
};

// On each child: a fingerprint of what was applied last. Where it is the wanted one and yet a field
// differs, somebody else changed that field.
inline constexpr const char* kAppliedAnnotation = "mcpfleet.dev/applied";

// An object whose apply changed nothing although a field seems to differ: the API server holds it
// in a form of its own. Not applied again until either side changes.
struct Settled {
  std::string applied;
  std::string content;
  bool operator==(const Settled&) const = default;
};

struct Write {
  desired::Object object;  // its body with kAppliedAnnotation
  std::string applied;     // the value of that annotation
  bool exists = false;     // false: it has to be created
  std::string put_right;   // why it is written though we wrote it before; empty: it is new or
                           // was asked to change
};

struct Removal {
  desired::Object object;
  std::string uid;
};

struct Plan {
  std::optional<desired::Refusal> refusal;  // then nothing is written
  std::string wait_for;  // a child of a deleted MCPServer of this name that must go first
  std::vector<Write> writes;
  std::vector<Removal> removals;
};

struct PlanInput {
  const fleet::MCPServer* server = nullptr;
  bool applied_before = false;  // this generation was applied already: a missing child was deleted
  std::map<std::string, const Child*> children;  // by Object::path; not there: does not exist
  std::map<std::string, Settled> settled;        // by Object::path
  std::string secret_fingerprint;                // of the session key, itself no secret
};

// The Secret is never read. It is written with the Deployment when that does not exist yet, or when
// what is wanted of the two has changed.
Plan make_plan(const desired::Desired& desired, const PlanInput& input);

// The child says all that was written. Where it does not after an apply, the API server holds some
// field in a form of its own.
bool holds(const Write& write, const Child& child);

}  // namespace mcpfleet::op
