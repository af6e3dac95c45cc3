"""One address for many servers: real clients through two gateways, one of which is killed meanwhile."""

import asyncio
import urllib.error
import urllib.request

import pytest
import servers
from fleetlab import traffic
from test_scaling import kill, restarts

SESSIONS = 20


@pytest.fixture()
def front(fleet, namespace):
    """The gateway's own address, in front of two servers."""
    gateway = {"apiVersion": "mcpfleet.dev/v1alpha1", "kind": "MCPGateway",
               "metadata": {"name": "front", "namespace": namespace}, "spec": {"accessLog": {"sample": 1}}}
    fleet.apply([servers.everything(namespace, runtime={"replicas": 2}), servers.time(namespace), gateway])
    for what in ("mcpserver/everything", "mcpserver/time", "mcpgateway/front"):
        fleet.kubectl("wait", "--for=condition=Ready", what, "-n", namespace, "--timeout=120s", timeout=150)
    return f"http://{fleet.get('service', 'front', namespace)['spec']['clusterIP']}"


def gateway_pods(fleet, namespace):
    return [pod for pod in fleet.get("pods", namespace=namespace) if pod["metadata"]["name"].startswith("front-")]


def kill_gateway(fleet, namespace, pod):
    """SIGKILL, and until the Service leads to nobody who is dead: before that, connections to it are refused."""
    name = pod["metadata"]["name"]
    kill(pod, "mcp-gateway")
    fleet.wait(f"{name} restarted", lambda: restarts(fleet.get("pod", name, namespace)) > restarts(pod), seconds=60)
    fleet.kubectl("wait", "--for=condition=Ready", f"pod/{name}", "-n", namespace, "--timeout=60s", timeout=90)


def test_sessions_of_both_servers_outlive_a_gateway(fleet, namespace, front):
    assert len(gateway_pods(fleet, namespace)) == 2
    victim = gateway_pods(fleet, namespace)[0]
    turns = {"everything": ("echo", {"message": "hi"}), "time": ("get_current_time", {"timezone": "UTC"})}

    async def sessions_across_a_kill():
        open_sessions = 0
        killed = asyncio.Event()

        async def use(client, number, server):
            nonlocal open_sessions
            tool, arguments = turns[server]
            before = traffic.text_of(await client.call_tool(tool, arguments))
            open_sessions += 1
            if open_sessions == 2 * SESSIONS:
                await asyncio.to_thread(kill_gateway, fleet, namespace, victim)
                killed.set()
            await killed.wait()
            return before, traffic.text_of(await client.call_tool(tool, arguments))

        return await asyncio.gather(*(
            traffic.in_sessions(f"{front}/{namespace}/{server}/mcp", SESSIONS,
                                lambda client, number, server=server: use(client, number, server))
            for server in turns))

    for results, errors in asyncio.run(sessions_across_a_kill()):
        assert not errors, f"{len(errors)} sessions lost, first: {errors[0]!r}"
        assert len(results) == SESSIONS and all(before and after for before, after in results)

    status = fleet.get("mcpgateway", "front", namespace)["status"]
    assert status["servers"] == 2 and status["address"]["url"] == f"http://front.{namespace}.svc", status
    log = "".join(fleet.kubectl("logs", "-n", namespace, pod["metadata"]["name"], "--tail=-1")
                  for pod in gateway_pods(fleet, namespace))
    assert f"{namespace}/everything" in log and "tools/call" in log, log[-2000:]


def test_what_is_not_there_is_said(fleet, namespace, front):
    answer = post_to(f"{front}/{namespace}/nobody/mcp")
    assert answer[0] == 404 and "nobody" in answer[1], answer


def post_to(url):
    """Status and text of the answer, by the standard library: an SDK hides both."""
    request = urllib.request.Request(url, data=b'{"jsonrpc":"2.0","id":1,"method":"ping"}',
                                     headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
