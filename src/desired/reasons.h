// The closed lists of condition types and reasons. docs/conditions.md explains each to people; a
// test holds the two together.
#pragma once

#include <array>
#include <string_view>

namespace mcpfleet::desired {

// Types.
inline constexpr std::string_view kAccepted = "Accepted";
inline constexpr std::string_view kAvailable = "Available";
inline constexpr std::string_view kProgressing = "Progressing";
inline constexpr std::string_view kScalingActive = "ScalingActive";
inline constexpr std::string_view kScalingLimited = "ScalingLimited";
inline constexpr std::string_view kReady = "Ready";
inline constexpr std::array kConditionTypes{kAccepted,      kAvailable,      kProgressing,
                                            kScalingActive, kScalingLimited, kReady};

// Accepted. True: Applied. Ready takes over the others.
inline constexpr std::string_view kApplied = "Applied";
inline constexpr std::string_view kInvalid = "Invalid";  // a field is wrong; the message names it
inline constexpr std::string_view kNameTaken = "NameTaken";  // a child exists and is not ours
inline constexpr std::string_view kRefused = "Refused";      // the API server refused a child

// An MCPGateway wants to serve all namespaces, which its operator was not allowed to let it.
inline constexpr std::string_view kNamespacesNotAllowed = "NamespacesNotAllowed";

inline constexpr std::string_view kSecretNotFound = "SecretNotFound";
inline constexpr std::string_view kConfigMapNotFound = "ConfigMapNotFound";
inline constexpr std::string_view kWorkloadNotFound = "WorkloadNotFound";

// Available.
inline constexpr std::string_view kReplicasAvailable = "ReplicasAvailable";
inline constexpr std::string_view kNoReplicaAvailable = "NoReplicaAvailable";

// Progressing.
inline constexpr std::string_view kComplete = "Complete";
inline constexpr std::string_view kRollingOut = "RollingOut";
inline constexpr std::string_view kStalled =
    "Stalled";  // the Deployment's progress deadline is over

// ScalingActive.
inline constexpr std::string_view kScaling = "Scaling";
inline constexpr std::string_view kNotConfigured = "NotConfigured";    // no spec.autoscaling
inline constexpr std::string_view kWaitingForHpa = "WaitingForHpa";    // it has not reported yet
inline constexpr std::string_view kHpaInactive = "HpaInactive";        // the HPA says why
inline constexpr std::string_view kTargetConflict = "TargetConflict";  // something else scales it
inline constexpr std::string_view kRuleWithoutData = "RuleWithoutData";
inline constexpr std::string_view kMetricsMissing = "MetricsMissing";  // of a target
inline constexpr std::string_view kDryRun = "DryRun";
inline constexpr std::string_view kPaused = "Paused";

// ScalingLimited.
inline constexpr std::string_view kAtMaximum = "AtMaximum";
inline constexpr std::string_view kAtMinimum = "AtMinimum";
inline constexpr std::string_view kRateLimited = "RateLimited";  // by behavior
inline constexpr std::string_view kWithinLimits = "WithinLimits";
// More replicas would not bring calls within spec.autoscaling.targets.latency.
inline constexpr std::string_view kUnattainable = "Unattainable";

// Ready; and what a pod can suffer from.
inline constexpr std::string_view kServing = "Serving";
inline constexpr std::string_view kStarting = "Starting";
inline constexpr std::string_view kImagePullFailed = "ImagePullFailed";
inline constexpr std::string_view kCrashLooping = "CrashLooping";
inline constexpr std::string_view kContainerConfigError = "ContainerConfigError";
inline constexpr std::string_view kContainerCannotRun = "ContainerCannotRun";
inline constexpr std::string_view kUnschedulable = "Unschedulable";

inline constexpr std::array kReasons{kApplied,
                                     kInvalid,
                                     kNameTaken,
                                     kRefused,
                                     kNamespacesNotAllowed,
                                     kSecretNotFound,
                                     kConfigMapNotFound,
                                     kWorkloadNotFound,
                                     kReplicasAvailable,
                                     kComplete,
                                     kNoReplicaAvailable,
                                     kRollingOut,
                                     kStalled,
                                     kScaling,
                                     kNotConfigured,
                                     kWaitingForHpa,
                                     kHpaInactive,
                                     kTargetConflict,
                                     kRuleWithoutData,
                                     kMetricsMissing,
                                     kDryRun,
                                     kPaused,
                                     kAtMaximum,
                                     kAtMinimum,
                                     kRateLimited,
                                     kWithinLimits,
                                     kUnattainable,
                                     kServing,
                                     kStarting,
                                     kImagePullFailed,
                                     kCrashLooping,
                                     kContainerConfigError,
                                     kContainerCannotRun,
                                     kUnschedulable};

}  // namespace mcpfleet::desired
