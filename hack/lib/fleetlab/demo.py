"""The demonstration of hack/run: install, apply two servers, send traffic, and show replicas follow it."""

import argparse
import asyncio
import contextlib
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from fleetlab import traffic  # noqa: E402
from fleetlab.cluster import ROOT, Cluster, CommandFailed  # noqa: E402

SERVERS = ("time", "everything")
ROW = "{:>6}  {:<11} {:>7} {:>9} {:>9}  {}"
EVERY_SECONDS = 5


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=120)
    seconds = parser.parse_args().seconds

    fleet = Cluster("mcpfleet")
    fleet.install()
    fleet.apply((ROOT / "docs/samples/demo.yaml").read_text())
    for server in SERVERS:
        fleet.kubectl("wait", "--for=condition=Ready", f"mcpserver/{server}", "--timeout=180s", timeout=200)
    print(f"\nTwo servers are ready. {seconds} s of MCP traffic: 24 quick calls a second to `time` (its target is 8 a pod),\n"
          "and to `everything` 2 calls a second that take a second each (its rule says p95 <= 0.5 s). Then it ends.\n")
    print(ROW.format("time", "server", "calls/s", "p95", "replicas", "why"))
    asyncio.run(show(fleet, seconds))
    print(farewell(fleet))


async def show(fleet, seconds):
    loads = [
        traffic.Steady(fleet.url("time"), "get_current_time", {"timezone": "UTC"}, rate=24, sessions=6, seconds=seconds),
        traffic.Steady(fleet.url("everything"), "trigger-long-running-operation", {"duration": 1, "steps": 1}, rate=2,
                       sessions=4, seconds=seconds),
    ]
    running = [asyncio.create_task(load.run()) for load in loads]
    begin = time.monotonic()
    reasons = {}
    # After the traffic the table goes on until both are back at one replica.
    while time.monotonic() - begin < seconds + 240:
        rows = await asyncio.to_thread(lambda: [row(fleet, server, begin, reasons) for server in SERVERS])
        for line, _ in rows:
            print(line, flush=True)
        ended = time.monotonic() - begin > seconds
        if ended and all(replicas == 1 for _, replicas in rows):
            break
        await asyncio.sleep(EVERY_SECONDS)
    await asyncio.gather(*running)
    print(f"\n{sum(load.done for load in loads)} calls answered, {sum(load.failed for load in loads)} failed.")


def row(fleet, server, begin, reasons):
    rate = fleet.metric(server, "mcp_requests_per_second")
    p95 = fleet.metric(server, "mcp_request_duration_seconds_p95")
    found = fleet.get("deployment", server)
    wanted, ready = found["spec"]["replicas"], found["status"].get("readyReplicas", 0)
    reason = why(fleet, server)
    shown = reason if reason != reasons.get(server) else ""
    reasons[server] = reason
    line = ROW.format(f"{time.monotonic() - begin:.0f}s", server, "-" if rate is None else f"{rate:.1f}",
                      "-" if p95 is None else f"{p95 * 1000:.0f} ms", f"{ready}/{wanted}", shown)
    return line, wanted


def why(fleet, server):
    """The newest of what the HPA did and what a rule decided."""
    with contextlib.suppress(CommandFailed):
        said = [(event.get("lastTimestamp") or event.get("eventTime") or "", event["message"])
                for event in fleet.get("events") if event["involvedObject"]["name"] == server
                and event["reason"] == "SuccessfulRescale"]
        decision = fleet.get("mcpserver", server).get("status", {}).get("scaling", {}).get("lastDecision")
        if decision:
            said.append((decision["time"], decision["message"]))
        return max(said)[1] if said else ""
    return ""


def farewell(fleet):
    kubeconfig = fleet.env["KUBECONFIG"]
    return f"""
The cluster stays up. To look further:
    export KUBECONFIG={kubeconfig} PATH={pathlib.Path(fleet.env["KUBECTL"]).parent}:$PATH
    kubectl get mcpservers
    kubectl describe mcpserver everything
    kubectl describe hpa time
    kubectl logs -n mcpfleet-system deployment/mcp-operator
    hack/down          # removes all of it
"""


if __name__ == "__main__":
    main()
