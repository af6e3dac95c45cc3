"""The API server away: pods keep serving, and what was asked for afterwards comes about."""

import asyncio
import json
import os
import signal
import time

import servers
from fleetlab import traffic
from fleetlab.cluster import SYSTEM, run

# Longer than a lease of the operator's and than a node's grace period. 300 is worth a try by hand.
OUTAGE_SECONDS = float(os.environ.get("MCPFLEET_OUTAGE_SECONDS", "45"))


def test_pods_keep_serving_while_the_api_server_is_away(fleet, namespace):
    fleet.apply(servers.everything(namespace, runtime={"replicas": 2}))
    fleet.kubectl("wait", "--for=condition=Ready", "mcpserver/everything", "-n", namespace, "--timeout=120s", timeout=150)
    pods, operator = uids(fleet, namespace), uids(fleet, SYSTEM)
    url = fleet.url("everything", namespace)
    api_server = json.loads(run("hack/cluster", "status", "--name", fleet.name, "--json"))["components"]["kube-apiserver"]

    async def calls_during_the_outage():
        steady = traffic.Steady(url, "echo", {"message": "x"}, rate=10, seconds=OUTAGE_SECONDS + 60)
        running = asyncio.create_task(steady.run())
        await asyncio.sleep(2)
        before = steady.done
        os.kill(api_server, signal.SIGSTOP)
        try:
            await asyncio.sleep(OUTAGE_SECONDS)
        finally:
            os.kill(api_server, signal.SIGCONT)
        served = steady.done - before
        steady.stop()
        await running
        return served, steady.errors

    begun = time.monotonic()
    served, errors = asyncio.run(calls_during_the_outage())
    assert not errors, f"{len(errors)} calls lost, first: {errors[0]!r}"
    assert served > 5 * OUTAGE_SECONDS, f"{served} calls in {time.monotonic() - begun:.0f} s"

    fleet.wait("the API server is back", lambda: fleet.raw("/version"))
    fleet.apply(servers.everything(namespace, runtime={"replicas": 3}))
    fleet.wait("what is asked for afterwards", lambda: fleet.ready_replicas("everything", namespace) == 3)
    assert pods < uids(fleet, namespace), "no pod was replaced"
    assert operator == uids(fleet, SYSTEM)


def uids(fleet, namespace):
    return {pod["metadata"]["uid"] for pod in fleet.get("pods", namespace=namespace)}
