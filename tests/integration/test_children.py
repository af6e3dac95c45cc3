"""What the fields of a spec become on a real API server: every kind of child, taken back when it is not wanted any more,
and nothing at all where the spec cannot be rendered."""

import pytest

from conftest import wait_for
from test_operator import condition, mcp_server, operator, own_namespace, running_operator, wait_accepted  # noqa: F401

GUARDED = {
    "config": {"storage": [
        {"name": "keys", "mountPath": "/keys", "readOnly": True, "secret": {"name": "keys", "optional": True}},
        {"name": "scratch", "mountPath": "/tmp", "emptyDir": {"sizeLimit": "64Mi"}}]},
    "runtime": {"podTemplate": {
        "metadata": {"labels": {"team": "search"}},
        "spec": {"tolerations": [{"key": "gpu", "operator": "Exists"}],
                 "topologySpreadConstraints": [
                     {"topologyKey": "zone", "maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway"}],
                 "containers": [{"name": "server", "securityContext": {"runAsUser": 1000}},
                                {"name": "log", "image": "example.invalid/log:1", "ports": [{"containerPort": 9000}]}],
                 "volumes": [{"name": "all", "projected": {"sources": [{"configMap": {"name": "c", "optional": True}}]}}]}}},
    "disruption": {"maxUnavailable": "25%"},
    "network": {"ingressFrom": [{"namespaceSelector": {"matchLabels": {"team": "agents"}}}],
                "egressTo": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]},
    "autoscaling": {"targets": {"requestsPerSecond": "100"}}}
SERVICE_MONITORS = {
    "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
    "metadata": {"name": "servicemonitors.monitoring.coreos.com"},
    "spec": {"group": "monitoring.coreos.com", "scope": "Namespaced",
             "names": {"kind": "ServiceMonitor", "plural": "servicemonitors", "singular": "servicemonitor",
                       "listKind": "ServiceMonitorList"},
             "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {
                 "type": "object", "x-kubernetes-preserve-unknown-fields": True}}}]}}
KINDS = "serviceaccount,secret,service,networkpolicy,deployment,poddisruptionbudget,hpa"


def children(cluster, namespace):
    items = cluster.get(KINDS, "-n", namespace, "-l", "mcpfleet.dev/server=a")["items"]
    return {item["kind"]: item for item in items}


def test_every_kind_comes_and_goes(api_cluster, namespace, operator):  # noqa: F811
    api_cluster.apply(mcp_server(namespace, "a", **GUARDED))
    wait_accepted(api_cluster, namespace, "a")
    found = children(api_cluster, namespace)
    assert set(found) == {"ServiceAccount", "Secret", "Service", "NetworkPolicy", "Deployment", "PodDisruptionBudget",
                          "HorizontalPodAutoscaler"}
    pod = found["Deployment"]["spec"]["template"]
    assert pod["metadata"]["labels"]["team"] == "search"
    assert pod["spec"]["serviceAccountName"] == "a"
    assert [c["name"] for c in pod["spec"]["containers"]] == ["server", "log"]
    assert pod["spec"]["containers"][0]["securityContext"] == {"runAsUser": 1000}
    assert {v["name"] for v in pod["spec"]["volumes"]} == {"mcpfleet", "session-key", "keys", "scratch", "all"}
    assert found["PodDisruptionBudget"]["spec"]["maxUnavailable"] == "25%"
    assert found["PodDisruptionBudget"]["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
    assert found["NetworkPolicy"]["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert {p["name"] for p in found["Service"]["spec"]["ports"]} == {"mcp", "metrics"}

    plain = mcp_server(namespace, "a", runtime={"podTemplate": {"spec": {"serviceAccountName": "mine"}}})
    api_cluster.kubectl("replace", "-f", "-", stdin=plain)
    wait_for("what is not wanted to go", lambda: set(children(api_cluster, namespace)) == {
        "Secret", "Service", "Deployment"})


def test_nothing_is_written_where_nothing_changed(api_cluster, namespace, own_namespace, tmp_path):  # noqa: F811
    """The API server fills in defaults of its own in all that a pod template may hold."""
    with running_operator(api_cluster, tmp_path / "first.log"):
        api_cluster.apply(mcp_server(namespace, "a", **GUARDED))
        wait_accepted(api_cluster, namespace, "a")
        # By now its own writes have come back to it.
        api_cluster.apply(mcp_server(namespace, "b"))
        wait_accepted(api_cluster, namespace, "b")
    generations = {kind: item["metadata"].get("generation") for kind, item in children(api_cluster, namespace).items()}
    log = tmp_path / "second.log"
    with running_operator(api_cluster, log):
        api_cluster.apply(mcp_server(namespace, "c"))
        wait_accepted(api_cluster, namespace, "c")
    assert f"server={namespace}/c" in log.read_text()
    assert f"server={namespace}/a" not in log.read_text()
    assert generations == {kind: item["metadata"].get("generation")
                           for kind, item in children(api_cluster, namespace).items()}


def test_a_pod_template_that_breaks_the_product_disturbs_nobody(api_cluster, namespace, operator):  # noqa: F811
    api_cluster.apply(mcp_server(namespace, "a"))
    wait_accepted(api_cluster, namespace, "a")
    before = children(api_cluster, namespace)["Deployment"]["metadata"]["generation"]
    template = {"spec": {"containers": [{"name": "server", "lifecycle": {"preStop": {"sleep": {"seconds": 1}}}}]}}
    api_cluster.apply(mcp_server(namespace, "a", runtime={"podTemplate": template}))
    refused = wait_accepted(api_cluster, namespace, "a", status="False")
    assert refused["reason"] == "Invalid"
    assert "spec.runtime.podTemplate.spec.containers must leave lifecycle.preStop" in refused["message"]
    assert children(api_cluster, namespace)["Deployment"]["metadata"]["generation"] == before
    assert condition(api_cluster, namespace, "a", "Ready")["reason"] == "Invalid"
    api_cluster.apply(mcp_server(namespace, "a"))
    wait_accepted(api_cluster, namespace, "a")


@pytest.fixture()
def service_monitors(api_cluster):
    """The kind of the Prometheus operator, without that operator."""
    api_cluster.apply(SERVICE_MONITORS)
    api_cluster.kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd/servicemonitors.monitoring.coreos.com")
    yield
    api_cluster.kubectl("delete", "crd/servicemonitors.monitoring.coreos.com", "--ignore-not-found")


def test_a_service_monitor_where_there_is_such_a_kind(api_cluster, namespace, own_namespace, service_monitors,  # noqa: F811
                                                      tmp_path):
    def monitor():
        return api_cluster.get("servicemonitor", "-n", namespace, "a")

    log = tmp_path / "operator.log"
    with running_operator(api_cluster, log):
        api_cluster.apply(mcp_server(namespace, "a"))
        made = wait_for("the ServiceMonitor", monitor)
        service = api_cluster.get("service", "-n", namespace, "a")
        selected = made["spec"]["selector"]["matchLabels"]
        assert selected.items() <= service["metadata"]["labels"].items()
        endpoint, = made["spec"]["endpoints"]
        assert endpoint["port"] in [port["name"] for port in service["spec"]["ports"]]
        assert made["metadata"]["ownerReferences"][0]["name"] == "a"

        api_cluster.kubectl("delete", "-n", namespace, "servicemonitor/a")
        wait_for("it to come back", monitor)
        # Whoever uninstalls the Prometheus operator takes nothing else away.
        api_cluster.kubectl("delete", "crd/servicemonitors.monitoring.coreos.com")
        api_cluster.apply(mcp_server(namespace, "b"))
        wait_for("another server's Deployment", lambda: api_cluster.get("deployment", "-n", namespace, "b"))
    with running_operator(api_cluster, log):
        api_cluster.apply(mcp_server(namespace, "c"))
        wait_accepted(api_cluster, namespace, "c")
        wait_accepted(api_cluster, namespace, "b")
    assert "ServiceMonitor" not in log.read_text()
