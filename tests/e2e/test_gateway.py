"""One address for many servers: real clients through two gateways, and what is killed or has to go meanwhile."""

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


def kill_and_wait(fleet, namespace, pod, program):
    """SIGKILL, and until a Service leads to nobody who is dead: before that, connections to it are refused."""
    name = pod["metadata"]["name"]
    kill(pod, program)
    fleet.wait(f"{program} of {name} restarted",
               lambda: restarts(fleet.get("pod", name, namespace)) > restarts(pod), seconds=60)
    fleet.kubectl("wait", "--for=condition=Ready", f"pod/{name}", "-n", namespace, "--timeout=60s", timeout=90)


async def sessions_across(fleet, url, turns, event):
    """SESSIONS with each server that all call a tool, wait for event(), and call it again."""
    open_sessions = 0
    happened = asyncio.Event()

    async def use(client, server):
        nonlocal open_sessions
        tool, arguments = turns[server]
        before = traffic.text_of(await client.call_tool(tool, arguments))
        open_sessions += 1
        if open_sessions == len(turns) * SESSIONS:
            try:
                await asyncio.to_thread(event)
            finally:
                happened.set()
        await happened.wait()
        return before, traffic.text_of(await client.call_tool(tool, arguments))

    return await asyncio.gather(*(
        traffic.in_sessions(f"{url}/{server}/mcp", SESSIONS, lambda client, number, server=server: use(client, server),
                            mode="legacy")
        for server in turns))


def all_went_on(outcomes):
    for results, errors in outcomes:
        assert not errors, f"{len(errors)} sessions lost, first: {errors[0]!r}"
        assert len(results) == SESSIONS and all(before and after for before, after in results)


EVERYTHING = ("echo", {"message": "hi"})
TIME = ("get_current_time", {"timezone": "UTC"})


def test_sessions_of_both_servers_outlive_a_gateway(fleet, namespace, front):
    assert len(gateway_pods(fleet, namespace)) == 2
    victim = gateway_pods(fleet, namespace)[0]
    all_went_on(asyncio.run(sessions_across(
        fleet, f"{front}/{namespace}", {"everything": EVERYTHING, "time": TIME},
        lambda: kill_and_wait(fleet, namespace, victim, "mcp-gateway"))))

    status = fleet.get("mcpgateway", "front", namespace)["status"]
    assert status["servers"] == 2 and status["address"]["url"] == f"http://front.{namespace}.svc", status
    log = "".join(fleet.kubectl("logs", "-n", namespace, pod["metadata"]["name"], "--tail=-1")
                  for pod in gateway_pods(fleet, namespace))
    assert f"{namespace}/everything" in log and "tools/call" in log, log[-2000:]


# The server's own process keeps its sessions, and a sidecar keeps none: it finds in their ids what it has to know.
def test_sessions_outlive_a_sidecar(fleet, namespace, front):
    victim = next(pod for pod in fleet.get("pods", namespace=namespace)
                  if pod["metadata"]["labels"].get("mcpfleet.dev/server") == "everything")
    all_went_on(asyncio.run(sessions_across(
        fleet, f"{front}/{namespace}", {"everything": EVERYTHING},
        lambda: kill_and_wait(fleet, namespace, victim, "mcp-sidecar"))))


def test_calls_in_flight_outlive_a_gateway_that_has_to_go(fleet, namespace, front):
    before = {pod["metadata"]["name"] for pod in gateway_pods(fleet, namespace)}

    async def calls_across_a_rollout():
        on_their_way = asyncio.Event()

        async def use(client, number):
            call = asyncio.create_task(client.call_tool("trigger-long-running-operation", {"duration": 8, "steps": 4},
                                                        progress_callback=progress))
            return traffic.text_of(await call)

        async def progress(*_):
            on_their_way.set()

        calls = asyncio.create_task(traffic.in_sessions(f"{front}/{namespace}/everything/mcp", SESSIONS, use))
        await on_their_way.wait()
        await asyncio.to_thread(fleet.kubectl, "delete", "pod", "-n", namespace, *before, "--wait=false")
        return await calls

    results, errors = asyncio.run(calls_across_a_rollout())
    assert not errors, f"{len(errors)} calls lost, first: {errors[0]!r}"
    assert len(results) == SESSIONS and all("completed" in result for result in results), results
    fleet.wait("other gateways", lambda: not before & {pod["metadata"]["name"] for pod in gateway_pods(fleet, namespace)})


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
