// Writes the statuses of one kind of object, each when its time has come.
//
// Thread safety: all methods, from several threads, never for the same object at once.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "desired/desired.h"
#include "kube/client.h"
#include "kube/controller.h"
#include "operator/applier.h"

namespace mcpfleet::op {

class StatusWriter {
 public:
  StatusWriter(kube::Client& client, const Clock& clock) : client_(client), clock_(clock) {}

  // How long ago the status of `key` was written, or asked for first: an object not seen before
  // waits, too, so that a restart writes nothing.
  Duration since(const std::string& key);
  void forget(const std::string& key);

  // Writes the status of `owner`, given as JSON, and answers with the object as it is then;
  // nothing: it was deleted meanwhile.
  Result<std::optional<std::string>> write(const ObjectOwner& owner, const std::string& status);

  // What became of an object, once it has been brought to where it can be brought.
  struct Conclusion {
    std::optional<Duration> wait;              // until its status has to be written: status_wait()
    Duration next{0};                          // until it has to be looked at again
    std::optional<desired::Refusal> may_pass;  // what a later try may bring about, a quota raised
    std::function<Result<bool>()> write;       // of the status; true: there is another spec by now
  };
  // Writes the status if that is due, and says when to come again. An error makes the caller try
  // again later.
  static Result<kube::Next> conclude(const Conclusion& conclusion);

 private:
  kube::Client& client_;
  const Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, MonotonicTime> written_;  // by key; protected by mutex_
};

}  // namespace mcpfleet::op
