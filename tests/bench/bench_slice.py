"""The whole path once: age of the metric, reaction to a load step, and what the sidecar adds to a call.

    hack/bench slice                      starts a cluster named bench, and takes it down afterwards
    hack/bench slice --cluster mcpfleet   measures a cluster that is up (hack/run leaves that one), as it is
    hack/bench slice --only added         one of the parts: loopback (which needs no cluster), age, added, react

Takes about 15 minutes once the images are built. Real servers: npm's server-everything.
"""

import argparse
import random
import sys

from benchlib import added_latency, metric_age, reaction, stats
from benchlib.api import Api
from benchlib.fleet import fleet, lab, namespace, only_pod, servers, wait_ready
from benchlib.programs import build
from benchlib.report import machine, tell

PARTS = ["loopback", "age", "added", "react"]
SERVER_PORT = 3001


def tell_added(title, ways):
    tell(title)
    for line in ways.table():
        print("  " + line, flush=True)


def added_figures(ways, prefix=""):
    return [(prefix + "added_p50_us", ways.values["sidecar_p50_us"], "us"),
            (prefix + "added_p99_us", ways.values["sidecar_p99_us"], "us"),
            (prefix + "relay_p50_us", ways.values["relay_p50_us"], "us"),
            (prefix + "added_p50_ratio", ways.values["p50_ratio"], "x")]


def loopback(figures, options, programs):
    """Beside the figures of the running cluster: there a real server's own noise hides what is added at p99."""
    for prefix, front, back, title in (("loopback_", 0, 1, "relay and sidecar on one core, stub and client on another"),
                                       ("onecore_", 0, 0, "all on one core")):
        ways = added_latency.on_loopback(programs, options.seed, front, back)
        tell_added(f"added latency in front of a stub on loopback, {title}", ways)
        figures += added_figures(ways, prefix)


def added(figures, cluster, space, options, programs):
    name, address = only_pod(cluster, "everything", space)
    ways = added_latency.in_cluster(cluster, space, name, address, SERVER_PORT, programs, options.seed)
    tell_added("added latency in front of server-everything, in its pod", ways)
    figures += added_figures(ways)


def age(figures, cluster, space, options):
    _, address = only_pod(cluster, "everything", space)
    ages = metric_age.measure(Api(cluster), space, "everything", f"http://{address}:19080/mcp", options.age_trials,
                              options.seed)
    p50, p95 = stats.percentile(ages, 0.5), stats.percentile(ages, 0.95)
    tell(f"age of mcp_requests_in_flight: {len(ages)} changes, median {p50:.0f}, p95 {p95:.0f}, max {max(ages):.0f} ms")
    figures.append(("metric_age_ms", p95, "ms"))


def react(figures, cluster, space, options):
    reaction.apply(cluster, space)
    found = reaction.measure(cluster, Api(cluster), space, options.react_trials, options.seed, tell)
    for name, figure in ((reaction.RATE, "react_ms"), (reaction.HELD, "react_concurrency_ms")):
        times = found[name]
        tell(f"reaction by {reaction.METRICS[name]}: {len(times)} steps, min {min(times):.0f}, "
             f"median {stats.percentile(times, 0.5):.0f}, max {max(times):.0f} ms")
        figures.append((figure, stats.percentile(times, 0.5), "ms"))


def measure_in_cluster(figures, options, programs):
    tell(f"cluster {options.cluster}")
    with fleet(options.cluster) as cluster, namespace(cluster, "bench-slice") as space:
        if {"age", "added"} & set(options.only):
            cluster.apply(servers.everything(space, runtime={"replicas": 1}))
            wait_ready(cluster, "everything", space)
            if "age" in options.only:
                age(figures, cluster, space, options)
            if "added" in options.only:
                added(figures, cluster, space, options, programs)
            cluster.kubectl("delete", "mcpserver", "everything", "-n", space)
        if "react" in options.only:
            react(figures, cluster, space, options)


def main():
    parser = argparse.ArgumentParser(prog="hack/bench slice", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cluster", default="bench", metavar="NAME", help="default: %(default)s")
    parser.add_argument("--only", action="append", choices=PARTS, help="may be given more than once")
    parser.add_argument("--age-trials", type=int, default=30, metavar="N", help="two ages each (default: %(default)s)")
    parser.add_argument("--react-trials", type=int, default=5, metavar="N", help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 31), help="of the random phases; default: random")
    options = parser.parse_args()
    options.only = options.only or PARTS
    for name in ("age_trials", "react_trials"):
        if not 1 <= getattr(options, name) <= 200:
            parser.error(f"--{name.replace('_', '-')} must be from 1 to 200")

    print(f"machine: {machine()}; seed {options.seed}", flush=True)
    figures = []
    programs = build("mcp-sidecar") if {"loopback", "added"} & set(options.only) else None
    if "loopback" in options.only:
        loopback(figures, options, programs)
    if set(options.only) != {"loopback"}:
        measure_in_cluster(figures, options, programs)
    for name, value, unit in figures:
        print(f"figure {name} {value:.{2 if unit == 'x' else 0}f} {unit}")


if __name__ == "__main__":
    try:
        main()
    except (lab.CommandFailed, RuntimeError, TimeoutError, OSError) as error:
        sys.exit(f"hack/bench slice: {error}")
