"""A rule from the pods' /metrics to the Deployment's replicas: adapter, operator and the real HPA controller together.
Pods are objects without a node; what they would expose is played by fake_pods."""

import json

from conftest import wait_for
from test_metrics_api import PORT, adapter, fleet  # noqa: F401  (fixtures)
from test_operator import condition, events, mcp_server, operator_to_kill, own_namespace, running_operator  # noqa: F401
from test_workload_ref import scaling, workload

SLOW = {"name": "slow", "metric": "mcp_request_duration_seconds_p95", "operator": ">", "threshold": "200m",
        "action": "ScaleUp", "amount": {"pods": 2}, "window": "10s", "cooldown": "10s"}
QUICK = {"scaleUp": {"stabilizationWindowSeconds": 0, "policies": [{"type": "Pods", "value": 10, "periodSeconds": 1}]},
         "scaleDown": {"stabilizationWindowSeconds": 0, "policies": [{"type": "Pods", "value": 10, "periodSeconds": 1}]}}


def status(cluster, namespace, name):
    return cluster.get("mcpserver", "-n", namespace, name).get("status", {})


def play(fleet, name, **metrics):
    """Every pod that is not played yet."""
    for pod in fleet.names(name):
        if pod not in fleet.pods:
            fleet.run(pod, **metrics)


def test_latency_raises_replicas_and_rest_returns_them(adapter, fleet, api_cluster, own_namespace, tmp_path):  # noqa: F811
    namespace = fleet.namespace
    server = mcp_server(namespace, "a", autoscaling={
        "minReplicas": 2, "maxReplicas": 6, "targets": {"requestsPerSecond": "1000"}, "rules": [SLOW],
        "behavior": QUICK})

    def replicas():
        return api_cluster.get("deployment", "a", "-n", namespace)["spec"]["replicas"]

    with operator_to_kill(api_cluster, tmp_path / "first.log"):
        api_cluster.apply(server)
        wait_for("two pods", lambda: len(fleet.names("a")) == 2)
        play(fleet, "a", rate=10, latency=0.5)
        wait_for("the rule to fire", lambda: replicas() == 4, timeout=60)
        decision = status(api_cluster, namespace, "a")["scaling"]["lastDecision"]
        assert (decision["from"], decision["to"], decision["rule"]) == (2, 4, "slow")
        assert decision["reason"] == "Threshold exceeded"
        assert "mcp_request_duration_seconds_p95" in decision["message"] and "0.2" in decision["message"]
        told = wait_for("the Event", lambda: [e for e in events(api_cluster, namespace, "a")
                                              if e["reason"] == "ScaledUp"])
        assert "slow" in told[0]["message"]
        line = next(t for t in (tmp_path / "first.log").read_text().splitlines() if "scaling decision" in t)
        for part in (f"server={namespace}/a", "rule=slow", "metric=mcp_request_duration_seconds_p95", "threshold=0.2",
                     "from=2", "to=4", 'reason="Threshold exceeded"'):
            assert part in line, line
        hpa = api_cluster.kubectl("describe", "hpa", "a", "-n", namespace)
        assert '"mcp_recommended_replicas" on MCPServer/a' in hpa
    wait_for("four pods", lambda: len(fleet.names("a")) == 4)
    play(fleet, "a", rate=10, latency=0.5)
    with running_operator(api_cluster, tmp_path / "second.log"):
        wait_for("the rule to fire once more, after its cooldown", lambda: replicas() == 6, timeout=60)
        for pod in fleet.pods.values():
            pod.set_rate(0)
        wait_for("the minimum", lambda: replicas() == 2, timeout=120)
        assert status(api_cluster, namespace, "a")["scaling"]["lastDecision"]["reason"] == "Floor released"


def test_a_workload_of_others_is_scaled_by_the_metrics_of_its_pods(adapter, fleet, api_cluster, own_namespace,  # noqa: F811
                                                                   tmp_path):
    """A Deployment of somebody else's, whose pods carry the label and the annotation that the metrics need."""
    namespace = fleet.namespace
    theirs = workload(namespace, "Deployment")
    template = theirs["spec"]["template"] = json.loads(json.dumps(theirs["spec"]["template"]))
    template["metadata"]["labels"]["mcpfleet.dev/server"] = "a"
    template["metadata"]["annotations"] = {"mcpfleet.dev/metrics-port": str(PORT)}
    with running_operator(api_cluster, tmp_path / "operator.log"):
        api_cluster.apply(theirs, scaling(namespace, "a", rules=[SLOW], behavior=QUICK))
        wait_for("two pods", lambda: len(fleet.names("a")) == 2)
        play(fleet, "a", rate=10, latency=0.5)
        wait_for("the rule to fire",
                 lambda: api_cluster.get("deployment", "theirs", "-n", namespace)["spec"]["replicas"] == 4, timeout=90)
        decision = status(api_cluster, namespace, "a")["scaling"]["lastDecision"]
        assert (decision["from"], decision["to"], decision["rule"]) == (2, 4, "slow")


def test_an_outage_of_the_metrics_is_said_and_scales_nothing(adapter, fleet, api_cluster, own_namespace, tmp_path):  # noqa: F811
    namespace = fleet.namespace
    with running_operator(api_cluster, tmp_path / "operator.log"):
        api_cluster.apply(mcp_server(namespace, "a", autoscaling={"minReplicas": 2, "maxReplicas": 6, "rules": [SLOW]}))
        wait_for("two pods", lambda: len(fleet.names("a")) == 2)
        play(fleet, "a", rate=10, latency=0.05)
        wait_for("data", lambda: condition(api_cluster, namespace, "a", "ScalingActive")["status"] == "True", timeout=60)
        gone = fleet.names("a")[0]
        fleet.pods[gone].close()

        def said():
            found = condition(api_cluster, namespace, "a", "ScalingActive")
            return found["status"] == "False" and gone in found["message"] and found["message"]
        wait_for("the reason in the condition", said, timeout=60)
        assert status(api_cluster, namespace, "a")["scaling"]["recommendedReplicas"] == 2
        assert api_cluster.get("deployment", "a", "-n", namespace)["spec"]["replicas"] == 2
