"""status.serverInfo: an MCP server of the official SDK, on a loopback address of this machine, plays the pods of an MCPServer."""

import contextlib
import datetime
import json
import socket
import subprocess
import sys


from conftest import wait_for
from test_operator import mcp_server, operator, own_namespace, wait_accepted  # noqa: F401

ADDRESS, PORT = "127.0.200.1", 19080

SERVER = f"""
import sys
from mcp.server import MCPServer
server = MCPServer("weather", version=sys.argv[1])

@server.tool()
def forecast(place: str) -> str:
    return "sun"

server.run("streamable-http", host="{ADDRESS}", port={PORT})
"""


@contextlib.contextmanager
def weather(version):
    process = subprocess.Popen([sys.executable, "-c", SERVER, version], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        def listens():
            assert process.poll() is None, "the MCP server ended"
            with socket.create_connection((ADDRESS, PORT), timeout=1):
                return True
        wait_for("the MCP server", listens, timeout=60)
        yield
    finally:
        process.kill()
        process.wait()


def run_pods(cluster, namespace):
    """Makes all pods ready, at the address of the MCP server. True where there are any."""
    pods = cluster.get("pods", "-n", namespace)["items"]
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    status = {"status": {"phase": "Running", "podIP": ADDRESS, "podIPs": [{"ip": ADDRESS}], "startTime": now,
                         "conditions": [{"type": kind, "status": "True", "lastTransitionTime": now}
                                        for kind in ("PodScheduled", "Initialized", "ContainersReady", "Ready")]}}
    for pod in pods:
        if "podIP" not in pod["status"]:
            cluster.kubectl("patch", "pod", pod["metadata"]["name"], "-n", namespace, "--subresource=status",
                            "--type=merge", "-p", json.dumps(status))
    return bool(pods)


def server_info(cluster, namespace):
    return cluster.get("mcpserver", "-n", namespace, "a").get("status", {}).get("serverInfo")


def test_a_server_says_what_it_is_once_for_each_revision(api_cluster, namespace, operator):  # noqa: F811
    api_cluster.apply(mcp_server(namespace, "a"))
    wait_accepted(api_cluster, namespace, "a")
    with weather("1.4.0"):
        wait_for("the pods", lambda: run_pods(api_cluster, namespace))
        info = wait_for("serverInfo", lambda: server_info(api_cluster, namespace), timeout=60)
    pod, = api_cluster.get("pods", "-n", namespace)["items"]
    assert (info["name"], info["version"]) == ("weather", "1.4.0"), info
    assert "2026-07-28" in info["protocolVersions"] and "tools" in info["capabilities"], info
    assert info["revision"] == pod["metadata"]["labels"]["pod-template-hash"]

    # Nobody answers any more: what is known stays, and the server is no less available for it.
    source = {"type": "ContainerImage", "containerImage": {"ref": "example.invalid/server:2"}}
    api_cluster.apply(mcp_server(namespace, "a", source=source))

    def rolled():
        run_pods(api_cluster, namespace)
        pods = api_cluster.get("pods", "-n", namespace)["items"]
        return len(pods) == 1 and pods[0]["metadata"]["labels"]["pod-template-hash"] != info["revision"]
    wait_for("the rollout", rolled, timeout=60)
    api_cluster.kubectl("wait", "--for=condition=Ready", "mcpserver/a", "-n", namespace, "--timeout=60s")
    assert server_info(api_cluster, namespace) == info
    with weather("1.5.0"):
        wait_for("the answer of the new revision",
                 lambda: server_info(api_cluster, namespace)["version"] == "1.5.0", timeout=90)
