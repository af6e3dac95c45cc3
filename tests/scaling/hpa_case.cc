#include "hpa_case.h"

#include <cmath>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/quantity.h"
#include "scaling/hpa.h"
#include "scaling/hpa_decode.h"

namespace mcpfleet::scaling {
namespace {

using fleet::Json;
using fleet::list_of;
using fleet::member;
using fleet::text_of;

constexpr double kBase = 1'767'225'600;

Duration seconds_of(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

double number(const Json& object, const char* key, double fallback) {
  const Json& value = member(object, key);
  return value.is_number() ? value.get<double>() : fallback;
}

// The case's quantities are written for the test: a wrong one is a mistake in the table.
std::optional<std::int64_t> quantity(const Json& value, std::optional<Error>& error) {
  if (!value.is_string()) return std::nullopt;
  const auto milli = parse_quantity_milli(value.get<std::string>());
  if (milli) return *milli;
  error = milli.error();
  return std::nullopt;
}

// All that a sight points to.
class Scene {
 public:
  Scene(const Json& hpa_case, const HpaSpec& spec, std::optional<Error>& error)
      : case_(&hpa_case),
        spec_(&spec),
        error_(&error),
        base_(seconds_of(number(hpa_case, "base", 0))) {
    for (const Json& pod : list_of(hpa_case, "pods")) pods_.push_back(pod_of(pod));
  }

  // What there is to see while `metrics` are answered.
  HpaSight see(int replicas, const Json& metrics) {
    readings_.clear();
    samples_.clear();
    values_.clear();
    errors_.clear();
    for (const HpaMetric& metric : spec_->metrics) readings_.push_back(reading_of(metric, metrics));
    const int status =
        static_cast<int>(number(*case_, "statusReplicas", number(*case_, "replicas", 0)));
    return {replicas, status, pods_, readings_};
  }

 private:
  HpaPod pod_of(const Json& json) const {
    static const std::map<std::string, HpaPod::Phase> kPhases{
        {"", HpaPod::Phase::Running},
        {"Running", HpaPod::Phase::Running},
        {"Pending", HpaPod::Phase::Pending},
        {"Failed", HpaPod::Phase::Failed},
        {"Succeeded", HpaPod::Phase::Succeeded},
        {"Unknown", HpaPod::Phase::Unknown}};
    static const std::map<std::string, HpaPod::Ready> kReady{{"", HpaPod::Ready::True},
                                                             {"True", HpaPod::Ready::True},
                                                             {"False", HpaPod::Ready::False},
                                                             {"Unknown", HpaPod::Ready::Unknown},
                                                             {"Absent", HpaPod::Ready::Absent}};
    HpaPod pod;
    pod.count = static_cast<int>(number(json, "count", 1));
    pod.phase = kPhases.at(text_of(json, "phase"));
    pod.ready = kReady.at(text_of(json, "ready"));
    pod.deleting = fleet::truth_of(json, "deleting");
    pod.ready_since = before(json, "readySince", 3500);
    if (!json.contains("started") || !json["started"].is_null())
      pod.started = before(json, "started", 3600);
    return pod;
  }

  // So many seconds before the beginning, in whole seconds as objects have them.
  WallTime before(const Json& pod, const char* key, double fallback) const {
    return WallTime(
        std::chrono::floor<std::chrono::seconds>(base_ - seconds_of(number(pod, key, fallback))));
  }

  // The value of a pod for a metric, and its request: sums over its containers, without a value
  // where one has none.
  void read_containers(const Json& pod, const HpaMetric& metric, HpaSample& sample) {
    Json containers = member(pod, "containers");
    if (containers.is_null()) containers = Json::object({{"main", pod}});
    std::int64_t used = 0;
    std::int64_t requested = 0;
    bool measured = true;
    bool asked = true;
    for (const auto& [name, container] : containers.items()) {
      if (!metric.container.empty() && metric.container != name) continue;
      const Json& resource = member(container, metric.name);
      const auto usage = quantity(member(resource, "usage"), *error_);
      const auto request = quantity(member(resource, "request"), *error_);
      measured = measured && usage;
      asked = asked && request;
      used += usage.value_or(0);
      requested += request.value_or(0);
    }
    if (measured) sample.milli = used;
    if (asked) sample.request_milli = requested;
  }

  HpaReading reading_of(const HpaMetric& metric, const Json& metrics) {
    const Json& given = member(metrics, metric.name);
    HpaReading reading;
    errors_.push_back(text_of(given, "error"));
    reading.error = errors_.back();
    auto& values = values_.emplace_back();
    for (const Json& value : list_of(given, "values"))
      values.push_back(quantity(value, *error_).value_or(0));
    reading.values = values;
    if (metric.source == HpaSource::Object || metric.source == HpaSource::External) return reading;

    auto& samples = samples_.emplace_back();
    for (const Json& pod : list_of(*case_, "pods")) {
      HpaSample sample;
      sample.time = before(pod, "sampled", 10);
      sample.window = seconds_of(number(pod, "window", 30));
      if (metric.source == HpaSource::Pods)
        sample.milli = quantity(member(member(pod, "values"), metric.name), *error_);
      else
        read_containers(pod, metric, sample);
      samples.push_back(sample);
    }
    reading.samples = samples;
    return reading;
  }

  const Json* case_;
  const HpaSpec* spec_;
  std::optional<Error>* error_;
  Duration base_;
  std::vector<HpaPod> pods_;
  std::vector<HpaReading> readings_;
  std::deque<std::vector<HpaSample>> samples_;
  std::deque<std::vector<std::int64_t>> values_;
  std::deque<std::string> errors_;
};

Json conditions_of(const Hpa& hpa, const HpaSpec& spec, std::span<const HpaReading> readings) {
  Json conditions = Json::object();
  for (const auto& [type, name] : {std::pair{HpaConditionType::AbleToScale, "AbleToScale"},
                                   std::pair{HpaConditionType::ScalingActive, "ScalingActive"},
                                   std::pair{HpaConditionType::ScalingLimited, "ScalingLimited"}}) {
    const HpaCondition& condition = hpa.condition(type);
    if (condition.status == HpaCondition::Status::Absent) continue;
    conditions[name] = {
        {"status", condition.status == HpaCondition::Status::True ? "True" : "False"},
        {"reason", condition.reason},
        {"message", hpa.message(type, spec, readings)}};
  }
  return conditions;
}

Json metrics_of(const Hpa& hpa) {
  Json metrics = Json::array();
  for (const HpaProposal& proposal : hpa.proposals()) {
    Json shown = nullptr;
    if (proposal.problem == HpaProblem::None) {
      shown = Json::object({{"usage", proposal.usage_milli}});
      if (proposal.utilization) shown["utilization"] = *proposal.utilization;
    }
    metrics.push_back(std::move(shown));
  }
  return metrics;
}

void loosen(HpaSpec& spec, HpaSettings& settings, Duration slack) {
  settings.downscale_stabilization += slack;
  if (!spec.behavior) return;
  for (HpaScalingRules* rules : {&spec.behavior->up, &spec.behavior->down}) {
    if (rules->window && *rules->window > Duration::zero()) *rules->window += slack;
    for (HpaPolicy& policy : rules->policies) policy.period += slack;
  }
}

}  // namespace

Result<Json> play(const Json& hpa_case) {
  const std::string name = text_of(hpa_case, "name");
  auto spec = decode_hpa(fleet::to_text(member(hpa_case, "spec")));
  if (!spec) return fail(spec.error().context(name));
  HpaSettings settings;
  loosen(*spec, settings, seconds_of(number(hpa_case, "slack", 0)));
  std::optional<Error> error;
  Scene scene(hpa_case, *spec, error);
  Hpa hpa;
  int replicas = static_cast<int>(number(hpa_case, "replicas", 0));
  Json answers = Json::array();
  for (const Json& sync : list_of(hpa_case, "syncs")) {
    const HpaSight sight = scene.see(replicas, member(sync, "metrics"));
    if (error) return fail(error->context(name));
    const HpaDecision decision =
        hpa.sync(*spec, settings, sight, WallTime(seconds_of(number(sync, "at", 0))));
    std::string event;
    if (decision.rescale)
      event = "New size: " + std::to_string(decision.replicas) +
              "; reason: " + rescale_reason(decision, *spec);
    answers.push_back({{"current", decision.current},
                       {"replicas", decision.replicas},
                       {"desiredReplicas", hpa.status_desired()},
                       {"event", event},
                       {"conditions", conditions_of(hpa, *spec, sight.readings)},
                       {"metrics", metrics_of(hpa)}});
    replicas = decision.replicas;
  }
  return answers;
}

Json on_time(Json hpa_case) {
  hpa_case["base"] = kBase;
  const bool course = hpa_case.contains("steps");
  const double first = kBase + 20;  // as far behind as a cluster's first sync may be
  Json syncs = Json::array();
  for (double at = 0; at <= number(hpa_case, "lasts", 0); at += 2) {
    Json metrics = member(hpa_case, "metrics");
    for (const Json& step : list_of(hpa_case, "steps"))
      if (number(step, "from", 0) <= at) metrics = member(step, "metrics");
    syncs.push_back({{"at", first + at}, {"metrics", std::move(metrics)}});
    if (!course) break;
  }
  hpa_case["syncs"] = std::move(syncs);
  return hpa_case;
}

}  // namespace mcpfleet::scaling
