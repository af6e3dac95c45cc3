"""From a load step to the new replica count: what the HPA or the operator wrote into the Deployment, read every 50 ms.

Two servers take a step in the same moment, one scaled by mcp_requests_per_second, the other by mcp_requests_in_flight.
Both are at their minimum and quiet before, and the step comes at a random phase of the HPA's period.
"""

import asyncio
import random
import threading
import time

from mcp import Client

from .fleet import servers, wait_ready

RATE, HELD = "everything-rate", "everything-held"
# A step of eight times the target.
TARGETS = {RATE: {"requestsPerSecond": "5"}, HELD: {"concurrency": "2"}}
CALLS_PER_SECOND = 40
CALLS_HELD = 16
METRICS = {RATE: "mcp_requests_per_second", HELD: "mcp_requests_in_flight"}
MOST_SECONDS = 90  # a step that changes nothing for so long is a failure


class Step:
    """Traffic that waits, with its sessions open, for the moment to begin; then steady until it is left."""

    def __init__(self, urls):
        self._urls = urls
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._run()))
        self.began = None
        self.calls = {RATE: 0, HELD: 0}
        self.failed = None

    def __enter__(self):
        self._begin, self._end = asyncio.Event(), asyncio.Event()
        self._thread.start()
        if not self._ready.wait(timeout=60) or self.failed:
            self.__exit__()
            raise RuntimeError(f"the sessions did not open: {self.failed}")
        return self

    def begin(self):
        self._loop.call_soon_threadsafe(self._begin.set)

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._begin.set)
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(timeout=90)

    async def _run(self):
        try:
            async with Client(self._urls[RATE]) as rate, Client(self._urls[HELD]) as held:
                self._ready.set()
                await self._begin.wait()
                self.began = time.monotonic()
                until = self.began + MOST_SECONDS
                await asyncio.gather(self._at_rate(rate, until), *(self._hold(held, until) for _ in range(CALLS_HELD)))
        except BaseException as error:  # noqa: BLE001  told to the other thread, which gives up
            self.failed = error
            self._ready.set()

    async def _at_rate(self, client, until):
        running, due = set(), time.monotonic()
        while not self._over(until):
            task = asyncio.create_task(client.call_tool("echo", {"message": "hi"}))
            running.add(task)
            task.add_done_callback(running.discard)
            self.calls[RATE] += 1
            due += 1 / CALLS_PER_SECOND
            await asyncio.sleep(max(0, due - time.monotonic()))
        await asyncio.gather(*running)

    async def _hold(self, client, until):
        while not self._over(until):
            await client.call_tool("trigger-long-running-operation", {"duration": 3, "steps": 1})
            self.calls[HELD] += 1

    def _over(self, until):
        return self._end.is_set() or time.monotonic() >= until


def apply(cluster, namespace, actuator="HPA"):
    cluster.apply([servers.everything(namespace, name=name,
                                      autoscaling=servers.quick(1, 2, targets=targets, actuator=actuator))
                   for name, targets in TARGETS.items()])
    for name in TARGETS:
        wait_ready(cluster, name, namespace)


def quiet(cluster, namespace):
    """Both servers at one ready replica, and nothing of the last step left in their metrics."""
    def settled():
        for name, metric in METRICS.items():
            deployment = cluster.get("deployment", name, namespace)
            if deployment["spec"]["replicas"] != 1 or deployment["status"].get("replicas") != 1:
                return False
            if cluster.metric(name, metric, namespace) != 0:
                return False
        return True

    cluster.wait("both servers are quiet at one replica", settled, seconds=300, every=1)


def measure(cluster, api, namespace, trials, seed, tell):
    """Milliseconds from the step to the new spec.replicas, by server."""
    generator = random.Random(seed)
    urls = {name: cluster.url(name, namespace) for name in TARGETS}
    found = {name: [] for name in TARGETS}
    for trial in range(trials):
        quiet(cluster, namespace)
        with Step(urls) as step:
            time.sleep(generator.uniform(0, 15))
            step.begin()
            seen = _watch(api, namespace, step)
        for name, moment in seen.items():
            found[name].append((moment - step.began) * 1e3)
        tell(f"  step {trial + 1}: " + ", ".join(f"{name} {found[name][-1]:.0f} ms ({step.calls[name]} calls)"
                                               for name in TARGETS))
    return found


def _watch(api, namespace, step):
    seen = {}
    deadline = time.monotonic() + MOST_SECONDS
    while len(seen) < len(TARGETS):
        if step.failed or time.monotonic() > deadline:
            raise RuntimeError(f"only {sorted(seen)} got more replicas within {MOST_SECONDS} s; traffic: {step.failed}")
        for name in TARGETS.keys() - seen.keys():
            status, body = api.get(f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}")
            if status == 200 and body["spec"]["replicas"] > 1:
                seen[name] = time.monotonic()
        time.sleep(0.05)
    return seen
