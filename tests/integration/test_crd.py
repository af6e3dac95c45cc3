"""What the API server itself does with MCPServers: refuses bad input by the field's name, fills in defaults, prints
columns, scales. No program of ours runs here."""

import copy
import json
import pathlib

import pytest
import yaml

from scenario import GROUP, Api, ApiError

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULE = {"name": "slow", "metric": "mcp_request_duration_seconds_p95", "threshold": "200m", "action": "ScaleUp"}
DAY = {"name": "day", "start": "0 8 * * 1-5", "duration": "10h", "minReplicas": 5}
VOLUME = {"name": "keys", "mountPath": "/keys", "secret": {"name": "api-keys"}}
NO_EFFECT = "has no effect with source.type WorkloadRef"
REMOVE = object()
KINDS = {"MCPServer": (GROUP, "mcpservers"), "MCPGateway": (GROUP, "mcpgateways"),
         "HorizontalPodAutoscaler": ("/apis/autoscaling/v2", "horizontalpodautoscalers")}


def server(name="time", **spec):
    spec = {"source": {"containerImage": {"ref": "localhost/time:1"}}, **spec}
    return {"apiVersion": "mcpfleet.dev/v1alpha1", "kind": "MCPServer", "metadata": {"name": name}, "spec": spec}


def scaled(**autoscaling):
    return server(autoscaling=autoscaling)


def rule(**changes):
    changed = {key: value for key, value in {**RULE, **changes}.items() if value is not REMOVE}
    return scaled(rules=[changed])


def workload(source=None, **spec):
    reference = {"kind": "StatefulSet", "name": "search"}
    return server(source={"type": "WorkloadRef", "workloadRef": reference, **(source or {})}, **spec)


def stored(**changes):
    """One volume of spec.config.storage."""
    changed = {key: value for key, value in {**VOLUME, **changes}.items() if value is not REMOVE}
    return server(config={"storage": [changed]})


def stdio(**config):
    return server(transport={"type": "stdio"}, config=config)


# What is applied, and what the refusal must contain: the field, and where the type alone does not say it, why.
BAD = {
    "no source": (
        {"apiVersion": "mcpfleet.dev/v1alpha1", "kind": "MCPServer", "metadata": {"name": "time"}, "spec": {}},
        ["spec.source"]),
    "no image": (server(source={}), ["spec.source.containerImage"]),
    "image with a space": (server(source={"containerImage": {"ref": "a b"}}), ["spec.source.containerImage.ref"]),
    "pull policy": (server(source={"containerImage": {"ref": "a", "pullPolicy": "Sometimes"}}),
                    ["spec.source.containerImage.pullPolicy"]),
    "unknown transport": (server(transport={"type": "carrier-pigeon"}),
                          ["spec.transport.type", "carrier-pigeon", "streamable-http"]),
    "transport without type": (server(transport={}), ["spec.transport.type"]),
    "no processes": (server(transport={"type": "stdio", "stdio": {"maxProcesses": 0}}, config={"command": ["x"]}),
                     ["spec.transport.stdio.maxProcesses"]),
    "no connections": (server(transport={"type": "sse", "sse": {"maxConnections": 0}}), ["spec.transport.sse.maxConnections"]),
    "sse with a pool": (server(transport={"type": "sse", "sse": {"mode": "pooled"}}), ["spec.transport.sse.mode", "perSession"]),
    "stdio without command": (stdio(), ["spec.config.command", "ENTRYPOINT cannot be seen"]),
    "stdio with empty command": (stdio(command=[]), ["spec.config.command", "ENTRYPOINT cannot be seen"]),
    "port of the sidecar": (server(config={"port": 19080}), ["spec.config.port", "sidecar"]),
    "other port of the sidecar": (server(config={"port": 19090}), ["spec.config.port", "sidecar"]),
    "port too high": (server(config={"port": 70000}), ["spec.config.port"]),
    "path without slash": (server(config={"path": "mcp"}), ["spec.config.path"]),
    "env without name": (server(config={"env": [{"value": "x"}]}), ["spec.config.env[0].name"]),
    "env twice": (server(config={"env": [{"name": "A"}, {"name": "A"}]}), ["spec.config.env[1]", "Duplicate"]),
    "secret without name": (server(config={"envFrom": [{"secretRef": {}}]}), ["spec.config.envFrom[0].secretRef.name"]),
    "negative replicas": (server(runtime={"replicas": -1}), ["spec.runtime.replicas"]),
    "bad request": (server(runtime={"resources": {"requests": {"cpu": "lots"}}}),
                    ["spec.runtime.resources.requests", "must be a quantity such as 100 or 250m"]),
    "negative limit": (server(runtime={"resources": {"limits": {"memory": "-1Gi"}}}),
                       ["spec.runtime.resources.limits", "must not be negative"]),
    "drain without unit": (server(sessions={"drainTimeout": "30"}), ["spec.sessions.drainTimeout"]),
    "drain too long": (server(sessions={"drainTimeout": "2h"}), ["spec.sessions.drainTimeout", "0s to 1h"]),
    "replicas without sessions": (server(sessions={"maxPerReplica": 0}), ["spec.sessions.maxPerReplica"]),
    "idle at once": (server(sessions={"idleTimeout": "0s"}), ["spec.sessions.idleTimeout"]),
    "min over max": (scaled(minReplicas=5, maxReplicas=4),
                     ["spec.autoscaling.minReplicas", "must not be greater than maxReplicas"]),
    "max under the default min": (scaled(maxReplicas=2), ["spec.autoscaling.minReplicas", "default to 3 and 50"]),
    "min zero": (scaled(minReplicas=0), ["spec.autoscaling.minReplicas"]),
    "nothing to scale on": (scaled(targets={}), ["spec.autoscaling.targets", "at least one target"]),
    "bad quantity": (scaled(targets={"requestsPerSecond": "fast"}),
                     ["spec.autoscaling.targets.requestsPerSecond", "must be a quantity such as 100 or 250m"]),
    "target zero": (scaled(targets={"requestsPerSecond": 0}),
                    ["spec.autoscaling.targets.requestsPerSecond", "must be greater than 0"]),
    "negative target": (scaled(targets={"concurrency": "-3"}),
                        ["spec.autoscaling.targets.concurrency", "must not be negative"]),
    "latency without value": (scaled(targets={"latency": {"quantile": "p95"}}),
                              ["spec.autoscaling.targets.latency.value"]),
    "latency of an unknown quantile": (scaled(targets={"latency": {"quantile": "p90", "value": "1s"}}),
                                       ["spec.autoscaling.targets.latency.quantile", "p95"]),
    "latency of an hour": (scaled(targets={"latency": {"value": "1h"}}),
                           ["spec.autoscaling.targets.latency.value", "1ms to 10m"]),
    "target of no sessions": (scaled(targets={"sessions": 0}),
                              ["spec.autoscaling.targets.sessions", "must be greater than 0"]),
    "unknown mode": (scaled(mode="Test"), ["spec.autoscaling.mode", "DryRun"]),
    "unknown actuator": (scaled(actuator="KEDA"), ["spec.autoscaling.actuator", "Operator"]),
    "panic longer than stable": (scaled(panic={"window": "2m"}),
                                 ["spec.autoscaling.panic.window", "must not be longer than stableWindow"]),
    "panic at once": (scaled(panic={"thresholdPercent": 100}), ["spec.autoscaling.panic.thresholdPercent"]),
    "schedule without start": (scaled(schedule=[{"name": "day", "duration": "1h", "minReplicas": 3}]),
                               ["spec.autoscaling.schedule[0].start"]),
    "schedule that is no cron": (scaled(schedule=[{**DAY, "start": "at eight"}]),
                                 ["spec.autoscaling.schedule[0].start"]),
    "schedule of no time": (scaled(schedule=[{**DAY, "duration": "0s"}]),
                            ["spec.autoscaling.schedule[0].duration", "1m to 168h"]),
    "schedules of one name": (scaled(schedule=[DAY, DAY]), ["spec.autoscaling.schedule[1]", "Duplicate"]),
    "season of a minute": (scaled(forecast={"season": "1m"}), ["spec.autoscaling.forecast.season", "10m to 168h"]),
    "missing data of no target": (scaled(missingData=[{"target": "weather", "action": "Hold"}]),
                                  ["spec.autoscaling.missingData[0].target", "requestsPerSecond"]),
    "missing data without action": (scaled(missingData=[{"target": "latency"}]),
                                    ["spec.autoscaling.missingData[0].action"]),
    "percent": (scaled(targets={"cpuUtilization": 0}), ["spec.autoscaling.targets.cpuUtilization"]),
    "rule without name": (rule(name=REMOVE), ["spec.autoscaling.rules[0].name"]),
    "rule name": (rule(name="Slow One"), ["spec.autoscaling.rules[0].name"]),
    "rules of one name": (scaled(rules=[RULE, RULE]), ["spec.autoscaling.rules[1]", "Duplicate"]),
    "unknown metric": (rule(metric="cpu"), ["spec.autoscaling.rules[0].metric", "mcp_requests_per_second"]),
    "unknown operator": (rule(operator="=="), ["spec.autoscaling.rules[0].operator"]),
    "no threshold": (rule(threshold=REMOVE), ["spec.autoscaling.rules[0].threshold"]),
    "negative threshold": (rule(threshold=-1), ["spec.autoscaling.rules[0].threshold", "must not be negative"]),
    "negative threshold as text": (rule(threshold="-200m"),
                                   ["spec.autoscaling.rules[0].threshold", "must not be negative"]),
    "threshold that is none": (rule(threshold="slow"), ["spec.autoscaling.rules[0].threshold", "must be a quantity"]),
    "threshold with a fraction": (rule(threshold=0.5), ["spec.autoscaling.rules[0].threshold"]),
    "no action": (rule(action=REMOVE), ["spec.autoscaling.rules[0].action"]),
    "unknown action": (rule(action="Restart"), ["spec.autoscaling.rules[0].action"]),
    "both amounts": (rule(amount={"pods": 1, "percent": 10}),
                     ["spec.autoscaling.rules[0].amount", "exactly one of pods and percent"]),
    "no amount": (rule(amount={}), ["spec.autoscaling.rules[0].amount", "exactly one of pods and percent"]),
    "amount zero": (rule(amount={"pods": 0}), ["spec.autoscaling.rules[0].amount.pods"]),
    "zero window": (rule(window="0s"), ["spec.autoscaling.rules[0].window", "must be greater than 0s"]),
    "window of a day too much": (rule(window="25h"), ["spec.autoscaling.rules[0].window", "1s to 24h"]),
    "negative cooldown": (rule(cooldown="-5s"), ["spec.autoscaling.rules[0].cooldown"]),
    "too many rules": (scaled(rules=[{**RULE, "name": f"r{i}"} for i in range(33)]), ["spec.autoscaling.rules"]),
    "policy without period": (
        scaled(behavior={"scaleUp": {"policies": [{"type": "Pods", "value": 1}]}}),
        ["spec.autoscaling.behavior.scaleUp.policies[0].periodSeconds"]),
    "window of behavior": (scaled(behavior={"scaleDown": {"stabilizationWindowSeconds": 3601}}),
                           ["spec.autoscaling.behavior.scaleDown.stabilizationWindowSeconds"]),
    "unknown source": (server(source={"type": "Helm"}), ["spec.source.type"]),
    "workload without reference": (server(source={"type": "WorkloadRef"}), ["spec.source.workloadRef is required"]),
    "workload of another kind": (workload({"workloadRef": {"kind": "DaemonSet", "name": "x"}}),
                                 ["spec.source.workloadRef.kind", "StatefulSet"]),
    "workload of another group": (
        workload({"workloadRef": {"apiVersion": "batch/v1", "kind": "Deployment", "name": "x"}}),
        ["spec.source.workloadRef.apiVersion", "apps/v1"]),
    "workload without name": (workload({"workloadRef": {"kind": "Deployment"}}), ["spec.source.workloadRef.name"]),
    "workload and image": (workload({"containerImage": {"ref": "x"}}), ["spec.source.containerImage", NO_EFFECT]),
    "image and workload": (
        server(source={"containerImage": {"ref": "x"}, "workloadRef": {"kind": "Deployment", "name": "x"}}),
        ["spec.source.workloadRef", "has no effect with source.type ContainerImage"]),
    "transport of a workload": (workload(transport={"type": "stdio"}, config={"command": ["x"]}),
                                ["spec.transport", NO_EFFECT]),
    "config of a workload": (workload(config={"env": []}), ["spec.config", NO_EFFECT]),
    "replicas of a workload": (workload(runtime={"replicas": 2}), ["spec.runtime", NO_EFFECT]),
    "sessions of a workload": (workload(sessions={"idleTimeout": "1m"}), ["spec.sessions", NO_EFFECT]),
    "disruption of a workload": (workload(disruption={"minAvailable": 1}), ["spec.disruption", NO_EFFECT]),
    "network of a workload": (workload(network={}), ["spec.network", NO_EFFECT]),
    "storage without name": (stored(name=REMOVE), ["spec.config.storage[0].name"]),
    "storage without path": (stored(mountPath=REMOVE), ["spec.config.storage[0].mountPath"]),
    "storage with a relative path": (stored(mountPath="keys"), ["spec.config.storage[0].mountPath"]),
    "storage of nothing": (stored(secret=REMOVE), ["spec.config.storage[0]", "exactly one of secret"]),
    "storage of two": (stored(emptyDir={}), ["spec.config.storage[0]", "exactly one of secret"]),
    "storage with the sidecar's name": (stored(name="session-key"), ["spec.config.storage[0].name", "sidecar"]),
    "storage in the sidecar's place": (stored(mountPath="/mcpfleet/x"),
                                       ["spec.config.storage[0].mountPath", "sidecar"]),
    "storage twice": (server(config={"storage": [VOLUME, VOLUME]}), ["spec.config.storage[1]", "Duplicate"]),
    "storage of a secret without name": (stored(secret={}), ["spec.config.storage[0].secret.name"]),
    "storage of bad size": (stored(secret=REMOVE, emptyDir={"sizeLimit": "lots"}),
                            ["spec.config.storage[0].emptyDir.sizeLimit", "must be a quantity"]),
    "pod template that is none": (server(runtime={"podTemplate": {"spec": "x"}}), ["spec.runtime.podTemplate.spec"]),
    "no disruption": (server(disruption={}), ["spec.disruption", "exactly one of maxUnavailable and minAvailable"]),
    "both disruptions": (server(disruption={"maxUnavailable": 1, "minAvailable": 1}),
                         ["spec.disruption", "exactly one of maxUnavailable and minAvailable"]),
    "disruption of too much": (server(disruption={"maxUnavailable": "101%"}),
                               ["spec.disruption.maxUnavailable", "a count or a percentage"]),
    "negative disruption": (server(disruption={"minAvailable": -1}),
                            ["spec.disruption.minAvailable", "a count or a percentage"]),
    "peer of nothing": (server(network={"ingressFrom": [{}]}),
                        ["spec.network.ingressFrom[0]", "must have podSelector"]),
    "peer without addresses": (server(network={"egressTo": [{"ipBlock": {}}]}),
                               ["spec.network.egressTo[0].ipBlock.cidr"]),
    "name with a digit first": (server("9lives"), ["metadata.name", "DNS-1035"]),
    "name with a dot": (server("a.b"), ["metadata.name", "DNS-1035"]),
    "name too long": (server("a" * 53), ["metadata.name", "52"]),
}

GOOD = {
    "the least": server(),
    "longest name": server("a" * 52),
    "stdio": stdio(command=["mcp-server-time"]),
    "sse": server(transport={"type": "sse"}, config={"port": 8000}),
    "all of sse": server(transport={"type": "sse", "sse": {"path": "/events", "mode": "shared", "maxConnections": 5,
                                                           "hangTimeout": "30s"}}),
    "autoscaling by default": scaled(),
    "latency alone": scaled(targets={"latency": {"value": "200ms"}}),
    "all that decides": scaled(
        mode="DryRun", actuator="Operator",
        targets={"sessions": 20, "latency": {"quantile": "p99", "value": "1s"}}, panic={"window": "5s"},
        schedule=[DAY, {**DAY, "name": "night", "start": "*/5 22-23,0 1 1 0", "ramp": "15m"}],
        forecast={"season": "168h"}, missingData=[{"target": "latency", "action": "LastKnownGood", "maxAge": "1m"}]),
    "rules alone": scaled(targets={}, rules=[RULE]),
    "numbers and texts": scaled(targets={"requestsPerSecond": 5, "concurrency": "1500m"},
                                rules=[{**RULE, "threshold": 0}, {**RULE, "name": "b", "threshold": "0.2"}]),
    "durations": server(sessions={"drainTimeout": "0s", "idleTimeout": "1h30m"}),
    "no rest": rule(cooldown="0s", window="1m30s"),
    "resources": server(runtime={"resources": {"requests": {"cpu": 1, "memory": "64Mi"}, "limits": {"cpu": "1.5"}}}),
    "values from elsewhere": server(config={"env": [
        {"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": True}}}]}),
    "workload": workload(),
    "scaled workload": workload(autoscaling={"targets": {"cpuUtilization": 70}}),
    "workload with all defaults said": workload(
        transport={"type": "streamable-http"}, config={"port": 8080}, runtime={"replicas": 1},
        sessions={"drainTimeout": "30s"}),
    "storage": server(config={"storage": [
        {**VOLUME, "readOnly": True, "secret": {"name": "s", "optional": True, "items": [{"key": "a", "path": "b"}]}},
        {"name": "rules", "mountPath": "/rules", "configMap": {"name": "rules"}},
        {"name": "data", "mountPath": "/data", "persistentVolumeClaim": {"claimName": "data"}},
        {"name": "cache", "mountPath": "/cache", "emptyDir": {}},
        {"name": "tmp", "mountPath": "/tmp", "emptyDir": {"sizeLimit": "64Mi"}}]}),
    "pod template": server(runtime={"podTemplate": {
        "metadata": {"labels": {"team": "search"}, "annotations": {"old": None}},
        "spec": {"tolerations": [{"key": "gpu", "operator": "Exists"}], "priorityClassName": None,
                 "containers": [{"name": "server", "securityContext": {"runAsUser": 1000}},
                                {"name": "old", "$patch": "delete"}]}}}),
    "disruption by count": server(disruption={"minAvailable": 0}),
    "disruption by percentage": server(disruption={"maxUnavailable": "100%"}),
    "network": server(network={
        "ingressFrom": [{"podSelector": {"matchLabels": {"app": "agent"}}, "namespaceSelector": {}},
                        {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}],
        "egressTo": []}),
    "tolerance": scaled(behavior={"scaleUp": {"tolerance": "50m"}, "scaleDown": {"selectPolicy": "Disabled"}}),
}


@pytest.fixture(scope="module")
def api(api_cluster):
    return Api(api_cluster.kubeconfig)


def dry_run(api, namespace, manifest):
    """The object as it would be stored, or the sentence that says why not."""
    group, plural = KINDS[manifest["kind"]]
    try:
        return api.call("POST", f"{group}/namespaces/{namespace}/{plural}?dryRun=All&fieldValidation=Strict", manifest)
    except ApiError as error:
        return error.message


@pytest.fixture(scope="module")
def empty(api_cluster):
    """A namespace where nothing is ever stored: its tests are dry runs."""
    api_cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "t-crd"}})
    yield "t-crd"
    api_cluster.kubectl("delete", "namespace", "t-crd", "--wait=false")


@pytest.mark.parametrize("name", BAD)
def test_refused(api, empty, name):
    manifest, wanted = BAD[name]
    answer = dry_run(api, empty, manifest)
    assert isinstance(answer, str) and "is invalid" in answer, answer
    for part in wanted:
        assert part in answer


@pytest.mark.parametrize("name", GOOD)
def test_accepted(api, empty, name):
    answer = dry_run(api, empty, GOOD[name])
    assert isinstance(answer, dict), answer
    assert_keeps(GOOD[name]["spec"], answer["spec"], "spec")


def assert_keeps(given, stored, path):
    """Nothing that was given is pruned or changed."""
    if isinstance(given, dict):
        for key, value in given.items():
            assert key in stored, f"{path}.{key} was dropped"
            assert_keeps(value, stored[key], f"{path}.{key}")
    elif isinstance(given, list):
        assert len(given) == len(stored), path
        for index, (one, other) in enumerate(zip(given, stored)):
            assert_keeps(one, other, f"{path}[{index}]")
    else:
        assert given == stored, path


def test_defaults(api, empty):
    stored = dry_run(api, empty, rule())["spec"]
    assert stored["source"]["type"] == "ContainerImage"
    assert stored["transport"]["type"] == "streamable-http"
    assert stored["config"] == {"port": 8080, "path": "/mcp"}
    assert stored["runtime"] == {"replicas": 1}
    assert stored["sessions"] == {"drainTimeout": "30s", "idleTimeout": "30m"}
    assert stored["autoscaling"] == {
        "mode": "Active", "actuator": "HPA", "minReplicas": 3, "maxReplicas": 50,
        "targets": {"cpuUtilization": 70, "memoryUtilization": 80, "requestsPerSecond": "100"},
        "rules": [{**RULE, "operator": ">", "amount": {"pods": 1}, "window": "300s", "cooldown": "300s"}],
        "behavior": {
            "scaleUp": {"stabilizationWindowSeconds": 60,
                        "policies": [{"type": "Percent", "value": 100, "periodSeconds": 60}]},
            "scaleDown": {"stabilizationWindowSeconds": 300,
                          "policies": [{"type": "Percent", "value": 10, "periodSeconds": 60}]}}}
    given = dry_run(api, empty, scaled(targets={"concurrency": 4}))
    assert given["spec"]["autoscaling"]["targets"] == {"concurrency": 4}


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "samples").glob("*.yaml")), ids=lambda path: path.stem)
def test_samples_are_accepted(api, empty, path):
    for manifest in yaml.safe_load_all(path.read_text()):
        answer = dry_run(api, empty, manifest)
        assert isinstance(answer, dict), answer
        assert_keeps(manifest["spec"], answer["spec"], "spec")


def test_columns_names_and_scale(api_cluster, namespace):
    api_cluster.kubectl("create", "-n", namespace, "-f", "-", stdin=server())
    status = {"status": {"replicas": 3, "readyReplicas": 2, "selector": "mcpfleet.dev/server=time", "conditions": [
        {"type": "Ready", "status": "False", "reason": "Starting", "message": "2 of 3",
         "lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": 1}]}}
    api_cluster.kubectl("patch", "mcpserver", "time", "-n", namespace, "--subresource=status", "--type=merge",
                        "-p", json.dumps(status))
    header, row = api_cluster.kubectl("get", "mcpservers", "-n", namespace).splitlines()
    assert header.split() == ["NAME", "TRANSPORT", "REPLICAS", "AVAILABLE", "READY", "REASON", "AGE"]
    assert row.split()[:6] == ["time", "streamable-http", "3", "2", "False", "Starting"]
    for name in ("mcps", "mcpserver", "mcpfleet"):
        assert "time" in api_cluster.kubectl("get", name, "-n", namespace)

    api_cluster.kubectl("scale", "mcpserver", "time", "-n", namespace, "--replicas=4")
    assert api_cluster.get("mcpserver", "time", "-n", namespace)["spec"]["runtime"]["replicas"] == 4
    scale = api_cluster.raw(f"/apis/mcpfleet.dev/v1alpha1/namespaces/{namespace}/mcpservers/time/scale")
    assert scale["spec"]["replicas"] == 4
    assert scale["status"] == {"replicas": 3, "selector": "mcpfleet.dev/server=time"}


def test_status_keeps_all_that_the_operator_writes(api_cluster, namespace):
    api_cluster.kubectl("create", "-n", namespace, "-f", "-", stdin=server())
    time = "2026-01-01T00:00:00Z"
    status = {
        "observedGeneration": 1, "replicas": 3, "readyReplicas": 3, "selector": "a=b",
        "address": {"url": "http://time.tools.svc/mcp"}, "sessions": {"active": 2},
        "serverInfo": {"name": "time", "version": "1.2", "protocolVersions": ["2025-11-25"], "capabilities": ["tools"],
                       "revision": "6c9d8f7b5"},
        "scaling": {
            "recommendedReplicas": 5, "floor": 4, "mode": "DryRun", "wouldBe": 5,
            "decisions": [{
                "time": time, "from": 3, "to": 5, "by": "latency", "rule": "slow", "reason": "Latency objective",
                "message": "…", "limits": ["maxReplicas"],
                "inputs": [{"name": "mcp_requests_in_flight", "value": "12", "target": "3", "ageSeconds": 1}]}],
            "metrics": [{"name": "cpu", "current": "63%", "target": "70%", "time": time}],
            "lastDecision": {"time": time, "from": 3, "to": 5, "rule": "slow", "reason": "Threshold exceeded",
                             "message": "rule slow: … so 3 → 5 replicas"},
            "rules": [{"name": "slow", "lastFired": time}],
            "lastReleased": time},
        "conditions": [{"type": "Ready", "status": "True", "reason": "Serving", "message": "",
                        "lastTransitionTime": time, "observedGeneration": 1}]}
    api_cluster.kubectl("patch", "mcpserver", "time", "-n", namespace, "--subresource=status", "--type=merge",
                        "-p", json.dumps({"status": copy.deepcopy(status)}))
    assert api_cluster.get("mcpserver", "time", "-n", namespace)["status"] == status


def test_the_type_of_the_source_stays(api_cluster, namespace):
    """A server that ran from an image would leave its Deployment and Secret behind as somebody else's workload."""
    api_cluster.kubectl("create", "-n", namespace, "-f", "-", stdin=server())
    answer = api_cluster.kubectl("apply", "--server-side", "--force-conflicts", "-n", namespace, "--dry-run=server",
                                 "-f", "-", stdin=workload(), check=False)
    assert "spec.source.type cannot be changed; delete the MCPServer and create it again" in answer


def test_the_scale_of_a_workload_is_its_own(api_cluster, namespace):
    api_cluster.kubectl("create", "-n", namespace, "-f", "-", stdin=workload())
    answer = api_cluster.kubectl("scale", "mcpserver", "time", "-n", namespace, "--replicas=4", check=False)
    assert "spec.runtime has no effect with source.type WorkloadRef: scale the workload itself" in answer
