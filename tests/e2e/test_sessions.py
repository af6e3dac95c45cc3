"""Sessions with several replicas behind the plain Service: correct answers, none lost."""

import asyncio

import pytest
import servers
from fleetlab import traffic

REPLICAS = 3
SESSIONS = 200


@pytest.fixture(scope="module")
def both(fleet):
    name = "t-sessions"
    fleet.kubectl("delete", "namespace", name, "--ignore-not-found", "--timeout=120s")
    fleet.kubectl("create", "namespace", name)
    fleet.apply([servers.everything(name, runtime={"replicas": REPLICAS}),
                 servers.time(name, runtime={"replicas": REPLICAS})])
    for server in ("everything", "time"):
        fleet.kubectl("wait", "--for=condition=Ready", f"mcpserver/{server}", "-n", name, "--timeout=180s", timeout=200)
        assert fleet.ready_replicas(server, name) == REPLICAS
    yield name
    fleet.kubectl("delete", "namespace", name, "--wait=false")


def of_pods(fleet, namespace, server, metric):
    path = f"/apis/custom.metrics.k8s.io/v1beta2/namespaces/{namespace}/pods/*/{metric}?labelSelector=mcpfleet.dev%2Fserver%3D{server}"
    return {item["describedObject"]["name"]: item["value"] for item in fleet.raw(path)["items"]}


def test_servers_say_what_they_are(fleet, both):
    for server in ("everything", "time"):
        info = fleet.wait(f"serverInfo of {server}", lambda: fleet.get("mcpserver", server, both)["status"].get("serverInfo"))
        assert info["name"] and info["protocolVersions"] and "tools" in info["capabilities"], info


def test_everything_answers_in_200_sessions_at_once(fleet, both):
    async def use(client, number):
        tools = {tool.name for tool in (await client.list_tools()).tools}
        assert "echo" in tools, tools
        answer = traffic.text_of(await client.call_tool("echo", {"message": f"session {number}"}))
        assert answer == f"Echo: session {number}", answer
        total = traffic.text_of(await client.call_tool("get-sum", {"a": number, "b": 1}))
        assert str(number + 1) in total, total
        return number

    results, errors = asyncio.run(traffic.in_sessions(fleet.url("everything", both), SESSIONS, use))
    assert not errors, f"{len(errors)} sessions lost, first: {errors[0]!r}"
    assert sorted(results) == list(range(SESSIONS))


# mcp-server-time speaks both eras: in the older one each session has a process, in the newer one there are no sessions.
@pytest.mark.parametrize(("mode", "metric"), [("legacy", "mcp_active_sessions"), ("auto", "mcp_requests_per_second")],
                         ids=["with-sessions", "without"])
def test_time_answers_200_clients_at_once(fleet, both, mode, metric):
    async def use(client, number):
        tools = {tool.name for tool in (await client.list_tools()).tools}
        assert {"get_current_time", "convert_time"} <= tools, tools
        hour = number % 24
        answer = traffic.text_of(await client.call_tool("convert_time", {
            "source_timezone": "UTC", "time": f"{hour:02d}:30", "target_timezone": "Asia/Tokyo"}))
        assert f"T{(hour + 9) % 24:02d}:30:00+09:00" in answer, answer
        if number == 0:
            seen.update(of_pods(fleet, both, "time", metric))
        return number

    seen = {}
    results, errors = asyncio.run(traffic.in_sessions(fleet.url("time", both), SESSIONS, use, mode=mode))
    assert not errors, f"{len(errors)} sessions lost, first: {errors[0]!r}"
    assert sorted(results) == list(range(SESSIONS))
    # All replicas carried some of them: they were spread, and each session found its own pod again.
    assert len(seen) == REPLICAS and all(value != "0" for value in seen.values()), seen


def test_no_process_of_a_session_is_left(fleet, both):
    pods = [pod["metadata"]["name"] for pod in fleet.get("pods", namespace=both)
            if pod["metadata"]["labels"]["mcpfleet.dev/server"] == "time"]

    def processes(pod):
        listing = fleet.kubectl("exec", "-n", both, pod, "-c", "server", "--", "sh", "-c",
                                "cat /proc/[0-9]*/stat | grep -c mcp-server-time; true")
        return int(listing.split()[0])

    # One answers all that needs no session.
    for pod in pods:
        fleet.wait(f"at most one server process left in {pod}", lambda pod=pod: processes(pod) <= 1, seconds=60)
