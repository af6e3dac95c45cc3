"""mcp-gateway before mcp-sidecar: the official suite through both, sessions whose gateway or sidecar ends, new pods.

    hack/bench gateway                    all of it, about 8 minutes once everything is built
    hack/bench gateway --only survival    one of the parts: conformance, survival, endpoints
    hack/bench gateway --sessions 50 --rounds 10

Conformance and survival need no cluster; endpoints starts one without nodes, named bench-gateway, and takes it down.
"""

import argparse
import logging
import pathlib
import statistics
import subprocess
import sys
import tempfile

from benchlib import endpoint_ready, gateway_conformance, stats, survival
from benchlib.fleet import base, data_plane, lab, suite
from benchlib.programs import build
from benchlib.report import machine, tell

CLUSTER = "bench-gateway"
PARTS = ["conformance", "survival", "endpoints"]


def conformance(figures, folder, options):
    paths = gateway_conformance.measure(suite.tools(), folder, tell)
    print("| revision | path | passed | failed | of them not directly | wire violations | exit code |")
    print("|---|---|---|---|---|---|---|")
    for path in paths:
        print(f"| {path.revision} | {path.name} | {path.passed} | {path.fails} | {path.failed} | {path.violations} | "
              f"{path.exit_code} |")
    through = [path for path in paths if path.name != "directly"]
    figures += [("conformance_passed", sum(path.passed for path in through), "checks"),
                ("conformance_failed", sum(path.failed for path in through), "checks"),
                ("wire_violations", sum(path.violations for path in through), "messages")]


def survive(figures, folder, options):
    events, calls = survival.measure(suite.tools(), folder, options.sessions, options.seed, tell)
    tell(f"{calls} calls")
    print("| | sessions | at stake | lost | calls in flight | of them broken | later calls failed | clients late, s |")
    print("|---|---|---|---|---|---|---|---|")
    for event in events:
        print(f"| {event.name} | {event.sessions} | {event.at_stake} | {event.lost} | {event.in_flight} | {event.broken} | "
              f"{event.later_failed} | {event.late_s:.1f} |")
    figures += [("sessions_lost", sum(event.lost_beyond for event in events), "sessions"),
                ("sigterm_calls_lost", sum(event.broken for event in events if event.name.startswith("SIGTERM")), "calls")]


def endpoints(figures, folder, options):
    lab.run("hack/cluster", "down", "--name", CLUSTER, check=False)
    try:
        cluster = lab.Cluster(CLUSTER).up("api")
        times, calls = endpoint_ready.measure(cluster, data_plane.BIN, folder, options.rounds, options.seed)
    finally:
        lab.run("hack/cluster", "down", "--name", CLUSTER)
    tell(f"{len(times)} rounds: min {min(times):.1f}, median {statistics.median(times):.1f}, max {max(times):.1f} ms; "
         f"a call meanwhile: median {statistics.median(calls):.1f}, max {max(calls):.1f} ms")
    figures += [("endpoint_ready_ms", stats.percentile(times, 0.5), "ms"), ("endpoint_ready_max_ms", max(times), "ms"),
                ("call_ms", stats.percentile(calls, 0.5), "ms")]


def parse():
    parser = argparse.ArgumentParser(prog="hack/bench gateway", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=PARTS, help="may be given more than once")
    parser.add_argument("--sessions", type=int, default=200, metavar="N", help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=60, metavar="N", help="of endpoints (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of pauses and of which calls last (default: %(default)s)")
    parser.add_argument("--logs", metavar="FOLDER", help="keep the programs' logs; a new folder")
    options = parser.parse_args()
    for name, least, most in (("sessions", 10, 1000), ("rounds", 1, 1000)):
        if not least <= getattr(options, name) <= most:
            parser.error(f"--{name} must be from {least} to {most}")
    options.only = options.only or PARTS
    return options


def main():
    options = parse()
    logging.getLogger("mcp").setLevel(logging.ERROR)  # the SDK warns of each session that is lost already when it ends
    print(f"machine: {machine()}", flush=True)
    data_plane.BIN = build("mcp-gateway", "mcp-sidecar")
    figures = []
    measures = {"conformance": conformance, "survival": survive, "endpoints": endpoints}
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(options.logs or scratch)
        for part in PARTS:
            if part in options.only:
                (folder / part).mkdir(parents=True)
                tell(part)
                measures[part](figures, folder / part, options)
    for name, value, unit in figures:
        print(f"figure {name} {value:.{1 if unit == 'ms' else 0}f} {unit}")


if __name__ == "__main__":
    try:
        main()
    except (lab.CommandFailed, base.Failure, subprocess.CalledProcessError, RuntimeError, TimeoutError, OSError) as error:
        sys.exit(f"hack/bench gateway: {error}")
