#include "operator/status_writer.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "kube/paths.h"

namespace mcpfleet::op {

Duration StatusWriter::since(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto now = clock_.monotonic();
  return now - written_.emplace(key, now).first->second;
}

void StatusWriter::forget(const std::string& key) {
  const std::lock_guard lock(mutex_);
  written_.erase(key);
}

Result<std::optional<std::string>> StatusWriter::write(const ObjectOwner& owner,
                                                       const std::string& status) {
  const std::string path =
      kube::object_path(fleet::kApiVersion, owner.namespace_, owner.plural, owner.name) + "/status";
  // With the uid, so that an object of the same name made meanwhile does not get it.
  const nlohmann::json identity = {
      {"name", owner.name}, {"namespace", owner.namespace_}, {"uid", owner.uid}};
  const std::string body = std::string(R"({"apiVersion":")") + fleet::kApiVersion +
                           R"(","kind":")" + owner.kind + R"(","metadata":)" + identity.dump() +
                           R"(,"status":)" + status + "}";
  auto answer = client_.apply(path, body, desired::kFieldManager, /*force=*/true);
  if (!answer) {
    if (answer.error().kind == ErrorKind::NotFound) return std::nullopt;
    return fail(answer.error());
  }
  const std::lock_guard lock(mutex_);
  written_[key(owner)] = clock_.monotonic();
  return std::move(answer->object);
}

Result<kube::Next> StatusWriter::conclude(const Conclusion& conclusion) {
  Duration next = conclusion.next;
  if (conclusion.wait == Duration(0)) {
    auto written = conclusion.write();
    if (!written) return fail(written.error());
    // The watch need not tell of what the answer has told already.
    if (*written) next = Duration(0);
  } else if (conclusion.wait) {
    next = std::min(next, *conclusion.wait);
  }
  if (conclusion.may_pass) return fail(ErrorKind::Invalid, conclusion.may_pass->message);
  return kube::Next{next};
}

}  // namespace mcpfleet::op
