"""The replicas where no HorizontalPodAutoscaler writes them: the actuator Operator, and the modes that write nothing.
Pods are objects without a node; what they would expose is played by fake_pods."""

import time

from conftest import wait_for
from test_metrics_api import adapter, fleet  # noqa: F401  (fixtures)
from test_operator import condition, events, mcp_server, operator_to_kill, own_namespace, running_operator  # noqa: F401
from test_rules import QUICK, SLOW, play, status
from test_workload_ref import hpa_by_hand, scaling, workload


def replicas(cluster, namespace, name="a"):
    return cluster.get("deployment", name, "-n", namespace)["spec"]["replicas"]


def scaler(namespace, **autoscaling):
    return mcp_server(namespace, "a", autoscaling={
        "actuator": "Operator", "minReplicas": 2, "maxReplicas": 8, "targets": {"concurrency": 4}, "behavior": QUICK,
        **autoscaling})


def two_pods(fleet, cluster, server, **metrics):  # noqa: F811
    cluster.apply(server)
    wait_for("two pods", lambda: len(fleet.names("a")) == 2)
    play(fleet, "a", **metrics)


def load(fleet, in_flight):  # noqa: F811
    """So many calls in flight in all, on the pods there are."""
    for pod in fleet.pods.values():
        pod.in_flight = in_flight / len(fleet.pods)


def decisions(cluster, namespace):
    return status(cluster, namespace, "a").get("scaling", {}).get("decisions", [])


def test_the_operator_writes_the_replicas_and_says_why(adapter, fleet, api_cluster, own_namespace, tmp_path):  # noqa: F811
    namespace = fleet.namespace
    log = tmp_path / "first.log"
    with operator_to_kill(api_cluster, log):
        two_pods(fleet, api_cluster, scaler(namespace), in_flight=3)
        wait_for("a decision on data", lambda: any(d["by"] == "target" for d in decisions(api_cluster, namespace)),
                 timeout=90)
        assert replicas(api_cluster, namespace) == 2
        assert not api_cluster.get("hpa", "-n", namespace)["items"]

        load(fleet, 24)
        wait_for("six replicas", lambda: replicas(api_cluster, namespace) == 6, timeout=20)
        # The mean of a few seconds rises, so there may be a step on the way.
        told = wait_for("the decision", lambda: [d for d in decisions(api_cluster, namespace) if d["to"] == 6])
        assert told[-1]["from"] < 6 and told[-1]["by"] in ("panic", "target"), told
        assert any(i["name"] == "mcp_requests_in_flight" for i in told[-1]["inputs"]), told
        event = wait_for("the Event", lambda: [e for e in events(api_cluster, namespace, "a")
                                               if e["reason"] == "ScaledUp"])[0]
        assert "replicas" in event["message"] and "mcp_requests_in_flight" in event["message"]
        assert any("scaled" in line and "to=6" in line for line in log.read_text().splitlines())
        owners = [f["manager"] for f in api_cluster.get("deployment", "a", "-n", namespace, "--show-managed-fields")
                  ["metadata"]["managedFields"] if "f:replicas" in f.get("fieldsV1", {}).get("f:spec", {})]
        assert set(owners) == {"mcp-operator"}
    # Killed: whoever comes next goes on from what is there.
    wait_for("six pods", lambda: len(fleet.names("a")) == 6)
    play(fleet, "a")
    load(fleet, 24)
    with running_operator(api_cluster, tmp_path / "second.log"):
        wait_for("all well", lambda: condition(api_cluster, namespace, "a", "ScalingActive")["status"] == "True", timeout=60)
        assert replicas(api_cluster, namespace) == 6
        load(fleet, 6)
        wait_for("two replicas", lambda: replicas(api_cluster, namespace) == 2, timeout=120)
        # An HPA takes over from what is there, and gives it back.
        api_cluster.apply(scaler(namespace, actuator="HPA"))
        wait_for("the HPA", lambda: api_cluster.get("hpa", "-n", namespace)["items"])
        assert replicas(api_cluster, namespace) == 2


def test_lost_metrics_scale_nothing_in(adapter, fleet, api_cluster, own_namespace, tmp_path):  # noqa: F811
    namespace = fleet.namespace
    with running_operator(api_cluster, tmp_path / "operator.log"):
        two_pods(fleet, api_cluster, scaler(namespace), in_flight=12)
        wait_for("six replicas", lambda: replicas(api_cluster, namespace) == 6, timeout=90)
        for pod in list(fleet.pods.values()):
            pod.mode = "error"

        def said():
            found = condition(api_cluster, namespace, "a", "ScalingActive")
            return found and found["reason"] == "MetricsMissing" and found["message"]
        message = wait_for("the reason in the condition", said, timeout=120)
        assert "mcp_requests_in_flight" in message
        assert replicas(api_cluster, namespace) == 6


def test_a_dry_run_says_what_it_would_do_and_does_nothing(adapter, fleet, api_cluster, own_namespace, tmp_path):  # noqa: F811
    namespace = fleet.namespace
    with running_operator(api_cluster, tmp_path / "operator.log"):
        two_pods(fleet, api_cluster, scaler(namespace, mode="DryRun", rules=[SLOW]), in_flight=12)
        wait_for("what would be", lambda: status(api_cluster, namespace, "a")["scaling"].get("wouldBe") == 6, timeout=90)
        assert "there would be 6" in condition(api_cluster, namespace, "a", "ScalingActive")["message"]
        assert replicas(api_cluster, namespace) == 2
        api_cluster.kubectl("scale", "deployment", "a", "-n", namespace, "--replicas=3")
        started = time.time()
        wait_for("some rounds", lambda: time.time() - started > 5)
        assert replicas(api_cluster, namespace) == 3
        assert not [e for e in events(api_cluster, namespace, "a") if e["reason"].startswith("Scaled")]

        api_cluster.apply(scaler(namespace, mode="Active"))
        wait_for("six replicas", lambda: replicas(api_cluster, namespace) == 6, timeout=30)
        api_cluster.apply(scaler(namespace, mode="Paused"))
        wait_for("the pause", lambda: condition(api_cluster, namespace, "a", "ScalingActive")["reason"] == "Paused")
        api_cluster.kubectl("scale", "deployment", "a", "-n", namespace, "--replicas=1")
        started = time.time()
        wait_for("some rounds", lambda: time.time() - started > 5)
        assert replicas(api_cluster, namespace) == 1


def test_a_workload_of_others_and_their_own_autoscaler(adapter, fleet, api_cluster, own_namespace, tmp_path):  # noqa: F811
    namespace = fleet.namespace
    with running_operator(api_cluster, tmp_path / "operator.log"):
        api_cluster.apply(workload(namespace, "Deployment"),
                          scaling(namespace, "a", actuator="Operator", targets={"concurrency": 4}, behavior=QUICK,
                                  schedule=[{"name": "always", "start": "* * * * *", "duration": "1h", "minReplicas": 4}]))
        wait_for("the minimum of the schedule", lambda: replicas(api_cluster, namespace, "theirs") == 4, timeout=60)
        api_cluster.apply(hpa_by_hand(namespace, "by-hand"))
        wait_for("the conflict", lambda: condition(api_cluster, namespace, "a", "ScalingActive")["reason"] == "TargetConflict",
                 timeout=60)
        api_cluster.kubectl("scale", "deployment", "theirs", "-n", namespace, "--replicas=3")
        started = time.time()
        wait_for("some rounds", lambda: time.time() - started > 5)
        assert replicas(api_cluster, namespace, "theirs") == 3
