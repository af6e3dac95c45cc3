#include "desired/pod_problem.h"

#include <algorithm>
#include <array>

#include "desired/reasons.h"

namespace mcpfleet::desired {
namespace {

using fleet::Json;
using fleet::list_of;
using fleet::member;
using fleet::number_of;
using fleet::text_of;

constexpr std::size_t kMaxMessageBytes = 512;

// One line of at most kMaxMessageBytes; the end is kept, for logs say last what went wrong.
std::string one_line(std::string text) {
  std::ranges::replace_if(text, [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  while (text.ends_with(' ')) text.pop_back();
  if (text.size() <= kMaxMessageBytes) return text;
  std::size_t from = text.size() - kMaxMessageBytes;
  while (from < text.size() && (static_cast<unsigned char>(text[from]) & 0xC0) == 0x80) ++from;
  return "…" + text.substr(from);
}

std::string with_detail(std::string sentence, const std::string& detail) {
  const std::string line = one_line(detail);
  return line.empty() ? sentence : sentence + ": " + line;
}

bool one_of(const std::string& text, std::initializer_list<const char*> values) {
  return std::ranges::any_of(values, [&](const char* value) { return text == value; });
}

// "container server exited with code 1 (Error), 3 restarts: <what it said>".
PodProblem crashed(const Json& status, const Json& terminated) {
  const std::string cause = text_of(terminated, "reason");
  const std::string name = "container " + text_of(status, "name");
  if (one_of(cause, {"StartError", "ContainerCannotRun"}))
    return {std::string(kContainerCannotRun),
            with_detail(name + " cannot be started", text_of(terminated, "message"))};
  std::string sentence =
      name + " exited with code " + std::to_string(number_of(terminated, "exitCode"));
  if (!cause.empty()) sentence += " (" + cause + ")";
  const auto restarts = number_of(status, "restartCount");
  if (restarts > 0)
    sentence += ", " + std::to_string(restarts) + (restarts == 1 ? " restart" : " restarts");
  return {std::string(kCrashLooping), with_detail(sentence, text_of(terminated, "message"))};
}

std::optional<PodProblem> waiting_problem(const Json& status, const Json& waiting) {
  const std::string reason = text_of(waiting, "reason");
  const std::string detail = text_of(waiting, "message");
  const std::string name = "container " + text_of(status, "name");
  if (one_of(reason, {"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName",
                      "ImageInspectError", "RegistryUnavailable", "SignatureValidationFailed"}))
    return PodProblem{
        std::string(kImagePullFailed),
        with_detail(name + ": no image " + text_of(status, "image") + " (" + reason + ")", detail)};
  if (one_of(reason, {"CreateContainerConfigError", "CreateContainerError"}))
    return PodProblem{std::string(kContainerConfigError),
                      with_detail(name + " cannot be created", detail)};
  if (reason == "RunContainerError")
    return PodProblem{std::string(kContainerCannotRun),
                      with_detail(name + " cannot be started", detail)};
  return std::nullopt;
}

// `init`: a container that runs to its end, so that exit code 0 is well.
std::optional<PodProblem> container_problem(const Json& status, bool init) {
  const Json& state = member(status, "state");
  const Json& waiting = member(state, "waiting");
  if (waiting.is_object())
    if (auto problem = waiting_problem(status, waiting)) return problem;
  const Json& now = member(state, "terminated");
  if (now.is_object()) {
    if (init && number_of(now, "exitCode") == 0) return std::nullopt;
    return crashed(status, now);
  }
  // Waiting for the next start, or started again and not ready yet.
  const Json& before = member(member(status, "lastState"), "terminated");
  if (before.is_object() && !fleet::truth_of(status, "ready")) return crashed(status, before);
  return std::nullopt;
}

// In a pod that is not ready a container that runs again after a crash says why, even where it
// counts as ready because it has no probe.
std::optional<PodProblem> crashed_before(const Json& pod_status) {
  for (const Json& status : list_of(pod_status, "containerStatuses")) {
    const Json& before = member(member(status, "lastState"), "terminated");
    if (before.is_object()) return crashed(status, before);
  }
  return std::nullopt;
}

}  // namespace

std::optional<PodProblem> pod_problem(const Json& pod) {
  const Json& status = member(pod, "status");
  for (const Json& condition : list_of(status, "conditions"))
    if (text_of(condition, "type") == "PodScheduled" && text_of(condition, "status") == "False" &&
        text_of(condition, "reason") == "Unschedulable")
      return PodProblem{std::string(kUnschedulable),
                        with_detail("no node takes the pod", text_of(condition, "message"))};
  for (const Json& container : list_of(status, "initContainerStatuses"))
    if (auto problem = container_problem(container, true)) return problem;
  for (const Json& container : list_of(status, "containerStatuses"))
    if (auto problem = container_problem(container, false)) return problem;
  return crashed_before(status);
}

}  // namespace mcpfleet::desired
