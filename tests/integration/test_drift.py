"""Somebody edits or deletes a child by hand, of each kind: it is put right, and an Event tells of it."""

import pytest

from conftest import grant_operator, program, wait_for
from scenario import Api, unstamped
from test_operator import OPERATOR_NAMESPACE, arguments, events, mcp_server, wait_accepted, with_requests

# kind → (where it is, its name after its server's, an edit as a merge patch, what the field that the Event names begins with).
CHILDREN = {
    "ServiceAccount": ("/api/v1/namespaces/{}/serviceaccounts", "", {"automountServiceAccountToken": True},
                       "automountServiceAccountToken"),
    # Its data is never read; whose it is says enough.
    "Secret": ("/api/v1/namespaces/{}/secrets", "-session-key", {"data": {"key": "AAAA"}}, "data"),
    "Service": ("/api/v1/namespaces/{}/services", "", {"spec": {"selector": {"mcpfleet.dev/server": "other"}}},
                "spec.selector.mcpfleet.dev/server"),
    "NetworkPolicy": ("/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies", "", {"spec": {"ingress": [{}]}},
                      "spec.ingress"),
    "Deployment": ("/apis/apps/v1/namespaces/{}/deployments", "", {"spec": {"strategy": {
        "rollingUpdate": {"maxUnavailable": 1}}}}, "spec.strategy.rollingUpdate.maxUnavailable"),
    "PodDisruptionBudget": ("/apis/policy/v1/namespaces/{}/poddisruptionbudgets", "", {"spec": {"maxUnavailable": 3}},
                            "spec.maxUnavailable"),
    "HorizontalPodAutoscaler": ("/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers", "",
                                {"spec": {"maxReplicas": 7}}, "spec.maxReplicas"),
}


def server_of(kind):
    return kind.lower()


@pytest.fixture(scope="module")
def api(api_cluster):
    return Api(api_cluster.kubeconfig)


@pytest.fixture(scope="module")
def drift_namespace(api_cluster, tmp_path_factory):
    """A running operator, and a server for each kind of child, since Events of one server that are alike are combined."""
    namespace = "t-drift"
    api_cluster.kubectl("delete", "namespace", namespace, "--ignore-not-found", "--timeout=60s")
    api_cluster.kubectl("create", "namespace", namespace)
    grant_operator(api_cluster, OPERATOR_NAMESPACE, "operator.watchSecrets=true")
    with program("mcp-operator", *arguments(api_cluster), "--watch-namespaces", namespace, "--watch-secrets", "true",
                 log=tmp_path_factory.mktemp("drift") / "operator.log"):
        api_cluster.apply(*(mcp_server(namespace, server_of(kind), runtime=with_requests(), autoscaling={},
                                       disruption={"maxUnavailable": 1}, network={"ingressFrom": []})
                            for kind in CHILDREN))
        for kind in CHILDREN:
            wait_accepted(api_cluster, namespace, server_of(kind))
        yield namespace
    grant_operator(api_cluster, OPERATOR_NAMESPACE)  # as other tests have it
    api_cluster.kubectl("delete", "namespace", namespace, "--wait=false")


def name_of(kind):
    return server_of(kind) + CHILDREN[kind][1]


def path_of(kind, namespace):
    return f"{CHILDREN[kind][0].format(namespace)}/{name_of(kind)}"


def wanted_part(child):
    """What the operator may have written."""
    metadata = child["metadata"]
    rest = {key: value for key, value in child.items() if key not in ("metadata", "status", "apiVersion", "kind")}
    return unstamped(rest | {key: metadata.get(key) for key in ("labels", "annotations", "ownerReferences")})


def told(cluster, namespace, kind, what):
    return [e["message"] for e in events(cluster, namespace, server_of(kind))
            if e["reason"] == "DriftCorrected" and e["message"].startswith(f"{kind} {name_of(kind)} ")
            and what in e["message"]]


@pytest.mark.parametrize("kind", CHILDREN)
def test_edit(api_cluster, api, drift_namespace, kind):
    path, (_, _, edit, field) = path_of(kind, drift_namespace), CHILDREN[kind]
    before = wait_for(f"the {kind}", lambda: api.find(path))
    edited = api.merge(path, edit)
    assert wanted_part(edited) != wanted_part(before)
    wait_for("the edit to be put right", lambda: wanted_part(api.get(path)) == wanted_part(before))
    wait_for("the Event", lambda: told(api_cluster, drift_namespace, kind, f"was put right: {field}"))
    assert api.get(path)["metadata"]["uid"] == before["metadata"]["uid"]


@pytest.mark.parametrize("kind", CHILDREN)
def test_deletion(api_cluster, api, drift_namespace, kind):
    path = path_of(kind, drift_namespace)
    before = wait_for(f"the {kind}", lambda: api.find(path))
    api.delete(path)

    def made_again():
        child = api.find(path)
        return (child and child["metadata"]["uid"] != before["metadata"]["uid"]
                and wanted_part(child) == wanted_part(before))
    wait_for("it to be made again", made_again)
    wait_for("the Event", lambda: told(api_cluster, drift_namespace, kind, "was put right: it was gone"))


@pytest.mark.parametrize("kind", CHILDREN)
def test_what_others_add_stays(api, drift_namespace, kind):
    path = path_of(kind, drift_namespace)
    wait_for(f"the {kind}", lambda: api.find(path))
    api.merge(path, {"metadata": {"annotations": {"example.com/note": "mine"}, "labels": {"app.kubernetes.io/name": "x"}}})

    def label_back():
        metadata = api.get(path)["metadata"]
        return metadata["labels"]["app.kubernetes.io/name"] != "x" and metadata
    assert wait_for("the label to be put right", label_back)["annotations"]["example.com/note"] == "mine"
