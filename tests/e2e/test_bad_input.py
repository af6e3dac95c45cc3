"""What only a running cluster can know to be wrong becomes a condition and an Event, and disturbs nobody else."""

import pytest
import servers
from fleetlab import cluster as lab
from fleetlab.cluster import SERVER_IMAGES

METRICS_SERVERS = {
    "garbage": "body = b'<html>not metrics</html>' * 10",
    "huge": "body = b'mcp_requests_in_flight 1\\n' * 400_000",
    "hang": "time.sleep(3600)",
}


def condition(fleet, server, kind, namespace):
    status = fleet.get("mcpserver", server, namespace).get("status", {})
    return next((c for c in status.get("conditions", []) if c["type"] == kind), {})


def warned(fleet, server, namespace):
    return [event["message"] for event in fleet.get("events", namespace=namespace)
            if event["involvedObject"]["name"] == server and event["involvedObject"]["kind"] == "MCPServer"
            and event["type"] == "Warning"]


@pytest.mark.parametrize("name, spec, word", [
    ("no-such-image", {"source": {"type": "ContainerImage", "containerImage": {
        "ref": "localhost/no-such-image:1", "pullPolicy": "Never"}}}, "no-such-image"),
    ("exits-at-once", {"config": {"command": ["false"]}}, "exit"),
    ("no-such-command", {"config": {"command": ["/no/such/command"]}}, "/no/such/command"),
])
def test_a_server_that_cannot_run_says_why(fleet, namespace, name, spec, word):
    fleet.apply([servers.time(namespace, name=name, **spec), servers.time(namespace, name="fine")])

    def told():
        ready = condition(fleet, name, "Ready", namespace)
        return ready if ready.get("status") == "False" and word in ready.get("message", "") else None

    fleet.wait(f"Ready=False that names {word}", told, seconds=120)
    fleet.wait("a Warning event", lambda: any(word in message for message in warned(fleet, name, namespace)), seconds=60)
    fleet.kubectl("wait", "--for=condition=Ready", "mcpserver/fine", "-n", namespace, "--timeout=90s", timeout=100)


def lying_pod(namespace, kind):
    code = ("import http.server, time\n"
            "class H(http.server.BaseHTTPRequestHandler):\n"
            "  def do_GET(self):\n"
            f"    {METRICS_SERVERS[kind]}\n"
            "    self.send_response(200); self.end_headers(); self.wfile.write(body)\n"
            "http.server.ThreadingHTTPServer(('', 19090), H).serve_forever()\n")
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": f"{kind}-0", "namespace": namespace, "labels": {"mcpfleet.dev/server": kind},
                         "annotations": {"mcpfleet.dev/metrics-port": "19090", "mcpfleet.dev/metrics-path": "/metrics"}},
            "spec": {"containers": [{"name": "server", "image": SERVER_IMAGES["time"], "imagePullPolicy": "Never",
                                     "command": ["python3", "-c", code]}], "terminationGracePeriodSeconds": 1}}


def test_pods_with_broken_metrics_cost_only_themselves(fleet, namespace):
    fleet.apply([servers.time(namespace, name="fine"), *(lying_pod(namespace, kind) for kind in METRICS_SERVERS)])
    fleet.kubectl("wait", "--for=condition=Ready", "mcpserver/fine", "-n", namespace, "--timeout=90s", timeout=100)
    for kind in METRICS_SERVERS:
        fleet.kubectl("wait", "--for=condition=Ready", f"pod/{kind}-0", "-n", namespace, "--timeout=60s")

    def explained(kind):
        path = f"{lab.METRICS}/namespaces/{namespace}/pods/{kind}-0/mcp_requests_in_flight"
        try:
            fleet.raw(path)
        except lab.CommandFailed as error:
            return f"{kind}-0" in str(error) and str(error)
        return None

    messages = {kind: fleet.wait(f"an explained error for {kind}", lambda kind=kind: explained(kind), seconds=30)
                for kind in METRICS_SERVERS}
    assert len(set(messages.values())) == len(METRICS_SERVERS), messages
    fleet.wait("the healthy neighbour has a value", lambda: fleet.metric(
        "fine", "mcp_requests_in_flight", namespace) == 0, seconds=30)
    adapter = fleet.get("pods", namespace=lab.SYSTEM)
    assert all(status["restartCount"] == 0 or status["ready"] for pod in adapter
               for status in pod["status"]["containerStatuses"])
