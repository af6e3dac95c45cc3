"""What both metrics adapters meet: a cluster without nodes, pods that one small program plays, and who asks."""

import contextlib
import datetime
import http.client
import json
import random
import urllib.parse

from .api import spread
from .fleet import ROOT, lab
from .identity import identity
from .process import Process
from .programs import listening, running

GROUP = "custom.metrics.k8s.io"
HOME, FLEET = "bench-adapter", "bench-pods"  # the adapters' namespace and the pods'
PODS_A_SERVER = 10
PODS_AN_HPA = 2
RATE, GAUGE, SESSIONS = "mcp_requests_per_second", "mcp_requests_in_flight", "mcp_active_sessions"
METRICS = [RATE, GAUGE, SESSIONS]
GAUGES = 2  # of the series of a pod; the others are mcp_requests_total by tool
STUB_SECONDS = 4 * 3600  # it ends by itself after so long


class Pod:
    """The number makes the name, the address, the server and the HPA that it belongs to."""

    def __init__(self, number):
        self.server = f"s{number // PODS_A_SERVER}"
        self.name = f"{self.server}-{number % PODS_A_SERVER}"
        self.address = f"127.20.{number // 250}.{number % 250 + 1}"
        self.labels = {"mcpfleet.dev/server": self.server, "bench/hpa": f"h{number // PODS_AN_HPA}"}

    def make(self, api, port):
        pods = f"/api/v1/namespaces/{FLEET}/pods"
        api.create(pods, {
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": self.name, "labels": self.labels, "annotations": {"mcpfleet.dev/metrics-port": str(port)}},
            "spec": {"containers": [{"name": "server", "image": "example.invalid/mcp-server:1"}]}})
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        api.patch(f"{pods}/{self.name}/status", {"status": {
            "phase": "Running", "podIP": self.address, "podIPs": [{"ip": self.address}], "startTime": now,
            "conditions": [{"type": kind, "status": "True", "lastTransitionTime": now}
                           for kind in ("PodScheduled", "Initialized", "ContainersReady", "Ready")]}})


class Scene:
    """One cluster and its fleet: so many pods of so many series each, of which none is there before populate(). A context
    manager: pod_metrics runs within it."""

    def __init__(self, cluster, programs, folder, logs, size, seed):
        self.cluster, self.programs, self.folder, self.logs, self.size = cluster, programs, folder, logs, size
        self.pods = []
        self.host = cluster.env["MCPFLEET_HOST_IP"]
        self.paths, self.token_file = folder / "paths", folder / "token"
        servers = range(size.pods // PODS_A_SERVER)
        paths = [pods_path(metric, f"mcpfleet.dev/server=s{server}") for metric in METRICS for server in servers]
        random.Random(seed).shuffle(paths)
        self.paths.write_text("".join(path + "\n" for path in paths))

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            stub = stack.enter_context(running([self.programs / "pod_metrics", "--tools", self.size.series - GAUGES,
                                                "--seconds", STUB_SECONDS]))
            self.port = int(listening(stub).rsplit(":", 1)[1])
            self._control = listening(stub)
            self._prepare()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._stack.close()

    def _prepare(self):
        cluster = self.cluster
        cluster.kubectl("apply", "--server-side", "-f", ROOT / "crds")
        # Again and again: kubectl gives up on a resource that has no conditions yet.
        cluster.wait("the CRDs", lambda: cluster.kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd", "--all"))
        for namespace in (HOME, FLEET):
            cluster.kubectl("create", "namespace", namespace)
        cluster.apply({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
                       "metadata": {"name": "bench-reads-metrics"},
                       "rules": [{"apiGroups": [GROUP], "resources": ["*"], "verbs": ["get"]}]})
        cluster.kubectl("create", "clusterrolebinding", "bench-hpa", "--clusterrole=bench-reads-metrics",
                        "--serviceaccount=kube-system:horizontal-pod-autoscaler")
        self.token = identity(cluster, HOME, "asker", "bench-reads-metrics", self.folder / "asker.kubeconfig")
        self.token_file.touch(mode=0o600)
        self.token_file.write_text(self.token)

    def populate(self):
        """Makes the pods, and what the HPAs scale: Deployments that are paused, and so make no pods of their own."""
        self.cluster.wait("the pods' service account", lambda: self.cluster.get("serviceaccount", "default", FLEET))
        self.pods = [Pod(number) for number in range(self.size.pods)]
        spread(self.cluster, [lambda api, pod=pod: pod.make(api, self.port) for pod in self.pods])
        spread(self.cluster, [lambda api, pod=pod: api.create(f"/apis/apps/v1/namespaces/{FLEET}/deployments", _paused(pod))
                              for pod in self.pods[::PODS_AN_HPA]])

    def step(self, pod, value):
        """Sets the requests in flight of a pod, at once."""
        connection = http.client.HTTPConnection(self._control, timeout=10)
        connection.request("GET", f"/{pod.address}/{value}")
        if connection.getresponse().status != 200:
            raise RuntimeError(f"pod_metrics does not set {pod.address} to {value}")
        connection.close()

    def component(self, name):
        """A program of the cluster: its process id, as this machine sees it."""
        status = lab.run("hack/cluster", "status", "--name", self.cluster.name, "--json", check=False)
        return json.loads(status)["components"][name]

    def api_server(self):
        return Process(self.component("kube-apiserver"))


def pods_path(metric, selector):
    """What the HPA asks."""
    return (f"/apis/{GROUP}/v1beta2/namespaces/{FLEET}/pods/*/{metric}"
            f"?labelSelector={urllib.parse.quote(selector, safe='')}")


def _paused(pod):
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": pod.labels["bench/hpa"]},
            "spec": {"paused": True, "replicas": PODS_AN_HPA, "selector": {"matchLabels": pod.labels},
                     "template": {"metadata": {"labels": pod.labels},
                                  "spec": {"containers": [{"name": "server", "image": "example.invalid/mcp-server:1"}]}}}}
