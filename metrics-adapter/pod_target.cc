#include "metrics-adapter/pod_target.h"

#include <charconv>

#include "base/time_text.h"
#include "metrics-adapter/json_reader.h"

namespace mcpfleet::adapter {
namespace {

constexpr std::string_view kPortAnnotation = "mcpfleet.dev/metrics-port";
// Of pods of Deployments, and of StatefulSets.
constexpr std::string_view kTemplateLabel = "pod-template-hash";
constexpr std::string_view kRevisionLabel = "controller-revision-hash";
constexpr std::string_view kPathAnnotation = "mcpfleet.dev/metrics-path";

Result<void> read_opt_in(simdjson::dom::element pod, PodTarget& target) {
  const auto text = text_at(pod, {"metadata", "annotations", kScrapeAnnotation});
  target.opted_in = text == "true";
  if (text.empty() || text == "true" || text == "false") return {};
  return fail(ErrorKind::Invalid,
              "annotation " + std::string(kScrapeAnnotation) + R"( must be "true" or "false")");
}

Result<void> read_annotations(simdjson::dom::element pod, PodTarget& target) {
  const auto port = text_at(pod, {"metadata", "annotations", kPortAnnotation});
  if (!port.empty()) {
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), target.port);
    if (error != std::errc{} || end != port.data() + port.size() || target.port == 0)
      return fail(ErrorKind::Invalid, "annotation " + std::string(kPortAnnotation) +
                                          " must be a port, not '" +
                                          std::string(port.substr(0, 32)) + "'");
  }
  const auto path = text_at(pod, {"metadata", "annotations", kPathAnnotation});
  if (path.empty()) return {};
  if (path.front() != '/' || path.size() > 256 || path.find_first_of(" \r\n#") != path.npos)
    return fail(ErrorKind::Invalid,
                "annotation " + std::string(kPathAnnotation) + " must be a path such as /metrics");
  target.path = path;
  return {};
}

// The kubelet sets the first conditions as it takes a pod on. What changed later has been ready.
constexpr std::chrono::seconds kFirstConditions{2};

void read_readiness(simdjson::dom::element pod, PodTarget& target) {
  const auto taken_on = parse_rfc3339(text_at(pod, {"status", "startTime"}));
  const auto known_since = taken_on.value_or(target.created) + kFirstConditions;
  simdjson::dom::array conditions;
  if (pod["status"]["conditions"].get(conditions) != simdjson::SUCCESS) return;
  for (const auto condition : conditions) {
    if (text_at(condition, {"type"}) != "Ready") continue;
    target.ready = text_at(condition, {"status"}) == "True";
    const auto since = parse_rfc3339(text_at(condition, {"lastTransitionTime"}));
    if (target.ready && since) target.ready_since = *since;
    target.was_ready = target.ready || (since && *since > known_since);
  }
}

// A ReplicaSet is one revision of a Deployment, and is called by it and the revision.
void read_workload(simdjson::dom::element pod, PodTarget& target) {
  simdjson::dom::array owners;
  auto found = pod;
  if (!find(found, {"metadata", "ownerReferences"}) || found.get(owners) != simdjson::SUCCESS)
    return;
  for (const auto owner : owners) {
    bool controls = false;
    if (owner["controller"].get(controls) != simdjson::SUCCESS || !controls) continue;
    auto name = text_at(owner, {"name"});
    const auto revision = target.revision();
    if (text_at(owner, {"kind"}) == "ReplicaSet" && name.size() > revision.size() + 1 &&
        !revision.empty() && name.ends_with(revision))
      name.remove_suffix(revision.size() + 1);
    target.workload = name;
  }
}

}  // namespace

std::string_view PodTarget::revision() const {
  for (const auto label : {kTemplateLabel, kRevisionLabel})
    if (const auto found = labels.get(label)) return *found;
  return {};
}

Result<PodTarget> decode_pod(std::string_view json) {
  thread_local JsonReader reader;
  auto pod = reader.read(json);
  if (!pod) return fail(pod.error().context("pod"));
  PodTarget target;
  target.namespace_ = text_at(*pod, {"metadata", "namespace"});
  target.name = text_at(*pod, {"metadata", "name"});
  target.uid = text_at(*pod, {"metadata", "uid"});
  if (target.name.empty() || target.namespace_.empty() || target.uid.empty())
    return fail(ErrorKind::Malformed, "a pod without metadata.name, namespace or uid");
  target.labels = labels_at(*pod, {"metadata", "labels"});
  target.server = target.labels.get(kServerLabel).value_or("");
  const std::string place = "pod " + target.namespace_ + "/" + target.name;
  if (auto read = read_opt_in(*pod, target); !read) return fail(read.error().context(place));
  if (!target.kept()) return target;
  target.ip = text_at(*pod, {"status", "podIP"});
  const auto phase = text_at(*pod, {"status", "phase"});
  target.finished = phase == "Succeeded" || phase == "Failed";
  target.deleting = !text_at(*pod, {"metadata", "deletionTimestamp"}).empty();
  if (auto read = read_annotations(*pod, target); !read) return fail(read.error().context(place));
  if (const auto created = parse_rfc3339(text_at(*pod, {"metadata", "creationTimestamp"})))
    target.created = *created;
  read_readiness(*pod, target);
  read_workload(*pod, target);
  return target;
}

}  // namespace mcpfleet::adapter
