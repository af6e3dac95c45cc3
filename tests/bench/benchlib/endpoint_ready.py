"""How soon a gateway sends a call to a pod that has just become ready: EndpointSlices of a real API server, by watch."""

import contextlib
import http.client
import json
import random
import time

from .api import Api
from .fleet import ROOT, data_plane
from .programs import listening, running

SPACE, SERVER = "bench-endpoints", "echo"
OLD, NEW = "from the old pod", "from the new pod"
LIMIT = 10       # seconds for one round
CALM = 40        # answers in a row from the old pod: the new one of a round is forgotten
LABELS = {"kubernetes.io/service-name": SERVER, "mcpfleet.dev/server": SERVER,
          "endpointslice.kubernetes.io/managed-by": "bench"}
HEADERS = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
           "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "echo"}
CALL = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
    "name": "echo", "arguments": {"message": "hi"}, "_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {}}}})


class Caller:
    """Calls a tool over one connection that is kept."""

    def __init__(self, gateway):
        self._connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=LIMIT)
        self._path = f"/{SPACE}/{SERVER}/mcp"

    def call(self):
        """The text of the answer; "" where there is none yet."""
        self._connection.request("POST", self._path, CALL, HEADERS)
        response = self._connection.getresponse()
        body = response.read().decode()
        if response.status not in (200, 404, 503):
            raise RuntimeError(f"a call was answered {response.status}: {body[:300]}")
        return body if response.status == 200 else ""

    def until(self, wanted, in_a_row=1):
        """Calls until so many answers in a row are from there; returns when that was, by time.monotonic()."""
        deadline = time.monotonic() + LIMIT
        seen = 0
        while seen < in_a_row:
            seen = seen + 1 if wanted in self.call() else 0
            ended = time.monotonic()
            if ended > deadline:
                raise RuntimeError(f"no answer {wanted} within {LIMIT} s")
        return ended


class Slices:
    """The EndpointSlices of the two pods: a slice has one port for all of its endpoints."""

    def __init__(self, cluster):
        self._api = Api(cluster)
        self._path = f"/apis/discovery.k8s.io/v1/namespaces/{SPACE}/endpointslices"
        self._address = address_of(cluster)

    def make(self, name, port, ready):
        self._api.create(self._path, {
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": name, "namespace": SPACE, "labels": LABELS},
            "ports": [{"name": "mcp", "port": port, "protocol": "TCP"}], "endpoints": [self._endpoint(name, ready)]})

    def set(self, name, pod, ready):
        """Returns when the write was answered, by time.monotonic()."""
        self._api.patch(f"{self._path}/{name}", {"endpoints": [self._endpoint(pod, ready)]})
        return time.monotonic()

    def _endpoint(self, pod, ready):
        return {"addresses": [self._address], "targetRef": {"kind": "Pod", "name": pod, "namespace": SPACE},
                "conditions": {"ready": ready, "serving": ready, "terminating": False}}


def address_of(cluster):
    """An API server takes no endpoint in 127.0.0.0/8: this machine's own address in the cluster's network."""
    return cluster.env["MCPFLEET_HOST_IP"]


@contextlib.contextmanager
def scene(cluster, programs, folder):
    """A gateway that watches, an MCPServer without any Service, and two sidecars before servers that only echo: a pod that is
    ready all along, and one that is not. Yields the gateway and the slices."""
    cluster.kubectl("apply", "--server-side", "-f", ROOT / "crds")
    cluster.kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd", "--all")
    cluster.kubectl("create", "namespace", SPACE)
    cluster.apply({"apiVersion": "mcpfleet.dev/v1alpha1", "kind": "MCPServer",
                   "metadata": {"name": SERVER, "namespace": SPACE},
                   "spec": {"source": {"type": "ContainerImage", "containerImage": {"ref": "example.invalid/echo:1"}},
                            "config": {"port": 8080}}})
    slices = Slices(cluster)
    with contextlib.ExitStack() as stack:
        for name, text in (("old", OLD), ("new", NEW)):
            stub = listening(stack.enter_context(running([programs / "stub_server", "--seconds", "3600", "--echo", text])))
            pod = stack.enter_context(data_plane.sidecar(folder, "--upstream", f"http://{stub}", name=name,
                                                         address=address_of(cluster)))
            slices.make(name, pod.port, ready=name == "old")
        yield stack.enter_context(
            data_plane.watching_gateway(folder, cluster.env["KUBECONFIG"], SPACE, SERVER)), slices


def measure(cluster, programs, folder, rounds, seed):
    """For each round, ms from the answer to the write that makes a pod ready to the first answer of that pod; and ms of a
    call of the same connection meanwhile."""
    pauses = random.Random(seed)
    with scene(cluster, programs, folder) as (gateway, slices):
        caller = Caller(gateway)
        caller.until(OLD)
        times, calls = [], []
        for number in range(rounds):
            pod = f"new-{number}"
            slices.set("new", pod, ready=False)
            caller.until(OLD, in_a_row=CALM)
            time.sleep(pauses.uniform(0.05, 0.3))
            begun = time.monotonic()
            caller.call()
            calls.append((time.monotonic() - begun) * 1e3)
            written = slices.set("new", pod, ready=True)
            times.append((caller.until(NEW) - written) * 1e3)
    return times, calls
