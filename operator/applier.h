// Makes the objects of one owner, an MCPServer or MCPGateway, as they are wanted: finds what there
// is, plans, applies, removes, and puts right what somebody else changed.
//
// Deciding is in the pure parts (desired/, plan.h); this carries it out. Thread safety: functions
// from several threads, never for the same owner at once.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "desired/desired.h"
#include "kube/client.h"
#include "kube/events.h"
#include "operator/announce.h"
#include "operator/plan.h"
#include "operator/telemetry.h"
#include "operator/world.h"

namespace mcpfleet::op {

// Whose objects they are.
struct ObjectOwner {
  const char* kind = "";
  const char* plural = "";
  const char* log_name = "";  // of its key in the log
  std::string namespace_;
  std::string name;
  std::string uid;
  std::int64_t generation = 0;
  bool accepted = false;        // its stored status says that this generation was applied
  std::string secret;           // the name of its Secret
  std::string cluster_binding;  // the name of its ClusterRoleBinding; empty: it never has one
};
// "namespace/name".
std::string key(const ObjectOwner& owner);
kube::ObjectReference reference(const ObjectOwner& owner);

// What there is: entries of the stores, or answers to a look-up.
struct Children {
  std::shared_ptr<const DeploymentEntry> deployment;
  std::map<std::string, std::shared_ptr<const Child>> by_path;
  std::set<std::string> looked_up;  // paths; nobody's labels had shown them

  // The text of each was compared already.
  bool verified() const;
};

// What there should be.
struct Wish {
  std::uint64_t digest = 0;        // of all that build() depends on but the owner
  std::string secret_fingerprint;  // of the Secret's data, itself no secret
  std::string sidecar_image;       // see PlanInput
  bool keep_sidecar = false;
  std::function<desired::Desired()> build;
};

struct Outcome {
  std::optional<desired::Refusal> refusal;
  std::optional<Error> error;  // try again later; nothing to tell people yet
  std::vector<std::string> notes;
};

// The API server will not take what we wrote, however often: a wrong value in the spec, a quota, an
// admission policy, a missing right.
bool is_refusal(const Error& error);

// Tells of `announcements` by Events and in the log.
void say(kube::EventRecorder& events, const ObjectOwner& owner,
         std::vector<Announcement> announcements);

class Applier {
 public:
  struct Parts {
    kube::Client& client;
    World& world;
    kube::EventRecorder& events;
    Telemetry& telemetry;
  };
  explicit Applier(const Parts& parts) : parts_(parts) {}

  // `decide` is asked again where more turned out to be there.
  Outcome bring_about(const ObjectOwner& owner, const std::function<Wish(const Children&)>& decide);
  // The owner is gone: its key.
  void forget(const std::string& key);

 private:
  struct Applied {
    std::string uid;
    std::int64_t generation = 0;
  };
  // Where there was no work, and what was to be said then.
  struct Steady {
    std::uint64_t circumstances = 0;
    std::vector<std::string> notes;
  };
  struct Carried {
    Outcome outcome;
    const desired::Object* hidden = nullptr;  // it exists, though no watch showed it
  };

  Children known_children(const ObjectOwner& owner) const;
  Result<void> look_up(const desired::Object& object, Children& children);
  PlanInput plan_input(const ObjectOwner& owner, const Wish& wish, const Children& children);
  // Where the watch of the owner lags behind those of the children, a child that is gone may have
  // gone with its owner.
  Result<void> confirm(const ObjectOwner& owner);
  bool applied_before(const ObjectOwner& owner);
  void note_applied(const ObjectOwner& owner);
  std::optional<Outcome> steady(const std::string& key, std::uint64_t circumstances);
  void set_steady(const std::string& key, Steady steady);
  Carried carry_out(const ObjectOwner& owner, const Plan& plan, const Children& children);
  Result<void> write(const ObjectOwner& owner, const Write& write, bool looked_up);
  Result<std::string> apply(const ObjectOwner& owner, const Write& write, bool looked_up);
  Result<std::string> take_secret(const ObjectOwner& owner, const Write& write);
  Result<void> note_written(const ObjectOwner& owner, const Write& write,
                            const std::string& answer);

  const Parts parts_;
  // Protected by mutex_, by key of the owner.
  std::mutex mutex_;
  std::map<std::string, Steady> steady_;
  std::map<std::string, Applied> applied_;  // all of it was written
};

}  // namespace mcpfleet::op
