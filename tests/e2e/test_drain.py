"""A pod that has to go finishes what is in flight: nobody's call is lost by scaling down."""

import asyncio

import pytest
import servers
from fleetlab import traffic

CALL_SECONDS = 8


@pytest.mark.parametrize("replicas", [1, 3], ids=["scale-down", "rollout"])
def test_calls_in_flight_end_before_their_pod(fleet, namespace, replicas):
    fleet.apply(servers.everything(namespace, runtime={"replicas": 3}))
    fleet.kubectl("wait", "--for=condition=Ready", "mcpserver/everything", "-n", namespace, "--timeout=120s", timeout=150)
    before = pods(fleet, namespace)
    assert len(before) == 3

    # Fewer replicas, or as many with another environment: either way pods that serve have to go.
    changed = servers.everything(namespace, runtime={"replicas": replicas})
    if replicas == 3:
        changed["spec"]["config"]["env"].append({"name": "EDITED", "value": "1"})

    async def calls_across_a_change():
        started = asyncio.Event()

        async def use(client, number):
            call = asyncio.create_task(client.call_tool("trigger-long-running-operation",
                                                        {"duration": CALL_SECONDS, "steps": 1}))
            started.set()
            return traffic.text_of(await call)

        sessions = asyncio.create_task(traffic.in_sessions(fleet.url("everything", namespace), 12, use))
        await started.wait()
        await asyncio.sleep(0.5)  # all of the calls are on their way
        await asyncio.to_thread(fleet.apply, changed)
        return await sessions

    results, errors = asyncio.run(calls_across_a_change())
    assert not errors, f"{len(errors)} calls lost, first: {errors[0]!r}"
    assert len(results) == 12 and all("completed" in result for result in results), results
    fleet.wait("the old pods are gone", lambda: len(pods(fleet, namespace)) == replicas
               and (replicas == 1 or not before & pods(fleet, namespace)), seconds=90)


def pods(fleet, namespace):
    return {pod["metadata"]["name"] for pod in fleet.get("pods", namespace=namespace)}
