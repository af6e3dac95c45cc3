"""One trace played to two real servers at once, one scaled by an HPA and one by the operator: demand, replicas, latency.

The calls of each second go evenly spread over it, over a few sessions, by the official SDK. What the Deployments say is read
once a second.
"""

import asyncio
import csv
import datetime
import io
import threading
import time

import yaml
from mcp import Client

from .fleet import servers, wait_ready

ACTUATORS = {"HPA": "live-hpa", "Operator": "live-operator"}
SESSIONS = 8  # each calls one after the other: echo takes some milliseconds
CALL_SECONDS = 30  # a call that takes longer is lost


def compress(text, factor, scale, lead):
    """A trace "second,requests": so many of its seconds in one, so many times the calls; before it `lead` seconds of one call."""
    seconds = [int(row["requests"]) for row in csv.DictReader(io.StringIO(text))]
    bins = [sum(seconds[at:at + factor]) for at in range(0, len(seconds) - factor + 1, factor)]
    return [1] * lead + [round(calls * scale) for calls in bins]


def as_csv(trace):
    return "second,requests\n" + "".join(f"{second},{calls}\n" for second, calls in enumerate(trace))


class Callers:
    """Plays the trace to one server; says of each second how many calls were answered, and the latency of each."""

    def __init__(self, url, trace):
        self._url, self._trace = url, trace
        self._due = asyncio.Queue()
        self.failed = 0
        self.latencies = [[] for _ in trace]

    async def run(self, begin):
        sessions = [asyncio.create_task(self._keep_session()) for _ in range(SESSIONS)]
        for second, calls in enumerate(self._trace):
            for number in range(calls):
                at = begin + second + number / calls
                await asyncio.sleep(max(0, at - time.monotonic()))
                self._due.put_nowait((second, at))
        for _ in sessions:
            self._due.put_nowait(None)
        await asyncio.gather(*sessions)

    async def _keep_session(self):
        # A session ends with its pod; a client then begins a new one, as the specification asks.
        over = False
        while not over:
            try:
                async with Client(self._url, read_timeout_seconds=CALL_SECONDS) as client:
                    while (due := await self._due.get()) is not None:
                        await self._call(client, *due)
                    over = True
            except Exception:  # noqa: BLE001  whatever the SDK raises: the call is lost, and counted
                if over:
                    return
                self.failed += 1

    async def _call(self, client, second, at):
        await client.call_tool("echo", {"message": "hi"})
        self.latencies[second].append(time.monotonic() - at)


def apply(cluster, namespace, manifest):
    """Both servers with the autoscaling of the manifest that is simulated, too."""
    autoscaling = yaml.safe_load(manifest)["spec"]["autoscaling"]
    cluster.apply([servers.everything(namespace, name=name, autoscaling={**autoscaling, "actuator": actuator})
                   for actuator, name in ACTUATORS.items()])
    for name in ACTUATORS.values():
        wait_ready(cluster, name, namespace)


def play(cluster, api, namespace, trace):
    """What happened, by actuator: replicas and ready of each second, latencies and failures of the calls."""
    callers = {actuator: Callers(cluster.url(name, namespace), trace) for actuator, name in ACTUATORS.items()}
    begin = time.monotonic() + 2

    async def all_of_them():
        await asyncio.gather(*(caller.run(begin) for caller in callers.values()))

    thread = threading.Thread(target=lambda: asyncio.run(all_of_them()))
    thread.start()
    seen = {actuator: {"replicas": [], "ready": []} for actuator in ACTUATORS}
    for second in range(len(trace)):
        time.sleep(max(0, begin + second - time.monotonic()))
        for actuator, name in ACTUATORS.items():
            status, body = api.get(f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}")
            if status != 200:
                raise RuntimeError(f"the Deployment {name} cannot be read: {body.get('message')}")
            seen[actuator]["replicas"].append(body["spec"]["replicas"])
            seen[actuator]["ready"].append(body["status"].get("readyReplicas", 0))
    thread.join(timeout=2 * CALL_SECONDS)
    for actuator, caller in callers.items():
        seen[actuator].update(failed=caller.failed, latencies=caller.latencies)
    return seen


def start_seconds(api, namespace):
    """How long the pods that are there took from their creation until they were ready, each."""
    status, body = api.get(f"/api/v1/namespaces/{namespace}/pods")
    if status != 200:
        raise RuntimeError(f"the pods cannot be read: {body.get('message')}")
    took = []
    for pod in body["items"]:
        ready = [condition["lastTransitionTime"] for condition in pod["status"].get("conditions", [])
                 if condition["type"] == "Ready" and condition["status"] == "True"]
        if ready:
            took.append((_time(ready[0]) - _time(pod["metadata"]["creationTimestamp"])).total_seconds())
    return took


def _time(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
