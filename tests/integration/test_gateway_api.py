"""MCPGateways against a real API server: what it refuses, and what the operator makes of them. There are no nodes, so no
gateway runs."""

import json

import pytest

from conftest import grant_operator, program, wait_for
from scenario import GROUP, Api, ApiError, collections
from test_operator import OPERATOR_NAMESPACE, arguments, mcp_server

IMAGE = "example.invalid/mcp-gateway:test"
ROLE = "mcp-gateway"
RATE = {"per": "Tool", "tool": "search", "calls": 5, "period": "1m"}
BINDINGS = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"


def gateway(namespace="", name="front", **spec):
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": "mcpfleet.dev/v1alpha1", "kind": "MCPGateway", "metadata": metadata, "spec": spec}


@pytest.fixture(scope="module")
def api(api_cluster):
    return Api(api_cluster.kubeconfig)


@pytest.fixture(scope="module")
def rights(api_cluster):
    """The role that the operator may bind, and the operator's own rights: MCPGateways may serve all namespaces."""
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": ROLE}, "rules": [
        {"apiGroups": ["mcpfleet.dev"], "resources": ["mcpservers", "mcpgateways"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["get", "list", "watch"]}]}
    api_cluster.apply(role)
    grant_operator(api_cluster, OPERATOR_NAMESPACE, "gateway.allNamespaces=true")
    yield
    grant_operator(api_cluster, OPERATOR_NAMESPACE)  # as other tests have it


def running(cluster, log, *flags):
    return program("mcp-operator", *arguments(cluster), "--gateway-image", IMAGE, *flags, log=log)


@pytest.fixture()
def operator(api_cluster, rights, tmp_path):
    log = tmp_path / "operator.log"
    with running(api_cluster, log, "--gateway-all-namespaces", "true") as process:
        yield process
    refused = [line for line in log.read_text().splitlines()
               if "forbidden" in line.lower() and "being terminated" not in line]
    assert not refused, refused


def condition(cluster, namespace, type_, name="front"):
    status = cluster.get("mcpgateway", "-n", namespace, name).get("status", {})
    return next((c for c in status.get("conditions", []) if c["type"] == type_), None)


def wait_accepted(cluster, namespace, status="True", generation=1):
    def settled():
        found = condition(cluster, namespace, "Accepted")
        return found if found and found["status"] == status and found["observedGeneration"] >= generation else None
    return wait_for(f"Accepted={status}", settled)


def events(cluster, namespace):
    return [e["message"] for e in cluster.get("events", "-n", namespace)["items"]
            if e["involvedObject"]["kind"] == "MCPGateway"]


def rate(**changes):
    return {"limits": {"rates": [{key: value for key, value in {**RATE, **changes}.items() if value is not None}]}}


# What is applied, and what the refusal must contain.
BAD = {
    "no replicas": ({"replicas": -1}, ["spec.replicas"]),
    "too many replicas": ({"replicas": 101}, ["spec.replicas"]),
    "from elsewhere": ({"namespaces": {"from": "Selector"}}, ["spec.namespaces.from", "Same"]),
    "In without values": ({"serverSelector": {"matchExpressions": [{"key": "a", "operator": "In"}]}},
                          ["spec.serverSelector.matchExpressions[0].values", "must not be empty"]),
    "Exists with values": ({"serverSelector": {"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]}},
                           ["spec.serverSelector.matchExpressions[0].values"]),
    "unknown policy": ({"loadBalancing": {"policy": "Random"}}, ["spec.loadBalancing.policy", "PowerOfTwoChoices"]),
    "a zone twice": ({"loadBalancing": {"weights": [{"zone": "a", "weight": 1}, {"zone": "a", "weight": 2}]}},
                     ["spec.loadBalancing.weights[1]", "Duplicate"]),
    "no weight": ({"loadBalancing": {"weights": [{"zone": "a", "weight": 0}]}}, ["spec.loadBalancing.weights[0].weight"]),
    "checked by mail": ({"health": {"type": "SMTP"}}, ["spec.health.type", "TCP"]),
    "a check longer than its interval": ({"health": {"interval": "1s", "timeout": "2s"}},
                                         ["spec.health.timeout", "must not be longer than interval"]),
    "checked always": ({"health": {"interval": "0s"}}, ["spec.health.interval", "1s to 1h"]),
    "ejected for longer than at most": ({"ejection": {"baseTime": "10m"}},
                                        ["spec.ejection.baseTime", "must not be longer than maxTime"]),
    "more than all": ({"ejection": {"maxPercent": 101}}, ["spec.ejection.maxPercent"]),
    "no time to connect": ({"timeouts": {"connect": "0s"}}, ["spec.timeouts.connect", "10ms to 1m"]),
    "no time to write": ({"timeouts": {"write": "0s"}}, ["spec.timeouts.write", "1s to 24h"]),
    "silent for two days": ({"timeouts": {"read": "48h"}}, ["spec.timeouts.read", "0s to 24h"]),
    "a call of two days": ({"timeouts": {"call": "48h"}}, ["spec.timeouts.call", "0s to 24h"]),
    "more connections than there may be": ({"connectionPool": {"minConnections": 3, "maxConnections": 2}},
                                           ["spec.connectionPool.minConnections", "must not be more than maxConnections"]),
    "no connection": ({"connectionPool": {"maxConnections": 0}}, ["spec.connectionPool.maxConnections"]),
    "a connection an hour later": ({"connectionPool": {"acquireTimeout": "1h"}},
                                   ["spec.connectionPool.acquireTimeout", "1ms to 10m"]),
    "no try": ({"retries": {"attempts": 0}}, ["spec.retries.attempts"]),
    "back-off of an hour": ({"retries": {"backoff": "1h"}}, ["spec.retries.backoff", "10ms to 1m"]),
    "nothing in flight": ({"limits": {"maxInFlight": 0}}, ["spec.limits.maxInFlight"]),
    "queued for an hour": ({"limits": {"queueTimeout": "1h"}}, ["spec.limits.queueTimeout", "1ms to 10m"]),
    "rate of nothing": (rate(per=None), ["spec.limits.rates[0].per"]),
    "rate of zero": (rate(calls=0), ["spec.limits.rates[0].calls"]),
    "rate of a server's tool": (rate(per="Server"), ["spec.limits.rates[0].tool", "has no effect with per Server"]),
    "rate in no time": (rate(period="0s"), ["spec.limits.rates[0].period", "1s to 24h"]),
    "drain without unit": ({"drainTimeout": "30"}, ["spec.drainTimeout"]),
    "drain of two hours": ({"drainTimeout": "2h"}, ["spec.drainTimeout", "0s to 1h"]),
    "tls without secret": ({"tls": {}}, ["spec.tls.secretName"]),
    "no port": ({"service": {"port": 0}}, ["spec.service.port"]),
    "a Service outside": ({"service": {"type": "ExternalName"}}, ["spec.service.type", "LoadBalancer"]),
    "both disruptions": ({"disruption": {"maxUnavailable": 1, "minAvailable": 1}},
                         ["spec.disruption", "exactly one of maxUnavailable and minAvailable"]),
    "keys of before": ({"sessionKeys": {"revision": -1}}, ["spec.sessionKeys.revision"]),
    "bad request": ({"resources": {"requests": {"cpu": "lots"}}},
                    ["spec.resources.requests", "must be a quantity such as 100 or 250m"]),
    "a field that nobody knows": ({"replica": 2}, ["spec.replica"]),
}


def dry_run(api, manifest, plural="mcpgateways"):
    """The object as it would be stored, or the sentence that says why not."""
    try:
        return api.call("POST", f"{GROUP}/namespaces/default/{plural}?dryRun=All&fieldValidation=Strict", manifest)
    except ApiError as error:
        return error.message


@pytest.mark.parametrize("name", BAD)
def test_refused(api, name):
    spec, wanted = BAD[name]
    answer = dry_run(api, gateway(**spec))
    assert isinstance(answer, str), f"was accepted as {answer['spec']}"
    for part in wanted:
        assert part in answer, answer


def test_a_bad_name_is_refused(api):
    assert "metadata.name must be lower-case letters" in dry_run(api, gateway(name="9lives"))
    assert "metadata.name" in dry_run(api, gateway(name="a" * 53))


def test_what_a_server_says_for_itself_has_the_same_limits(api):
    def answer(proxy, **spec):
        server = mcp_server("default", "s", proxy=proxy)
        server["spec"] |= spec
        return dry_run(api, server, "mcpservers")
    assert "spec.proxy.limits.maxInFlight" in answer({"limits": {"maxInFlight": 0}})
    assert "spec.proxy.timeouts.call must be from 0s to 24h" in answer({"timeouts": {"call": "48h"}})
    assert "tool has no effect with per Server" in answer(rate(per="Server"))
    stored = answer({"limits": {"maxInFlight": 7}, "timeouts": {"call": "1h"}})
    assert stored["spec"]["proxy"] == {"limits": {"maxInFlight": 7}, "timeouts": {"call": "1h"}}, "no defaults"
    source = {"type": "WorkloadRef", "workloadRef": {"kind": "Deployment", "name": "x"}}
    of_others = {"apiVersion": "mcpfleet.dev/v1alpha1", "kind": "MCPServer", "metadata": {"name": "s"},
                 "spec": {"source": source, "proxy": {}}}
    assert "spec.proxy has no effect with source.type WorkloadRef" in dry_run(api, of_others, "mcpservers")


def test_defaults(api):
    without_spec = gateway()
    del without_spec["spec"]
    for manifest in (gateway(), without_spec):
        assert dry_run(api, manifest)["spec"] == {
            "serverSelector": {}, "namespaces": {"from": "Same"}, "replicas": 2, "service": {"type": "ClusterIP"},
            "loadBalancing": {"policy": "PowerOfTwoChoices"},
            "health": {"type": "HTTP", "interval": "30s", "timeout": "5s", "unhealthyThreshold": 3, "healthyThreshold": 2},
            "ejection": {"consecutiveFailures": 5, "baseTime": "30s", "maxTime": "5m", "maxPercent": 50, "slowStart": "30s"},
            "timeouts": {"connect": "5s", "call": "5m", "write": "30s", "read": "0s", "idle": "5m"},
            "retries": {"attempts": 3, "backoff": "1s"},
            "connectionPool": {"minConnections": 0, "maxConnections": 1024, "acquireTimeout": "30s", "healthInterval": "60s"},
            "limits": {"maxInFlight": 1000, "maxSessions": 10000, "maxQueue": 1000, "queueTimeout": "30s"},
            "accessLog": {"sample": 100}, "drainTimeout": "30s", "sessionKeys": {"revision": 0},
            "disruption": {"maxUnavailable": 1}}


def test_columns_names_and_scale(api_cluster, namespace):
    api_cluster.apply(gateway(namespace))
    status = {"status": {"replicas": 2, "readyReplicas": 1, "servers": 12, "selector": "mcpfleet.dev/gateway=front",
                         "address": {"url": "http://front"}, "conditions": [
                             {"type": "Ready", "status": "False", "reason": "Starting", "message": "1 of 2",
                              "lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": 1}]}}
    api_cluster.kubectl("patch", "mcpgateway", "front", "-n", namespace, "--subresource=status", "--type=merge",
                        "-p", json.dumps(status))
    header, row = api_cluster.kubectl("get", "mcpgateways", "-n", namespace).splitlines()
    assert header.split() == ["NAME", "ADDRESS", "SERVERS", "REPLICAS", "AVAILABLE", "READY", "REASON", "AGE"]
    assert row.split()[:7] == ["front", "http://front", "12", "2", "1", "False", "Starting"]
    for name in ("mcpgw", "mcpgateway", "mcpfleet"):
        assert "front" in api_cluster.kubectl("get", name, "-n", namespace)
    scale = api_cluster.raw(f"{GROUP}/namespaces/{namespace}/mcpgateways/front/scale")
    assert scale["spec"] == {"replicas": 2}
    assert scale["status"] == {"replicas": 2, "selector": "mcpfleet.dev/gateway=front"}


def test_children_as_specified(api_cluster, namespace, operator):
    api_cluster.apply(gateway(namespace, tls={"secretName": "cert"}, resources={"requests": {"cpu": "100m"}},
                              service={"type": "LoadBalancer", "annotations": {"example.com/a": "b"}}))
    wait_accepted(api_cluster, namespace)
    made = api_cluster.get("mcpgateway", "-n", namespace, "front")
    children = api_cluster.get("serviceaccount/front", "secret/front-gateway-keys", "service/front", "rolebinding/front",
                               "deployment/front", "pdb/front", "-n", namespace)["items"]
    for child in children:
        owner, = child["metadata"]["ownerReferences"]
        assert (owner["kind"], owner["name"], owner["uid"]) == ("MCPGateway", "front", made["metadata"]["uid"])
        assert owner["controller"] and owner["blockOwnerDeletion"]
    _, secret, service, binding, deployment, budget = children

    assert {entry: len(value) for entry, value in secret["data"].items()} == {"key": 44, "next": 44}
    port, = service["spec"]["ports"]
    assert (service["spec"]["type"], port["port"], port["targetPort"]) == ("LoadBalancer", 443, "mcp")
    assert service["metadata"]["annotations"]["example.com/a"] == "b"
    assert binding["roleRef"]["name"] == ROLE
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "front", "namespace": namespace}]
    assert deployment["spec"]["replicas"] == 2
    pod = deployment["spec"]["template"]["spec"]
    container, = pod["containers"]
    assert container["image"] == IMAGE and container["command"][:3] == ["/mcp-gateway", "--gateway", f"{namespace}/front"]
    assert container["securityContext"]["readOnlyRootFilesystem"] and pod["serviceAccountName"] == "front"
    assert [volume["secret"]["secretName"] for volume in pod["volumes"]] == ["front-gateway-keys", "cert"]
    assert budget["spec"]["maxUnavailable"] == 1

    status = made["status"]
    assert status["address"]["url"] == f"https://front.{namespace}.svc"
    assert status["observedGeneration"] == 1 and status["selector"] == "mcpfleet.dev/gateway=front"
    assert {c["type"] for c in status["conditions"]} == {"Accepted", "Available", "Progressing", "Ready"}


def test_its_pods_are_restricted(api_cluster, namespace, operator):
    """Pod Security's profile `restricted`, as the API server itself checks it."""
    api_cluster.apply(gateway(namespace))
    wait_accepted(api_cluster, namespace)
    template = api_cluster.get("deployment", "-n", namespace, "front")["spec"]["template"]
    api_cluster.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    template["spec"].pop("schedulerName")
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "tried"}, "spec": template["spec"]}
    answer = api_cluster.kubectl("create", "-n", namespace, "--dry-run=server", "-f", "-", stdin=pod)
    assert "created" in answer


def test_scaled_by_its_scale_subresource(api_cluster, namespace, operator):
    api_cluster.apply(gateway(namespace))
    wait_accepted(api_cluster, namespace)
    api_cluster.kubectl("scale", "mcpgateway", "front", "-n", namespace, "--replicas=4")
    wait_for("four replicas", lambda: api_cluster.get("deployment", "-n", namespace, "front")["spec"]["replicas"] == 4)
    wait_accepted(api_cluster, namespace, generation=2)
    assert not any("put right" in message for message in events(api_cluster, namespace))


DRIFT = {
    "serviceaccount/front": {"automountServiceAccountToken": True},
    "service/front": {"spec": {"selector": {"mcpfleet.dev/gateway": "other"}}},
    "rolebinding/front": {"subjects": []},
    "deployment/front": {"spec": {"replicas": 9}},
    "pdb/front": {"spec": {"maxUnavailable": 2}},
}


def test_drift_is_put_right(api_cluster, namespace, operator):
    api_cluster.apply(gateway(namespace))
    wait_accepted(api_cluster, namespace)

    def part(name):
        """What the operator may have written."""
        child = api_cluster.get(name, "-n", namespace)
        return {key: value for key, value in child.items() if key not in ("metadata", "status")}
    before = {name: part(name) for name in DRIFT}
    for name, patch in DRIFT.items():
        api_cluster.kubectl("patch", name, "-n", namespace, "--type=merge", "-p", json.dumps(patch))
    for name in DRIFT:
        wait_for(f"{name} to be put right", lambda n=name: part(n) == before[n])
    for kind in ("ServiceAccount", "Service", "RoleBinding", "Deployment", "PodDisruptionBudget"):
        wait_for(f"the Event of {kind}", lambda k=kind: any(
            message.startswith(f"{k} front was put right: ") for message in events(api_cluster, namespace)))
    api_cluster.kubectl("delete", "service/front", "rolebinding/front", "-n", namespace)
    for name in ("service/front", "rolebinding/front"):
        wait_for(f"{name} to come back", lambda n=name: part(n))


def test_session_keys_are_turned_without_a_restart(api_cluster, namespace, operator):
    def keys():
        return api_cluster.get("secret", "-n", namespace, "front-gateway-keys")["data"]
    api_cluster.apply(gateway(namespace), gateway(namespace, name="other"))
    wait_accepted(api_cluster, namespace)
    first = keys()
    template = api_cluster.get("deployment", "-n", namespace, "front")["spec"]["template"]
    api_cluster.kubectl("patch", "mcpgateway", "front", "-n", namespace, "--type=merge",
                        "-p", json.dumps({"spec": {"sessionKeys": {"revision": 1}}}))
    second = wait_for("other keys", lambda: keys() if "previous" in keys() else None)
    assert (second["previous"], second["key"]) == (first["key"], first["next"])
    assert second["next"] not in (second["key"], second["previous"])
    assert api_cluster.get("deployment", "-n", namespace, "front")["spec"]["template"] == template
    wait_for("the other gateway", lambda: condition(api_cluster, namespace, "Accepted", "other"))
    others = api_cluster.get("secret", "-n", namespace, "other-gateway-keys")["data"]
    assert not set(others.values()) & (set(first.values()) | set(second.values()))


def test_servers_are_counted(api_cluster, namespace, operator):
    for name, team in (("a", "x"), ("b", "x"), ("c", "y")):
        server = mcp_server(namespace, name)
        server["metadata"]["labels"] = {"team": team}
        api_cluster.apply(server)
    api_cluster.apply(gateway(namespace, serverSelector={"matchExpressions": [
        {"key": "team", "operator": "In", "values": ["x"]}]}))
    wait_for("two servers", lambda: api_cluster.get("mcpgateway", "-n", namespace, "front").get("status", {}).get("servers") == 2,
             timeout=60)


def test_a_name_that_is_taken(api_cluster, namespace, operator):
    api_cluster.apply(mcp_server(namespace, "front"))
    wait_for("the server's Deployment", lambda: api_cluster.get("deployment", "-n", namespace, "front"))
    before = api_cluster.get("deployment", "-n", namespace, "front")["spec"]
    api_cluster.apply(gateway(namespace))
    found = wait_accepted(api_cluster, namespace, "False")
    assert found["reason"] == "NameTaken"
    assert "is controlled by another MCPServer, not by this MCPGateway" in found["message"]
    assert api_cluster.get("deployment", "-n", namespace, "front")["spec"] == before
    api_cluster.kubectl("delete", "mcpserver", "front", "-n", namespace)
    wait_accepted(api_cluster, namespace)


def test_an_overlay_that_breaks_the_gateway(api_cluster, namespace, operator):
    api_cluster.apply(gateway(namespace, podTemplate={"spec": {"containers": [{"name": "gateway", "image": "mine"}]}}))
    found = wait_accepted(api_cluster, namespace, "False")
    assert found["reason"] == "Invalid"
    assert found["message"].startswith("spec.podTemplate.spec.containers must leave image of the container gateway")


def bound(api, namespace):
    return api.find(f"{BINDINGS}/mcpfleet:gateway:{namespace}:front")


def left(api, paths, namespace):
    """What is in the namespace besides what Kubernetes puts into each."""
    return [item["metadata"]["name"] for path in paths for item in api.get(path.format(namespace))["items"]
            if item["metadata"]["name"] not in ("default", "kube-root-ca.crt")]


def test_deletion_leaves_nothing(api, api_cluster, namespace, operator):
    paths = collections(api)
    api_cluster.apply(gateway(namespace, namespaces={"from": "All"}))
    wait_accepted(api_cluster, namespace)
    binding = bound(api, namespace)
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "front", "namespace": namespace}]
    assert not api_cluster.get("rolebindings", "-n", namespace)["items"]
    api_cluster.kubectl("delete", "mcpgateway", "front", "-n", namespace)
    wait_for("the ClusterRoleBinding to go", lambda: not bound(api, namespace))
    wait_for("everything to go", lambda: not left(api, paths, namespace), timeout=60)


def test_what_was_deleted_while_no_operator_ran_leaves_nothing(api, api_cluster, namespace, rights, tmp_path):
    flags = ("--gateway-all-namespaces", "true")
    with running(api_cluster, tmp_path / "first.log", *flags):
        api_cluster.apply(gateway(namespace, namespaces={"from": "All"}))
        wait_accepted(api_cluster, namespace)
    assert bound(api, namespace)
    api_cluster.kubectl("delete", "mcpgateway", "front", "-n", namespace)
    with running(api_cluster, tmp_path / "second.log", *flags):
        wait_for("the ClusterRoleBinding to go", lambda: not bound(api, namespace))


def test_from_all_to_same(api, api_cluster, namespace, operator):
    api_cluster.apply(gateway(namespace, namespaces={"from": "All"}))
    wait_accepted(api_cluster, namespace)
    api_cluster.apply(gateway(namespace, namespaces={"from": "Same"}))
    wait_for("the RoleBinding", lambda: api_cluster.get("rolebinding", "-n", namespace, "front"))
    wait_for("the ClusterRoleBinding to go", lambda: not bound(api, namespace))


def test_all_namespaces_may_be_forbidden(api, api_cluster, namespace, rights, tmp_path):
    with running(api_cluster, tmp_path / "operator.log"):
        api_cluster.apply(gateway(namespace, namespaces={"from": "All"}))
        found = wait_accepted(api_cluster, namespace, "False")
        assert found["reason"] == "NamespacesNotAllowed"
        assert found["message"].startswith("spec.namespaces.from must be Same")
        assert not bound(api, namespace)
        wait_for("the Event", lambda: any("spec.namespaces.from" in message for message in events(api_cluster, namespace)))


def test_a_restart_writes_nothing(api_cluster, namespace, rights, tmp_path):
    kinds = "mcpgateways,deployments,services,secrets,serviceaccounts,rolebindings,pdb"

    def versions():
        return {(i["kind"], i["metadata"]["name"]): i["metadata"]["resourceVersion"]
                for i in api_cluster.get(kinds, "-n", namespace)["items"]}
    with running(api_cluster, tmp_path / "first.log"):
        api_cluster.apply(gateway(namespace))
        wait_accepted(api_cluster, namespace)
        wait_for("its status to settle", lambda: condition(api_cluster, namespace, "Ready"))
    before = versions()
    with running(api_cluster, tmp_path / "second.log"):
        api_cluster.apply(gateway(namespace, name="after"))
        wait_for("it to work", lambda: condition(api_cluster, namespace, "Accepted", "after"))
        after = versions()
    assert {key: after[key] for key in before} == before


def test_its_role_lets_it_see_servers_and_pods(api_cluster, namespace, operator):
    api_cluster.apply(gateway(namespace))
    wait_accepted(api_cluster, namespace)
    user = f"--as=system:serviceaccount:{namespace}:front"

    def may(*what):
        return api_cluster.kubectl("auth", "can-i", *what, user, check=False).strip() == "yes"
    wait_for("its rights", lambda: may("watch", "endpointslices.discovery.k8s.io", "-n", namespace))
    assert may("list", "mcpservers.mcpfleet.dev", "-n", namespace)
    assert not may("list", "mcpservers.mcpfleet.dev", "-n", "default")
    assert not may("get", "secrets", "-n", namespace)
    assert not may("patch", "mcpgateways.mcpfleet.dev", "-n", namespace)
