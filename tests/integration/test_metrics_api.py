"""The metrics adapter behind the real aggregation layer, read by kubectl and by the real HPA controller. Pods are objects
without a node; what they would expose is played by fake_pods."""

import base64
import contextlib
import datetime
import json
import re
import ssl
import subprocess
import time
import urllib.error
import urllib.request

import pytest

import conftest
from conftest import wait_for
from fake_pods import FakePod

SYSTEM = "adapter-system"
GROUPS = ("custom.metrics.k8s.io", "metrics.mcpfleet.dev")
EXTERNAL = "external.metrics.k8s.io"
API_SERVICES = ("v1beta2.custom.metrics.k8s.io", "v1beta1.custom.metrics.k8s.io", "v1beta2.metrics.mcpfleet.dev",
                f"v1beta1.{EXTERNAL}")
PORT = 19090


def api_service(name):
    version, group = name.split(".", 1)
    return {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": name},
            "spec": {"group": group, "version": version, "groupPriorityMinimum": 100,
                     "versionPriority": 200 if version == "v1beta2" else 100,
                     "service": {"name": "adapter", "namespace": SYSTEM, "port": 443}}}


def rbac():
    """All that the adapter needs, so that the tests show that it is enough."""
    def role(kind, name, rules, namespace=None):
        return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind,
                "metadata": {"name": name} | ({"namespace": namespace} if namespace else {}), "rules": rules}

    def binding(kind, name, role_kind, role_name, namespace=None):
        return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind,
                "metadata": {"name": name} | ({"namespace": namespace} if namespace else {}),
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role_kind, "name": role_name},
                "subjects": [{"kind": "ServiceAccount", "name": "adapter", "namespace": SYSTEM}]}

    return [
        role("ClusterRole", "test-adapter", [
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch"]},
            {"apiGroups": ["mcpfleet.dev"], "resources": ["mcpservers"], "verbs": ["list", "watch"]},
            {"apiGroups": ["autoscaling"], "resources": ["horizontalpodautoscalers"], "verbs": ["list", "watch"]},
            {"apiGroups": ["apiregistration.k8s.io"], "resources": ["apiservices"], "resourceNames": list(API_SERVICES),
             "verbs": ["get", "patch"]}]),
        role("Role", "test-adapter", [
            {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create"]},
            {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["adapter-tls"], "verbs": ["get", "patch"]}],
             SYSTEM),
        role("ClusterRole", "test-hpa-reads-metrics", [
            {"apiGroups": [*GROUPS, EXTERNAL], "resources": ["*"], "verbs": ["get", "list"]}]),
        binding("ClusterRoleBinding", "test-adapter", "ClusterRole", "test-adapter"),
        binding("ClusterRoleBinding", "test-adapter-delegator", "ClusterRole", "system:auth-delegator"),
        binding("RoleBinding", "test-adapter", "Role", "test-adapter", SYSTEM),
        binding("RoleBinding", "test-adapter-authentication", "Role", "extension-apiserver-authentication-reader",
                "kube-system"),
        binding("ClusterRoleBinding", "test-hpa-reads-metrics", "ClusterRole", "test-hpa-reads-metrics") | {
            "subjects": [{"kind": "ServiceAccount", "name": "horizontal-pod-autoscaler", "namespace": "kube-system"}]},
    ]


def kubeconfig_of(cluster, account, file):
    """A kubeconfig with a token of a service account."""
    token = cluster.kubectl("create", "token", account, "-n", SYSTEM, "--duration=2h").strip()
    admin = json.loads(cluster.kubectl("config", "view", "--raw", "-o", "json"))
    admin["users"] = [{"name": "test", "user": {"token": token}}]
    admin["contexts"][0]["context"]["user"] = "test"
    file.write_text(json.dumps(admin))
    return token


def available(cluster, service):
    conditions = cluster.get("apiservice", service).get("status", {}).get("conditions", [])
    return any(c["type"] == "Available" and c["status"] == "True" for c in conditions)


class Adapter:
    def __init__(self, cluster, directory, *flags):
        self.cluster, self.directory, self.flags, self.runs = cluster, directory, flags, 0
        self.port, self.health = conftest.free_port(cluster.host_ip), f"127.0.0.1:{conftest.free_port()}"
        self.kubeconfig = directory / "kubeconfig"
        self.token = kubeconfig_of(cluster, "adapter", self.kubeconfig)
        self.url = f"https://{cluster.host_ip}:{self.port}"

    def start(self):
        self.runs += 1
        self.log = self.directory / f"adapter-{self.runs}.log"
        self.stack = contextlib.ExitStack()
        self.process = self.stack.enter_context(conftest.program(
            "mcp-metrics-adapter", "--kubeconfig", str(self.kubeconfig), "--namespace", SYSTEM, "--listen",
            f"{self.cluster.host_ip}:{self.port}", "--health-listen", self.health, "--service-name", "adapter",
            "--tls-secret", "adapter-tls", "--api-services", ",".join(API_SERVICES), "--window", "5s", "--max-age", "3s",
            *self.flags, log=self.log))
        wait_for("the adapter to be ready", lambda: self.plain("/readyz")[0] == 200)
        self.take_requests(True)
        for service in API_SERVICES:
            wait_for(f"APIService {service}", lambda: available(self.cluster, service), timeout=60)

    def take_requests(self, yes):
        """Whether the Service leads to it, which is the kubelet's and the endpoint controller's work."""
        self.cluster.apply({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": f"adapter-{self.port}", "namespace": SYSTEM, "labels": {"kubernetes.io/service-name": "adapter"}},
            "ports": [{"name": "https", "port": self.port, "protocol": "TCP"}],
            "endpoints": [{"addresses": [self.cluster.host_ip], "conditions": {"ready": yes}}]})

    def stop(self):
        """Ends it with SIGTERM and wants it to end well."""
        self.stack.close()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.stack.pop_all()  # nothing is left to end well

    def plain(self, path):
        return fetch(f"http://{self.health}{path}")

    def direct(self, path, token=None, headers=None):
        """Past the aggregator, straight at the adapter."""
        headers = dict(headers or {}) | ({"Authorization": f"Bearer {token}"} if token else {})
        return fetch(self.url + path, headers)


def fetch(url, headers=None):
    context = ssl._create_unverified_context()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers or {}), timeout=10,
                                    context=context if url.startswith("https") else None) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@contextlib.contextmanager
def serving(cluster, directory, *flags):
    """The adapter on this machine, behind a Service of the cluster. Its APIServices go with it: left behind they would
    keep every namespace from being deleted."""
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SYSTEM}})
    cluster.apply(
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "adapter", "namespace": SYSTEM}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "nobody", "namespace": SYSTEM}},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "adapter", "namespace": SYSTEM},
         "spec": {"ports": [{"port": 443, "targetPort": "https", "name": "https"}]}},
        *rbac(), *[api_service(name) for name in API_SERVICES])
    found = Adapter(cluster, directory, *flags)
    try:
        found.start()
        yield found
        found.stop()
    finally:
        cluster.kubectl("delete", "apiservice", *API_SERVICES, "--ignore-not-found")
        cluster.kubectl("delete", "endpointslices", "-n", SYSTEM, "-l", "kubernetes.io/service-name=adapter")


@pytest.fixture(scope="module")
def adapter(api_cluster, tmp_path_factory):
    with serving(api_cluster, tmp_path_factory.mktemp("adapter")) as found:
        yield found


@pytest.fixture()
def fleet(api_cluster, namespace):
    """Makes MCPServers with pods that are played here."""
    made = Fleet(api_cluster, namespace)
    yield made
    for pod in made.pods.values():
        with contextlib.suppress(OSError):
            pod.close()


class Fleet:
    addresses = iter(f"{conftest.LOOPBACK}.{i // 250 + 1}.{i % 250 + 1}" for i in range(5000))

    def __init__(self, cluster, namespace):
        self.cluster, self.namespace, self.pods = cluster, namespace, {}

    def server(self, name, replicas, **metrics):
        """An MCPServer with a Deployment whose pods all run; returns the names of the pods."""
        self.cluster.apply(
            {"apiVersion": "mcpfleet.dev/v1alpha1", "kind": "MCPServer",
             "metadata": {"name": name, "namespace": self.namespace},
             "spec": {"source": {"type": "ContainerImage", "containerImage": {"ref": "example.com/x:1"}},
                      "transport": {"type": "streamable-http"}}})
        return self.workload(name, replicas, {"labels": {"mcpfleet.dev/server": name}}, **metrics)

    def workload(self, name, replicas, metadata, **metrics):
        """A Deployment whose pods have `metadata` and all run; returns their names."""
        labels = metadata["labels"]
        self.cluster.apply(
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": self.namespace},
             "spec": {"replicas": replicas, "selector": {"matchLabels": labels},
                      "template": {"metadata": metadata,
                                   "spec": {"containers": [{"name": "server", "image": "example.com/x:1"}]}}}})
        pods = wait_for("the pods", lambda: (p := self.labelled(labels)) and len(p) == replicas and p)
        for pod in pods:
            self.run(pod, **metrics)
        return pods

    def names(self, server):
        return self.labelled({"mcpfleet.dev/server": server})

    def labelled(self, labels):
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        items = self.cluster.get("pods", "-n", self.namespace, "-l", selector)["items"]
        return sorted(item["metadata"]["name"] for item in items)

    def run(self, pod, **metrics):
        address = next(self.addresses)
        self.pods[pod] = FakePod(address, PORT, **metrics)
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        status = {"status": {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}], "startTime": now,
                             "conditions": [{"type": kind, "status": "True", "lastTransitionTime": now}
                                            for kind in ("PodScheduled", "Initialized", "ContainersReady", "Ready")]}}
        self.cluster.kubectl("patch", "pod", pod, "-n", self.namespace, "--subresource=status", "--type=merge", "-p",
                             json.dumps(status))

    def raw(self, what, group=GROUPS[0]):
        return self.cluster.raw(f"/apis/{group}/v1beta2/namespaces/{self.namespace}/{what}")

    def why_not(self, what):
        """The error that kubectl shows for a metric without a value."""
        return self.cluster.kubectl(
            "get", "--raw", f"/apis/{GROUPS[0]}/v1beta2/namespaces/{self.namespace}/{what}", check=False)


def milli(quantity):
    return float(quantity[:-1]) if quantity.endswith("m") else 1000 * float(quantity)


def value_of(answer):
    assert len(answer["items"]) == 1
    return milli(answer["items"][0]["value"])


def test_values_through_the_aggregator(adapter, fleet):
    pods = fleet.server("x", 2, rate=20, latency=0.1, in_flight=3, sessions=4)
    wait_for("a rate of both pods", lambda: len(fleet.raw("pods/*/mcp_requests_per_second")["items"]) == 2)
    time.sleep(2)  # for the windows to fill
    for group in GROUPS:
        answer = fleet.raw("pods/*/mcp_requests_per_second?labelSelector=mcpfleet.dev%2Fserver%3Dx", group)
        assert answer["kind"] == "MetricValueList"
        assert answer["apiVersion"] == "custom.metrics.k8s.io/v1beta2"
        assert [i["describedObject"]["name"] for i in answer["items"]] == pods
        for item in answer["items"]:
            assert item["describedObject"]["kind"] == "Pod"
            assert item["metric"] == {"name": "mcp_requests_per_second", "selector": None}
            assert 15_000 < milli(item["value"]) < 25_000
            age = time.time() - datetime.datetime.fromisoformat(item["timestamp"].replace("Z", "+00:00")).timestamp()
            assert -1 < age < 4
        assert 30_000 < value_of(fleet.raw("mcpservers.mcpfleet.dev/x/mcp_requests_per_second", group)) < 50_000
    server = "mcpservers.mcpfleet.dev/x/"
    assert value_of(fleet.raw(server + "mcp_requests_in_flight")) == 6000
    explained = fleet.cluster.raw(f"/apis/{GROUPS[1]}/v1beta2/explain/namespaces/{fleet.namespace}/{server}mcp_active_sessions")
    assert explained["value"] == "8" and "mcp_active_sessions" in explained["formula"]
    assert {pod["name"]: pod["value"] for pod in explained["pods"]} == dict.fromkeys(pods, "4")
    older = fleet.cluster.raw(f"/apis/{GROUPS[0]}/v1beta1/namespaces/{fleet.namespace}/{server}mcp_requests_in_flight")
    assert older["apiVersion"] == "custom.metrics.k8s.io/v1beta1"
    item, = older["items"]
    assert (item["metricName"], milli(item["value"]), item["selector"]) == ("mcp_requests_in_flight", 6000, None)
    assert value_of(fleet.raw(server + "mcp_active_sessions")) == 8000
    assert 60 < value_of(fleet.raw(server + "mcp_request_duration_seconds_p95")) < 150
    assert value_of(fleet.raw(server + "mcp_request_duration_seconds_avg")) == pytest.approx(100, abs=1)
    assert 50 < value_of(fleet.raw(server + "mcp_error_ratio")) < 150
    assert value_of(fleet.raw(server + "mcp_requests_per_second?metricLabelSelector=tool%3Dsearch")) > 30_000
    assert value_of(fleet.raw(server + "mcp_requests_per_second?metricLabelSelector=tool%3Dother")) == 0
    assert value_of(fleet.raw(f"pods/{pods[0]}/mcp_active_sessions")) == 4000
    whole, = fleet.raw("metrics/mcp_active_sessions")["items"]
    assert (whole["describedObject"]["kind"], whole["describedObject"]["name"]) == ("Namespace", fleet.namespace)
    assert whole["value"] == "8"
    names = [i["describedObject"]["name"] for i in fleet.raw("mcpservers.mcpfleet.dev/*/mcp_active_sessions")["items"]]
    assert names == ["x"]


def test_a_shorter_window_is_fresher(adapter, fleet):
    pod, = fleet.server("x", 1, rate=10)
    rate = "mcpservers.mcpfleet.dev/*/mcp_requests_per_second"

    def item(window):
        found, = fleet.raw(f"{rate}?window={window}", GROUPS[1])["items"]
        return found

    wait_for("the whole window", lambda: item("5s")["windowSeconds"] == 5)
    fleet.pods[pod].set_rate(100)
    wait_for("the new rate", lambda: milli(item("2s")["value"]) > 80_000)
    now = item("2s")
    assert (now["windowSeconds"], now["metric"]["name"]) == (2, "mcp_requests_per_second")
    assert milli(item("5s")["value"]) < milli(now["value"])
    explained = fleet.cluster.raw(
        f"/apis/{GROUPS[1]}/v1beta2/explain/namespaces/{fleet.namespace}/mcpservers.mcpfleet.dev/x/"
        "mcp_requests_per_second?window=2s")
    assert 1.5 < explained["windowSeconds"] < 2.5 and 1.5 < explained["pods"][0]["coveredSeconds"] < 2.5
    for window, want in (("1s", "window: must be from 2s to the adapter's own, 5s, not 1s"), ("6s", "not 6s"), ("x", "window: ")):
        told = fleet.cluster.kubectl(
            "get", "--raw", f"/apis/{GROUPS[1]}/v1beta2/namespaces/{fleet.namespace}/{rate}?window={window}", check=False)
        assert want in told, told
    assert "window: may be asked for of metrics.mcpfleet.dev only" in fleet.why_not(f"{rate}?window=3s")


def test_pods_of_an_old_rollout_are_served_and_marked(adapter, fleet):
    pods = fleet.server("x", 2, rate=10)
    time.sleep(1.1)  # creation times are whole seconds
    fleet.cluster.kubectl("patch", "deployment", "x", "-n", fleet.namespace, "-p", json.dumps(
        {"spec": {"template": {"metadata": {"annotations": {"rollout": "2"}}}}}))
    new = wait_for("a pod of the new rollout", lambda: set(fleet.names("x")) - set(pods)).pop()
    server = "mcpservers.mcpfleet.dev/x/"

    def counts():
        return {metric: value_of(fleet.raw(f"mcpservers.mcpfleet.dev/*/mcp_pods_{metric}", GROUPS[1])) // 1000
                for metric in ("ready", "starting", "unready", "terminating", "outdated")}

    wanted = {"ready": 2, "starting": 1, "unready": 0, "terminating": 0, "outdated": 2}
    wait_for("the counts", lambda: counts() == wanted)
    explained = fleet.cluster.raw(
        f"/apis/{GROUPS[1]}/v1beta2/explain/namespaces/{fleet.namespace}/{server}mcp_requests_in_flight")
    assert {pod["name"]: (pod["state"], pod["outdated"], pod["counted"]) for pod in explained["pods"]} == {
        new: ("starting", False, False), **dict.fromkeys(pods, ("ready", True, True))}
    assert len(fleet.raw("pods/*/mcp_requests_in_flight")["items"]) == 2, "served"
    fleet.run(new, rate=10)
    wait_for("the end of the old ones", lambda: counts()["ready"] == counts()["terminating"] + 2 or counts()["outdated"] < 2)


def test_external_metrics_are_explained_to_those_who_may_read_them(adapter, fleet, api_cluster):
    fleet.server("x", 2, sessions=4)
    fleet.server("y", 1, sessions=1)
    path = f"/apis/{GROUPS[1]}/v1beta2/explain/namespaces/{fleet.namespace}/mcp_active_sessions"
    wait_for("the values", lambda: api_cluster.raw(path).get("sum") == "9")
    explained = api_cluster.raw(f"{path}?labelSelector=server%3Dx")
    assert (explained["kind"], explained["labelSelector"], explained["sum"]) == ("MetricExplanation", "server=x", "8")
    item, = explained["items"]
    assert (item["metricLabels"], item["value"], len(item["pods"])) == ({"server": "x"}, "8", 2)
    assert 0 <= item["ageSeconds"] < 4
    api_cluster.apply(
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
         "metadata": {"name": "sessions", "namespace": fleet.namespace},
         "rules": [{"apiGroups": [EXTERNAL], "resources": ["mcp_active_sessions"], "verbs": ["list"]}]},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
         "metadata": {"name": "sessions", "namespace": fleet.namespace},
         "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "sessions"},
         "subjects": [{"kind": "ServiceAccount", "name": "nobody", "namespace": SYSTEM}]})
    nobody = api_cluster.kubectl("create", "token", "nobody", "-n", SYSTEM).strip()
    wait_for("the right", lambda: adapter.direct(path, token=nobody)[0] == 200, timeout=20)
    other = path.replace("mcp_active_sessions", "mcp_error_ratio")
    assert adapter.direct(other, token=nobody)[0] == 403


def test_no_value_says_why(adapter, fleet):
    fleet.server("idle", 1, rate=0)
    server = "mcpservers.mcpfleet.dev/idle/"
    wait_for("a rate", lambda: fleet.raw(server + "mcp_requests_per_second")["items"])
    assert value_of(fleet.raw(server + "mcp_requests_per_second")) == 0, "idle is not missing"
    # The window holds its first step, which may have begun a little before it.
    assert re.search(r"no requests in the last \d+(\.\d)?s, so there is no p95",
                     fleet.why_not(server + "mcp_request_duration_seconds_p95"))
    assert fleet.raw("mcpservers.mcpfleet.dev/*/mcp_request_duration_seconds_p95")["items"] == []
    cases = {
        server + "mcp_recommended_replicas": "it has no recommendation yet",
        "mcpservers.mcpfleet.dev/none/mcp_requests_per_second": "there is no such MCPServer",
        "pods/none/mcp_requests_per_second": "there is no such pod that is scraped",
        server + "mcp_nonsense": "the metrics of mcpservers.mcpfleet.dev are mcp_requests_per_second,",
        "services/x/mcp_requests_per_second": "metrics are served for namespaces, and for pods and mcpservers.mcpfleet.dev",
        server + "mcp_active_sessions?metricLabelSelector=tool%3Da": "is not kept by method and tool",
        "pods/*/mcp_active_sessions?labelSelector=a%3D%3D%3Db": "labelSelector: the selector is wrong",
    }
    for path, want in cases.items():
        assert want in fleet.why_not(path), path


def test_a_bad_pod_costs_only_itself(adapter, fleet):
    bad, = fleet.server("bad", 1, rate=5)
    fleet.server("good", 1, rate=5)
    path = "mcpservers.mcpfleet.dev/bad/mcp_requests_per_second"
    cases = {
        "garbage": "/metrics: line 1: a metric's name cannot start with '<'",
        "large": "/metrics is larger than 1048576 bytes",
        "error": "/metrics answered HTTP status 503",
        "hang": "",
    }
    for mode, want in cases.items():
        fleet.pods[bad].mode = "good"
        wait_for("a value before", lambda: fleet.raw(path)["items"])
        fleet.pods[bad].mode = mode
        text = wait_for(f"an error for {mode}", lambda: "no scrape of pod" in (t := fleet.why_not(path)) and t)
        assert f"no scrape of pod {fleet.namespace}/{bad} has succeeded for" in text
        assert want in text, text
        assert fleet.raw("mcpservers.mcpfleet.dev/good/mcp_requests_per_second")["items"], mode
    told = [line for line in adapter.log.read_text().splitlines()
            if "cannot be scraped" in line and f"{fleet.namespace}/{bad}" in line]
    assert len(told) == len(cases), "each failure once, not once a scrape"


def test_only_the_aggregator_and_the_authorised(adapter, fleet, api_cluster):
    fleet.server("x", 1)
    path = f"/apis/{GROUPS[0]}/v1beta2/namespaces/{fleet.namespace}/pods/*/mcp_active_sessions"
    status, body = adapter.direct(path)
    assert (status, json.loads(body)["reason"]) == (401, "Unauthorized")
    spoofed = {"X-Remote-User": "admin", "X-Remote-Group": "system:masters"}
    assert adapter.direct(path, headers=spoofed)[0] == 401
    assert adapter.direct(path, token="nonsense")[0] == 401
    nobody = api_cluster.kubectl("create", "token", "nobody", "-n", SYSTEM).strip()
    status, body = adapter.direct(path, token=nobody, headers=spoofed)
    assert status == 403
    assert f'User "system:serviceaccount:{SYSTEM}:nobody" cannot get resource "pods/mcp_active_sessions"' in json.loads(body)["message"]
    api_cluster.apply({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": {"name": "nobody-reads", "namespace": fleet.namespace},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "test-hpa-reads-metrics"},
        "subjects": [{"kind": "ServiceAccount", "name": "nobody", "namespace": SYSTEM}]})
    wait_for("the new right", lambda: adapter.direct(path, token=nobody)[0] in (200, 404), timeout=20)
    for probe in ("/healthz", "/livez", "/readyz"):
        assert adapter.direct(probe) == (200, "ok")
    assert adapter.direct("/metrics")[0] == 401
    assert "mcpfleet_adapter_scrapes_total" in adapter.plain("/metrics")[1]


def test_discovery(adapter, api_cluster):
    listed = api_cluster.raw(f"/apis/{GROUPS[0]}/v1beta2")
    names = [resource["name"] for resource in listed["resources"]]
    assert "pods/mcp_requests_per_second" in names
    assert "mcpservers.mcpfleet.dev/mcp_recommended_replicas" in names
    # Nothing of ours shows as a resource of its own, and no discovery error reaches kubectl.
    resources = subprocess.run([*api_cluster._kubectl, "api-resources"], capture_output=True, text=True)
    assert resources.returncode == 0 and "error" not in resources.stderr, resources.stderr
    assert len([line for line in resources.stdout.splitlines() if line.startswith("pods ")]) == 1
    accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    admin = adapter.token
    status, body = adapter.direct("/apis", token=admin, headers={"Accept": accept + ",application/json"})
    assert status == 200
    assert [item["metadata"]["name"] for item in json.loads(body)["items"]] == [*GROUPS, EXTERNAL]
    merged = json.loads(subprocess.run(
        ["curl", "-sk", "--cert-type", "PEM", "-H", f"Accept: {accept}", "-H", f"Authorization: Bearer {admin}",
         api_cluster.api_server + "/apis"], capture_output=True, text=True, check=True).stdout)
    ours = [item for item in merged["items"] if item["metadata"]["name"] in GROUPS]
    assert len(ours) == 2
    for item in ours:
        assert item["versions"][0]["freshness"] == "Current"

    def documented():
        return all(f"apis/{version}" in api_cluster.raw("/openapi/v3")["paths"]
                   for version in (f"{GROUPS[0]}/v1beta2", f"{GROUPS[0]}/v1beta1", f"{EXTERNAL}/v1beta1"))
    wait_for("the OpenAPI documents behind the aggregator", documented, timeout=60)
    document = api_cluster.raw(f"/openapi/v3/apis/{GROUPS[0]}/v1beta2")
    assert f"/apis/{GROUPS[0]}/v1beta2/namespaces/{{namespace}}/pods/{{name}}/{{metric}}" in document["paths"]


def hpa(namespace, name, target, metric):
    return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": target},
                     "minReplicas": 1, "maxReplicas": 10, "metrics": [metric]}}


def pods_metric(name, average):
    return {"type": "Pods", "pods": {"metric": {"name": name}, "target": {"type": "AverageValue", "averageValue": average}}}


def server_metric(server, name, average):
    return {"type": "Object", "object": {
        "describedObject": {"apiVersion": "mcpfleet.dev/v1alpha1", "kind": "MCPServer", "name": server},
        "metric": {"name": name}, "target": {"type": "AverageValue", "averageValue": average}}}


def test_the_hpa_reads_and_scales(adapter, fleet, api_cluster):
    pods = fleet.server("x", 2, rate=10)
    api_cluster.apply(hpa(fleet.namespace, "x", "x", pods_metric("mcp_requests_per_second", "10")))

    def current():
        status = api_cluster.get("hpa", "x", "-n", fleet.namespace)["status"]
        metrics = status.get("currentMetrics") or [{}]
        value = metrics[0].get("pods", {}).get("current", {}).get("averageValue")
        return value and milli(value)

    wait_for("the value in the HPA's status", lambda: (v := current()) and 8_000 < v < 12_000, timeout=60)
    for pod in pods:
        fleet.pods[pod].set_rate(25)
    wait_for("more replicas", lambda: api_cluster.get("deployment", "x", "-n", fleet.namespace)["spec"]["replicas"] >= 4,
             timeout=60)


ASKS_TO_BE_SCRAPED = {"labels": {"app": "worker"}, "annotations": {"mcpfleet.dev/scrape": "true"}}


def test_the_hpa_scales_any_pod_that_asks_to_be_scraped(adapter, fleet, api_cluster):
    """By a counter of a name of its own, of which only what somebody asks for is kept."""
    fleet.workload("worker", 2, ASKS_TO_BE_SCRAPED, rate=20,
                   body=lambda calls: f'jobs_total{{queue="a"}} {calls}\njobs_total{{queue="b"}} 7\nother 1\n')

    def kept():
        return "\nmcpfleet_adapter_kept_series 0\n" not in adapter.plain("/metrics")[1]
    assert not kept(), "nobody asks yet"
    rate = "pods/*/jobs_per_second?labelSelector=app%3Dworker"
    assert "which is so since just now" in fleet.why_not(rate)
    wait_for("the rates of both", lambda: len(fleet.raw(rate)["items"]) == 2)
    assert kept()
    answer = fleet.raw(rate + "&metricLabelSelector=queue%3Db")
    assert [item["value"] for item in answer["items"]] == ["0", "0"], "idle, not missing"
    api_cluster.apply(hpa(fleet.namespace, "worker", "worker", pods_metric("jobs_per_second", "10")))
    wait_for("more replicas",
             lambda: api_cluster.get("deployment", "worker", "-n", fleet.namespace)["spec"]["replicas"] >= 4, timeout=60)


def test_the_json_of_an_mcpo_server(adapter, fleet):
    def body(calls):
        tool = {"total_requests": calls, "avg_duration": 0.089, "success_rate": 75.0, "qps_1s": 25}
        return json.dumps({"performance": {"search": tool}, "concurrency": {"current_concurrent": 8}})
    fleet.server("mcpo", 1, rate=20, body=body)
    server = "mcpservers.mcpfleet.dev/mcpo/"
    wait_for("a rate", lambda: fleet.raw(server + "mcp_requests_per_second"))
    assert 10_000 < value_of(fleet.raw(server + "mcp_requests_per_second?metricLabelSelector=tool%3Dsearch")) < 30_000
    assert value_of(fleet.raw(server + "mcp_requests_in_flight")) == 8000
    assert value_of(fleet.raw(server + "mcp_request_duration_seconds_avg")) == 89
    assert value_of(fleet.raw(server + "mcp_error_ratio")) == 250
    assert "a pod tells only the average of its durations, so there is no p95" in fleet.why_not(
        server + "mcp_request_duration_seconds_p95")


def test_the_hpa_of_another_workload_reads_external_metrics(adapter, fleet, api_cluster):
    """40 calls a second of `x`, at most 10 for each replica of what stands behind it."""
    fleet.server("x", 2, rate=20)
    behind = {"metadata": {"labels": {"app": "behind"}},
              "spec": {"containers": [{"name": "web", "image": "example.invalid/web:1"}]}}
    metric = {"type": "External", "external": {
        "metric": {"name": "mcp_requests_per_second", "selector": {"matchLabels": {"server": "x"}}},
        "target": {"type": "AverageValue", "averageValue": "10"}}}
    api_cluster.apply({"apiVersion": "apps/v1", "kind": "Deployment",
                       "metadata": {"name": "behind", "namespace": fleet.namespace},
                       "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "behind"}}, "template": behind}},
                      hpa(fleet.namespace, "behind", "behind", metric))
    wait_for("four replicas", lambda: api_cluster.get("deployment", "behind", "-n", fleet.namespace)["spec"]["replicas"] == 4,
             timeout=60)


def test_the_hpa_reads_a_recommendation(adapter, fleet, api_cluster):
    fleet.server("x", 1)
    status = {"status": {"scaling": {"recommendedReplicas": 3}}}
    api_cluster.kubectl("patch", "mcpserver", "x", "-n", fleet.namespace, "--subresource=status", "--type=merge", "-p",
                        json.dumps(status))
    assert value_of(wait_for("the value", lambda: fleet.raw(
        "mcpservers.mcpfleet.dev/x/mcp_recommended_replicas"))) == 3000
    api_cluster.apply(hpa(fleet.namespace, "x", "x", server_metric("x", "mcp_recommended_replicas", "1")))
    wait_for("three replicas", lambda: api_cluster.get("deployment", "x", "-n", fleet.namespace)["spec"]["replicas"] == 3,
             timeout=60)


def test_the_hpa_shows_why_there_is_no_value(adapter, fleet, api_cluster):
    pods = fleet.server("x", 2, rate=10)
    api_cluster.apply(hpa(fleet.namespace, "x", "x", server_metric("x", "mcp_requests_per_second", "10")))
    wait_for("a first value", lambda: api_cluster.get("hpa", "x", "-n", fleet.namespace)["status"].get("currentMetrics"),
             timeout=60)
    fleet.pods[pods[1]].close()

    def told():
        text = api_cluster.kubectl("describe", "hpa", "x", "-n", fleet.namespace)
        return re.search(rf"no scrape of pod {fleet.namespace}/{pods[1]} has succeeded for [\d.]+s: .*"
                         "[Cc]onnection refused", text)

    wait_for("the reason in kubectl describe hpa", told, timeout=60)
    replicas = api_cluster.get("deployment", "x", "-n", fleet.namespace)["spec"]["replicas"]
    assert replicas >= 2, "an outage must not scale in"


def test_two_replicas_answer_alike_and_either_may_die(adapter, fleet, api_cluster, tmp_path):
    pods = fleet.server("x", 2, rate=20)
    second = Adapter(api_cluster, tmp_path)
    path = (f"/apis/{GROUPS[0]}/v1beta2/namespaces/{fleet.namespace}/mcpservers.mcpfleet.dev/x/mcp_requests_per_second")

    def item(replica):
        status, body = replica.direct(path, token=replica.token)
        assert status == 200, body
        return json.loads(body)["items"][0]

    api_cluster.apply({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": {"name": "adapter-reads", "namespace": fleet.namespace},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "test-hpa-reads-metrics"},
        "subjects": [{"kind": "ServiceAccount", "name": "adapter", "namespace": SYSTEM}]})
    wait_for("a whole window", lambda: item(adapter)["windowSeconds"] >= 5)
    api_cluster.apply(hpa(fleet.namespace, "x", "x", server_metric("x", "mcp_requests_per_second", "20")))
    replicas = lambda: api_cluster.get("deployment", "x", "-n", fleet.namespace)["spec"]["replicas"]  # noqa: E731
    second.start()
    try:
        for _ in range(2):
            new, old = item(second), item(adapter)
            assert new["windowSeconds"] >= 5, "just started, it covers the same time"
            assert milli(new["value"]) == pytest.approx(milli(old["value"]), rel=0.1)
            second.kill()
            second.start()
        adapter.kill()
        adapter.take_requests(False)
        wait_for("an answer by the aggregator", lambda: fleet.raw("mcpservers.mcpfleet.dev/x/mcp_requests_per_second"))
        assert replicas() == 2
        for pod in pods:
            fleet.pods[pod].set_rate(45)
        wait_for("more replicas", lambda: replicas() >= 4, timeout=60)
    finally:
        adapter.start()
        second.take_requests(False)
        second.stop()


def test_namespaces_are_deleted_once_the_adapter_is_back(api_cluster, adapter):
    """With a registered group that does not answer, Kubernetes itself does not finish deleting a namespace
    (kubernetes/kubernetes#60807). It must go on as soon as the adapter runs, and never wait while it does."""
    def gone(name):
        return "NotFound" in api_cluster.kubectl("get", "namespace", name, check=False)

    def delete(name):
        api_cluster.kubectl("create", "namespace", name)
        api_cluster.kubectl("delete", "namespace", name, "--wait=false")

    delete("t-deleted-while-up")
    wait_for("the deletion with the adapter up", lambda: gone("t-deleted-while-up"), timeout=60)
    adapter.kill()
    for service in API_SERVICES:
        wait_for(f"{service} to be unavailable", lambda: not available(api_cluster, service), timeout=60)
    delete("t-deleted-while-down")
    adapter.start()
    wait_for("the deletion with the adapter up again", lambda: gone("t-deleted-while-down"), timeout=90)


def test_restarted_it_serves_the_same_certificate(api_cluster, adapter):
    """The Secret outlives the process, and what the API server trusts fits it."""
    secret = api_cluster.get("secret", "adapter-tls", "-n", SYSTEM)
    adapter.stop()
    adapter.start()
    assert api_cluster.get("secret", "adapter-tls", "-n", SYSTEM)["data"] == secret["data"]
    for service in API_SERVICES:
        assert api_cluster.get("apiservice", service)["spec"]["caBundle"] == secret["data"]["ca.crt"]
    shown = ssl.get_server_certificate((api_cluster.host_ip, adapter.port))
    assert shown.strip() == base64.b64decode(secret["data"]["tls.crt"]).decode().strip()
