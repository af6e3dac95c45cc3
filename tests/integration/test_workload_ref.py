"""workloadRef: a Deployment or StatefulSet of somebody else's is scaled, and nothing of it is written."""

import json

import pytest

from conftest import wait_for
from test_operator import condition, operator, own_namespace, wait_accepted  # noqa: F401

TEMPLATE = {"metadata": {"labels": {"app": "theirs"}},
            "spec": {"containers": [{"name": "web", "image": "example.invalid/web:1",
                                     "resources": {"requests": {"cpu": "50m"}}}]}}

SCALED_OBJECTS = {
    "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "scaledobjects.keda.sh"},
    "spec": {"group": "keda.sh", "scope": "Namespaced",
             "names": {"kind": "ScaledObject", "plural": "scaledobjects", "singular": "scaledobject", "listKind": "ScaledObjectList"},
             "versions": [{"name": "v1alpha1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {
                 "type": "object", "x-kubernetes-preserve-unknown-fields": True}}}]}}


def workload(namespace, kind, name="theirs", replicas=2):
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": "theirs"}}, "template": TEMPLATE}
    if kind == "StatefulSet":
        # In parallel, for no pod becomes ready here that the next could wait for.
        spec |= {"serviceName": name, "podManagementPolicy": "Parallel"}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def scaling(namespace, name, kind="Deployment", target="theirs", **autoscaling):
    return {"apiVersion": "mcpfleet.dev/v1alpha1", "kind": "MCPServer", "metadata": {"name": name, "namespace": namespace},
            "spec": {"source": {"type": "WorkloadRef", "workloadRef": {"kind": kind, "name": target}},
                     "autoscaling": {"minReplicas": 2, "maxReplicas": 6, **autoscaling}}}


def hpa_by_hand(namespace, name):
    return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": name, "namespace": namespace},
            "spec": {"minReplicas": 1, "maxReplicas": 3,
                     "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "theirs"},
                     "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {
                         "type": "Utilization", "averageUtilization": 50}}}]}}


def names(cluster, namespace, kinds):
    return {(i["kind"], i["metadata"]["name"]) for i in cluster.get(kinds, "-n", namespace)["items"]}


def ours(cluster, namespace):
    return ("HorizontalPodAutoscaler", "a") in names(cluster, namespace, "hpa")


def scaling_active(cluster, namespace, reason):
    def settled():
        found = condition(cluster, namespace, "a", "ScalingActive")
        return found if found and found["reason"] == reason else None
    return wait_for(f"ScalingActive: {reason}", settled, timeout=60)


def test_of_a_deployment_only_the_autoscaler_is_made(api_cluster, namespace, operator):  # noqa: F811
    only_the_autoscaler_is_made(api_cluster, namespace, "Deployment")


def test_of_a_stateful_set_only_the_autoscaler_is_made(api_cluster, namespace, operator):  # noqa: F811
    only_the_autoscaler_is_made(api_cluster, namespace, "StatefulSet")


def only_the_autoscaler_is_made(api_cluster, namespace, kind):
    api_cluster.apply(workload(namespace, kind, replicas=3))
    resource = f"{kind.lower()}/theirs"

    def managers():
        text = api_cluster.kubectl("get", resource, "-n", namespace, "--show-managed-fields", "-o", "json")
        return {m["manager"] for m in json.loads(text)["metadata"]["managedFields"]}
    api_cluster.apply(scaling(namespace, "a", kind))
    wait_accepted(api_cluster, namespace, "a")
    spec = wait_for("the autoscaler", lambda: api_cluster.get("hpa", "-n", namespace, "a"))["spec"]
    assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": kind, "name": "theirs"}
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 6)
    wait_for("the replicas in the status",
             lambda: api_cluster.get("mcpserver", "-n", namespace, "a")["status"].get("replicas") == 3, timeout=60)
    assert api_cluster.get("mcpserver", "-n", namespace, "a")["status"]["selector"] == "app=theirs"
    made = names(api_cluster, namespace, "deployments,statefulsets,services,secrets,hpa,pdb,networkpolicies")
    assert made == {(kind, "theirs"), ("HorizontalPodAutoscaler", "a")}
    assert "mcp-operator" not in managers()

    uid = api_cluster.get(resource, "-n", namespace)["metadata"]["uid"]
    api_cluster.kubectl("delete", "mcpserver/a", "-n", namespace)
    wait_for("the autoscaler to go", lambda: not ours(api_cluster, namespace), timeout=60)
    assert api_cluster.get(resource, "-n", namespace)["metadata"]["uid"] == uid


def test_a_workload_that_is_not_there_is_waited_for(api_cluster, namespace, operator):  # noqa: F811
    api_cluster.apply(scaling(namespace, "a"))
    refused = wait_accepted(api_cluster, namespace, "a", "False")
    assert refused["reason"] == "WorkloadNotFound" and "Deployment theirs" in refused["message"], refused
    assert not ours(api_cluster, namespace)
    api_cluster.apply(workload(namespace, "Deployment"))
    wait_for("the autoscaler", lambda: ours(api_cluster, namespace), timeout=60)
    wait_accepted(api_cluster, namespace, "a")


def test_it_yields_to_another_autoscaler_and_comes_back(api_cluster, namespace, operator):  # noqa: F811
    api_cluster.apply(workload(namespace, "Deployment"), hpa_by_hand(namespace, "by-hand"))
    api_cluster.apply(scaling(namespace, "a"))
    told = scaling_active(api_cluster, namespace, "TargetConflict")
    assert told["status"] == "False" and "HorizontalPodAutoscaler by-hand" in told["message"], told
    assert not ours(api_cluster, namespace)
    api_cluster.kubectl("delete", "hpa/by-hand", "-n", namespace)
    wait_for("ours", lambda: ours(api_cluster, namespace), timeout=60)
    api_cluster.apply(hpa_by_hand(namespace, "by-hand"))
    wait_for("ours to go again", lambda: not ours(api_cluster, namespace), timeout=60)
    scaling_active(api_cluster, namespace, "TargetConflict")


@pytest.fixture()
def keda(api_cluster):
    """KEDA's kind, without KEDA."""
    api_cluster.apply(SCALED_OBJECTS)
    api_cluster.kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd/scaledobjects.keda.sh")
    yield
    api_cluster.kubectl("delete", "crd/scaledobjects.keda.sh")


def test_it_yields_to_keda(api_cluster, namespace, keda, operator):  # noqa: F811
    api_cluster.apply(workload(namespace, "Deployment"),
                      {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject",
                       "metadata": {"name": "events", "namespace": namespace},
                       "spec": {"scaleTargetRef": {"name": "theirs"}}})
    api_cluster.apply(scaling(namespace, "a"))
    told = scaling_active(api_cluster, namespace, "TargetConflict")
    assert "ScaledObject events" in told["message"], told
    assert not ours(api_cluster, namespace)
