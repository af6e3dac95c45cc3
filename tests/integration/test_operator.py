"""mcp-operator against a real API server, garbage collector and HPA controller; there are no nodes, so no pod runs."""

import contextlib
import json
import pathlib
import socket
import subprocess

import pytest

from conftest import BIN, grant_operator, program, wait_for

OPERATOR_NAMESPACE = "mcpfleet-system"
SIDECAR = "example.invalid/mcp-sidecar:test"


def arguments(cluster):
    return ["--kubeconfig", str(operator_kubeconfig(cluster)), "--namespace", OPERATOR_NAMESPACE, "--sidecar-image", SIDECAR,
            "--listen", "127.0.0.1:0"]


@contextlib.contextmanager
def running_operator(cluster, log):
    with program("mcp-operator", *arguments(cluster), log=log) as process:
        yield process


@contextlib.contextmanager
def operator_to_kill(cluster, log):
    """Ends with SIGKILL; its lease is short, so that the next one need not wait long."""
    lease = ["--lease-duration", "2s", "--lease-renew-deadline", "1500ms", "--lease-retry-period", "200ms"]
    with open(log, "w") as out:
        process = subprocess.Popen([BIN / "mcp-operator", *arguments(cluster), *lease], stdout=out, stderr=out)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def operator_kubeconfig(cluster):
    return pathlib.Path(cluster.kubeconfig).parent / f"operator-{OPERATOR_NAMESPACE}-kubeconfig"


@pytest.fixture(scope="session")
def own_namespace(api_cluster):
    """The operator's namespace, and a kubeconfig of a service account with the rights that the chart gives."""
    grant_operator(api_cluster, OPERATOR_NAMESPACE)


@pytest.fixture()
def operator(api_cluster, own_namespace, tmp_path):
    with running_operator(api_cluster, tmp_path / "operator.log") as process:
        yield process


def mcp_server(namespace, name, **spec):
    base = {"source": {"type": "ContainerImage", "containerImage": {"ref": "example.invalid/server:1"}},
            "transport": {"type": "streamable-http"}, "config": {"port": 3001}}
    return {"apiVersion": "mcpfleet.dev/v1alpha1", "kind": "MCPServer",
            "metadata": {"name": name, "namespace": namespace}, "spec": base | spec}


def with_requests(**more):
    return {"resources": {"requests": {"cpu": "50m", "memory": "64Mi"}}} | more


def condition(cluster, namespace, name, type_):
    status = cluster.get("mcpserver", "-n", namespace, name).get("status", {})
    return next((c for c in status.get("conditions", []) if c["type"] == type_), None)


def wait_accepted(cluster, namespace, name, status="True"):
    def settled():
        found = condition(cluster, namespace, name, "Accepted")
        return found if found and found["status"] == status else None
    return wait_for(f"Accepted={status} of {name}", settled)


def events(cluster, namespace, name):
    return [e for e in cluster.get("events", "-n", namespace)["items"]
            if e["involvedObject"]["kind"] == "MCPServer" and e["involvedObject"]["name"] == name]


def versions(cluster, namespace):
    """The resourceVersion of all that the operator may write."""
    items = cluster.get("mcpservers,deployments,services,hpa,secrets", "-n", namespace)["items"]
    return {(i["kind"], i["metadata"]["name"]): i["metadata"]["resourceVersion"] for i in items}


def test_children_as_specified(api_cluster, namespace, operator):
    api_cluster.apply(mcp_server(namespace, "a", runtime=with_requests(), autoscaling={}))
    wait_accepted(api_cluster, namespace, "a")
    server = api_cluster.get("mcpserver", "-n", namespace, "a")
    children = api_cluster.get("deployment/a", "service/a", "hpa/a", "secret/a-session-key", "-n", namespace)["items"]
    for child in children:
        owner, = child["metadata"]["ownerReferences"]
        assert (owner["kind"], owner["name"], owner["uid"]) == ("MCPServer", "a", server["metadata"]["uid"])
        assert owner["controller"] and owner["blockOwnerDeletion"]
        assert child["metadata"]["labels"]["mcpfleet.dev/server"] == "a"
    deployment, service, hpa, _ = children

    assert deployment["spec"]["replicas"] == 3
    containers = {c["name"]: c for c in deployment["spec"]["template"]["spec"]["containers"]}
    assert containers["server"]["image"] == "example.invalid/server:1"
    sidecar = {c["name"]: c for c in deployment["spec"]["template"]["spec"]["initContainers"]}["mcp-sidecar"]
    assert sidecar["image"] == SIDECAR and sidecar["restartPolicy"] == "Always"

    ports = [(port["name"], port["port"], port["targetPort"]) for port in service["spec"]["ports"]]
    assert ports == [("mcp", 80, "mcp"), ("metrics", 19090, "metrics")]
    assert service["spec"]["selector"] == {"mcpfleet.dev/server": "a"}

    spec = hpa["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (3, 50)
    assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "a"}
    metrics = {m.get("containerResource", {}).get("name") or m["pods"]["metric"]["name"]: m for m in spec["metrics"]}
    assert metrics["cpu"]["containerResource"]["target"] == {"type": "Utilization", "averageUtilization": 70}
    assert metrics["memory"]["containerResource"]["target"] == {"type": "Utilization", "averageUtilization": 80}
    assert metrics["cpu"]["containerResource"]["container"] == "server"
    assert metrics["mcp_requests_per_second"]["pods"]["target"] == {"type": "AverageValue", "averageValue": "100"}
    up, down = spec["behavior"]["scaleUp"], spec["behavior"]["scaleDown"]
    assert up["stabilizationWindowSeconds"] == 60 and down["stabilizationWindowSeconds"] == 300
    assert up["policies"] == [{"type": "Percent", "value": 100, "periodSeconds": 60}]
    assert down["policies"] == [{"type": "Percent", "value": 10, "periodSeconds": 60}]

    status = server["status"]
    assert status["address"]["url"] == f"http://a.{namespace}.svc/mcp"
    assert status["observedGeneration"] == 1 and status["selector"] == "mcpfleet.dev/server=a"
    assert {c["type"] for c in status["conditions"]} == {"Accepted", "Available", "Progressing", "ScalingActive",
                                                         "ScalingLimited", "Ready"}


def test_session_keys_differ_by_server(api_cluster, namespace, operator):
    api_cluster.apply(mcp_server(namespace, "a"), mcp_server(namespace, "b"))
    for name in ("a", "b"):
        wait_accepted(api_cluster, namespace, name)
    keys = {api_cluster.get("secret", "-n", namespace, f"{n}-session-key")["data"]["key"] for n in ("a", "b")}
    assert len(keys) == 2 and all(len(k) == 44 for k in keys)


def test_edits_and_deletions_of_children_are_put_right(api_cluster, namespace, operator):
    api_cluster.apply(mcp_server(namespace, "a", autoscaling={}))
    wait_accepted(api_cluster, namespace, "a")
    api_cluster.kubectl("set", "image", "-n", namespace, "deployment/a", "server=example.invalid/other:2")
    api_cluster.kubectl("patch", "-n", namespace, "hpa/a", "--type=merge", "-p", '{"spec":{"maxReplicas":7}}')
    api_cluster.kubectl("label", "-n", namespace, "service/a", "app.kubernetes.io/managed-by-")
    api_cluster.kubectl("annotate", "-n", namespace, "deployment/a", "example.com/note=mine")

    def right():
        template = api_cluster.get("deployment", "-n", namespace, "a")["spec"]["template"]["spec"]
        image = next(c["image"] for c in template["containers"] if c["name"] == "server")
        hpa = api_cluster.get("hpa", "-n", namespace, "a")["spec"]
        labels = api_cluster.get("service", "-n", namespace, "a")["metadata"]["labels"]
        return (image == "example.invalid/server:1" and hpa["maxReplicas"] == 50
                and labels.get("app.kubernetes.io/managed-by") == "mcpfleet")
    wait_for("the edits to be put right", right)
    # What is not ours stays.
    note = api_cluster.get("deployment", "-n", namespace, "a")["metadata"]["annotations"]["example.com/note"]
    assert note == "mine"

    api_cluster.kubectl("delete", "-n", namespace, "service/a", "deployment/a")
    wait_for("the children to be made again", lambda: api_cluster.get("deployment/a", "service/a", "-n", namespace))

    def told():
        text = [e["message"] for e in events(api_cluster, namespace, "a") if e["reason"] == "DriftCorrected"]
        return all(any(m.startswith(word) for m in text) for word in (
            "Deployment a was put right: spec.template.spec.containers[0].image",
            "HorizontalPodAutoscaler a was put right: spec.maxReplicas",
            "Deployment a was put right: it was gone", "Service a was put right"))
    wait_for("Events that tell of it", told)


def test_deletion_leaves_nothing(api_cluster, namespace, operator):
    api_cluster.apply(mcp_server(namespace, "a", autoscaling={}))
    wait_accepted(api_cluster, namespace, "a")
    api_cluster.kubectl("delete", "mcpserver", "-n", namespace, "a")
    wait_for("the garbage collector", lambda: not versions(api_cluster, namespace), timeout=60)


def test_child_of_somebody_else_is_refused(api_cluster, namespace, operator):
    foreign = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "taken", "namespace": namespace},
               "spec": {"selector": {"app": "other"}, "ports": [{"port": 9000}]}}
    api_cluster.apply(foreign)
    before = api_cluster.get("service", "-n", namespace, "taken")
    api_cluster.apply(mcp_server(namespace, "taken"), mcp_server(namespace, "fine"))
    refused = wait_accepted(api_cluster, namespace, "taken", "False")
    assert refused["reason"] == "NameTaken" and "Service taken" in refused["message"]
    wait_accepted(api_cluster, namespace, "fine")
    assert api_cluster.get("service", "-n", namespace, "taken") == before
    assert ("Deployment", "taken") not in versions(api_cluster, namespace)
    wait_for("a Warning", lambda: [e for e in events(api_cluster, namespace, "taken")
                                   if e["type"] == "Warning" and e["reason"] == "NameTaken"])
    # Once it is gone, the server gets its own.
    api_cluster.kubectl("delete", "service", "-n", namespace, "taken")
    wait_accepted(api_cluster, namespace, "taken")


def test_killed_at_work_ends_in_the_same_state_and_then_writes_nothing(api_cluster, namespace, own_namespace, tmp_path):
    servers = [mcp_server(namespace, f"s{i}", autoscaling={}) for i in range(10)]
    with operator_to_kill(api_cluster, tmp_path / "killed.log"):
        api_cluster.apply(*servers)
        wait_for("some work", lambda: len(versions(api_cluster, namespace)) > len(servers) + 3, every=0.01)
    with running_operator(api_cluster, tmp_path / "second.log"):
        for i in range(10):
            wait_accepted(api_cluster, namespace, f"s{i}")
        # 4 children and the server itself, of each.
        wait_for("all children", lambda: len(versions(api_cluster, namespace)) == 5 * len(servers))
        # The real controllers must have had their say, too.
        wait_for("the HPAs' word", lambda: all(
            condition(api_cluster, namespace, f"s{i}", "ScalingActive")["status"] == "False" for i in range(10)))
    before = versions(api_cluster, namespace)
    with running_operator(api_cluster, tmp_path / "third.log"):
        api_cluster.apply(mcp_server(namespace, "last"))
        wait_accepted(api_cluster, namespace, "last")
    after = versions(api_cluster, namespace)
    assert {key: after[key] for key in before} == before


def test_limits_move_and_replicas_survive_the_end_of_autoscaling(api_cluster, namespace, operator):
    api_cluster.apply(mcp_server(namespace, "a", autoscaling={"minReplicas": 2, "maxReplicas": 9}))
    wait_accepted(api_cluster, namespace, "a")
    api_cluster.apply(mcp_server(namespace, "a", autoscaling={"minReplicas": 4, "maxReplicas": 8}))

    def limits():
        spec = api_cluster.get("hpa", "-n", namespace, "a")["spec"]
        return spec["minReplicas"], spec["maxReplicas"]
    wait_for("the HPA's limits", lambda: limits() == (4, 8))

    def replicas():
        return api_cluster.get("deployment", "-n", namespace, "a")["spec"]["replicas"]
    # The HPA controller raises it to the minimum, and owns it from then on.
    wait_for("the HPA to act", lambda: replicas() == 4)
    api_cluster.apply(mcp_server(namespace, "a", config={"port": 3002}))
    wait_for("the HPA to go", lambda: ("HorizontalPodAutoscaler", "a") not in versions(api_cluster, namespace))
    wait_for("the edit to be applied", lambda: condition(api_cluster, namespace, "a", "Accepted")["observedGeneration"]
             == api_cluster.get("mcpserver", "-n", namespace, "a")["metadata"]["generation"])
    assert replicas() == 4
    api_cluster.apply(mcp_server(namespace, "a", config={"port": 3002}, runtime={"replicas": 2}))
    wait_for("the replicas asked for", lambda: replicas() == 2)


def test_a_spec_that_the_api_server_refuses_disturbs_nobody(api_cluster, namespace, operator):
    good = mcp_server(namespace, "a")
    api_cluster.apply(good)
    wait_accepted(api_cluster, namespace, "a")
    before = api_cluster.get("deployment", "-n", namespace, "a")["spec"]
    bad = {"resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}}
    api_cluster.apply(mcp_server(namespace, "a", runtime=bad), mcp_server(namespace, "b"))
    refused = wait_accepted(api_cluster, namespace, "a", "False")
    assert refused["reason"] == "Refused" and "resources.requests" in refused["message"]
    wait_accepted(api_cluster, namespace, "b")
    assert api_cluster.get("deployment", "-n", namespace, "a")["spec"] == before
    wait_for("a Warning", lambda: [e for e in events(api_cluster, namespace, "a")
                                   if e["type"] == "Warning" and e["reason"] == "Refused"])
    api_cluster.apply(good)
    wait_accepted(api_cluster, namespace, "a")


def test_rules_start_at_the_minimum_and_say_that_they_have_no_data(api_cluster, namespace, operator):
    rule = {"name": "slow", "metric": "mcp_request_duration_seconds_p95", "operator": ">", "threshold": "200m",
            "action": "ScaleUp", "amount": {"pods": 2}, "window": "10s", "cooldown": "10s"}
    api_cluster.apply(mcp_server(namespace, "a", autoscaling={"minReplicas": 2, "maxReplicas": 6, "rules": [rule]}))
    wait_accepted(api_cluster, namespace, "a")
    status = api_cluster.get("mcpserver", "-n", namespace, "a")["status"]
    assert status["scaling"]["recommendedReplicas"] == 2
    metrics = api_cluster.get("hpa", "-n", namespace, "a")["spec"]["metrics"]
    recommended = next(m["object"] for m in metrics if m["type"] == "Object")
    assert recommended["metric"]["name"] == "mcp_recommended_replicas"
    assert recommended["target"] == {"type": "AverageValue", "averageValue": "1"}

    def told():
        active = condition(api_cluster, namespace, "a", "ScalingActive")
        return active["status"] == "False" and active["message"]
    wait_for("ScalingActive=False", told)


def test_ends_in_time_though_the_api_server_hangs(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        kubeconfig = tmp_path / "kubeconfig"
        kubeconfig.write_text(json.dumps({
            "current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{silent.getsockname()[1]}"}}],
            "users": [{"name": "u", "user": {}}]}))
        log = tmp_path / "operator.log"
        with open(log, "w") as out:
            process = subprocess.Popen([BIN / "mcp-operator", "--kubeconfig", kubeconfig, "--listen", "127.0.0.1:0"],
                                       stdout=out, stderr=out)
        silent.settimeout(10)
        silent.accept()  # it asks, and gets no answer
        process.terminate()
        assert process.wait(timeout=2) == 0
