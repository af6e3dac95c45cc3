"""Replicas moved by what callers feel: by calls per second, and by a latency rule; explained, and unharmed by kills."""

import asyncio
import json
import os
import pathlib
import signal
import threading

import servers
from fleetlab import cluster as lab
from fleetlab import traffic

SLOW = "trigger-long-running-operation"


class Load:
    """Steady traffic on a thread of its own, ended by leaving the block."""

    def __init__(self, *args, **options):
        self._args, self._options = args, options

    def __enter__(self):
        self.loop = asyncio.new_event_loop()
        self.steady = None
        started = threading.Event()

        def run():
            asyncio.set_event_loop(self.loop)

            async def main():
                self.steady = traffic.Steady(*self._args, **self._options)
                started.set()
                await self.steady.run()

            self.loop.run_until_complete(main())

        self.thread = threading.Thread(target=run)
        self.thread.start()
        started.wait()
        return self.steady

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.steady.stop)
        self.thread.join(timeout=60)


def kill(pod, program):
    """SIGKILLs the program of a pod from outside: inside, it is process 1 and immune."""
    uid = pod["metadata"]["uid"].replace("-", "")
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            cgroup = (entry / "cgroup").read_text().replace("-", "").replace("_", "")
            command = (entry / "cmdline").read_bytes().split(b"\0")[0].decode()
        except OSError:
            continue
        if uid in cgroup and pathlib.Path(command).name == program:
            os.kill(int(entry.name), signal.SIGKILL)
            return
    raise AssertionError(f"no process {program} of pod {pod['metadata']['name']} found")


def kill_all(fleet, program):
    """Kills every running instance of one of our programs, and waits until it has been started anew."""
    pods = [pod for pod in fleet.get("pods", namespace=lab.SYSTEM)
            if program in pod["metadata"]["name"] and pod["status"]["phase"] == "Running"]
    assert pods, f"no pod of {program}"
    before = {pod["metadata"]["name"]: restarts(pod) for pod in pods}
    for pod in pods:
        kill(pod, program)
    for name, count in before.items():
        fleet.wait(f"{name} restarted", lambda name=name, count=count: restarts(
            fleet.get("pod", name, lab.SYSTEM)) > count, seconds=60)


def restarts(pod):
    """Of all containers of a pod, sidecars included."""
    return sum(status["restartCount"] for kind in ("initContainerStatuses", "containerStatuses")
               for status in pod["status"].get(kind, []))


def wait_ready(fleet, server, namespace):
    fleet.kubectl("wait", "--for=condition=Ready", f"mcpserver/{server}", "-n", namespace, "--timeout=120s", timeout=150)


def test_calls_per_second_raise_the_replicas(fleet, namespace):
    fleet.apply(servers.everything(namespace, autoscaling=servers.quick(
        1, 4, targets={"requestsPerSecond": "5"})))
    wait_ready(fleet, "everything", namespace)
    assert fleet.replicas("everything", namespace) == 1

    with Load(fleet.url("everything", namespace), "echo", {"message": "hi"}, rate=14, seconds=240) as load:
        fleet.wait("3 replicas", lambda: fleet.replicas("everything", namespace) >= 3, seconds=150)
        hpa = fleet.get("hpa", "everything", namespace)
        shown = [metric["pods"] for metric in hpa["status"]["currentMetrics"] if metric["type"] == "Pods"]
        assert [metric["metric"]["name"] for metric in shown] == ["mcp_requests_per_second"], hpa["status"]
        assert lab.quantity(shown[0]["current"]["averageValue"]) > 0
        described = fleet.kubectl("describe", "hpa", "everything", "-n", namespace)
        assert '"mcp_requests_per_second" on pods:' in described, described
        fleet.wait("status tells the replicas", lambda: fleet.get("mcpserver", "everything", namespace)
                   ["status"].get("readyReplicas", 0) >= 3, seconds=60)
    assert load.done > 0
    assert not load.errors, f"{load.failed} calls failed, first: {load.errors[0]!r}"
    fleet.wait("back at the minimum", lambda: fleet.replicas("everything", namespace) == 1, seconds=240)


def test_the_operator_writes_the_replicas_itself(fleet, namespace):
    fleet.apply(servers.everything(namespace, autoscaling=servers.quick(
        1, 4, targets={"requestsPerSecond": "5"}, actuator="Operator")))
    wait_ready(fleet, "everything", namespace)
    assert not fleet.get("hpa", namespace=namespace)

    with Load(fleet.url("everything", namespace), "echo", {"message": "hi"}, rate=14, seconds=240) as load:
        fleet.wait("3 replicas", lambda: fleet.replicas("everything", namespace) >= 3, seconds=60)
        fleet.wait("3 ready replicas", lambda: fleet.ready_replicas("everything", namespace) >= 3, seconds=90)
    assert load.done > 0
    assert not load.errors, f"{load.failed} calls failed, first: {load.errors[0]!r}"
    fleet.wait("back at the minimum", lambda: fleet.replicas("everything", namespace) == 1, seconds=240)

    newest = fleet.wait("the decision is told", lambda: next(
        (told for told in fleet.get("mcpserver", "everything", namespace)["status"]["scaling"]["decisions"]
         if told["from"] > told["to"] == 1), None), seconds=60)
    assert newest["inputs"][0]["name"] == "mcp_requests_per_second", newest
    reasons = {event["reason"] for event in fleet.get("events", namespace=namespace)}
    assert {"ScaledUp", "ScaledDown"} <= reasons, reasons
    managers = {entry["manager"] for entry in json.loads(fleet.kubectl(
        "get", "deployment", "everything", "-n", namespace, "-o", "json", "--show-managed-fields"))["metadata"]["managedFields"]
        if "f:replicas" in entry.get("fieldsV1", {}).get("f:spec", {})}
    assert len(managers) == 1, f"replicas have one writer, not {managers}"


def latency_rule_server(namespace):
    rule = {"name": "slow-calls", "metric": "mcp_request_duration_seconds_p95", "tool": SLOW, "operator": ">",
            "threshold": "500m", "action": "ScaleUp", "amount": {"pods": 1}, "window": "5s", "cooldown": "5s"}
    return servers.everything(namespace, autoscaling=servers.quick(
        1, 3, targets={"requestsPerSecond": "1000"}, rules=[rule]))


def test_a_latency_rule_raises_the_replicas_and_says_why(fleet, namespace):
    fleet.apply(latency_rule_server(namespace))
    wait_ready(fleet, "everything", namespace)

    with Load(fleet.url("everything", namespace), SLOW, {"duration": 1, "steps": 1}, rate=2, seconds=240):
        fleet.wait("3 replicas", lambda: fleet.replicas("everything", namespace) == 3, seconds=150)
        rate = fleet.metric("everything", "mcp_requests_per_second", namespace)
        assert rate is not None and rate < 10, "the rate must be far under its target"

    described = fleet.kubectl("describe", "mcpserver", "everything", "-n", namespace)
    for word in ("slow-calls", "Threshold exceeded", "mcp_request_duration_seconds_p95"):
        assert word in described, f"{word} is missing in:\n{described}"
    described = fleet.kubectl("describe", "hpa", "everything", "-n", namespace)
    assert '"mcp_recommended_replicas" on MCPServer/everything' in described, described
    log = fleet.kubectl("logs", "-n", lab.SYSTEM, "deployment/mcp-operator", "--tail=2000")
    assert any("slow-calls" in line and "Threshold exceeded" in line for line in log.splitlines()), log[-3000:]

    fleet.wait("back at the minimum", lambda: fleet.replicas("everything", namespace) == 1, seconds=240)


def test_kills_meanwhile_change_nothing_in_the_end(fleet, namespace):
    fleet.apply(latency_rule_server(namespace))
    wait_ready(fleet, "everything", namespace)
    template = fleet.get("deployment", "everything", namespace)["spec"]["template"]

    with Load(fleet.url("everything", namespace), SLOW, {"duration": 1, "steps": 1}, rate=2, seconds=300):
        fleet.wait("2 replicas", lambda: fleet.replicas("everything", namespace) >= 2, seconds=150)
        kill_all(fleet, "mcp-operator")
        kill_all(fleet, "mcp-metrics-adapter")
        fleet.wait("3 replicas", lambda: fleet.replicas("everything", namespace) == 3, seconds=150)
        kill_all(fleet, "mcp-operator")

    fleet.wait("back at the minimum", lambda: fleet.replicas("everything", namespace) == 1, seconds=240)
    wait_ready(fleet, "everything", namespace)
    assert fleet.get("deployment", "everything", namespace)["spec"]["template"] == template, "the pods were not restarted"
    children = {kind: [child["metadata"]["name"] for child in fleet.get(kind, namespace=namespace)]
                for kind in ("deployments", "services", "hpa", "mcpservers")}
    assert children == {kind: ["everything"] for kind in children}
