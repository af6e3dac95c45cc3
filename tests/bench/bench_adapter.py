"""mcp-metrics-adapter beside prometheus-adapter with Prometheus: queries, CPU, memory, age, discovery, the HPA's round.

    hack/bench adapter                          all of it, about 35 minutes
    hack/bench adapter --quick                  a look at all parts, in 5 minutes
    hack/bench adapter --only mcp-metrics-adapter --parts load   some of it, and so no ratios
    hack/bench adapter --json FILE --resume     goes on where a run with that file was broken off

Sizes are pods and series a pod. Each has a cluster of its own, without a kubelet, whose pods one program plays; in it the
adapters have their turns one after the other, each alone.
"""

import argparse
import contextlib
import json
import pathlib
import resource
import sys
import tempfile

from benchlib import metrics_adapters, metrics_parts
from benchlib.adapter_results import Column, Results, Size, over
from benchlib.fleet import base, lab
from benchlib.metrics_adapters import OURS, THEIRS, UNTHROTTLED
from benchlib.metrics_scene import GAUGES, PODS_A_SERVER, Scene
from benchlib.programs import build
from benchlib.report import machine, tell

CLUSTER = "benchadapter"
PARTS = list(metrics_parts.PARTS)
POINTS = [str(connections) for connections in metrics_parts.CONNECTIONS]
MAIN_POINT = POINTS[-1]  # of the figures
ALL = ("adapter", "prometheus", "apiserver")
QUICK = {"sizes": "100x3", "seconds": 2, "settle": 5, "idle": 4, "age_trials": 5, "hpas": 50, "hpa_period": "5s",
         "hpa_limit": 40}


def rows():
    """Title, value of a column, and digits."""
    for point in POINTS:
        yield f"answers a second, connections: {point}", lambda c, p=point: c.per_second(p), 0
    for point in POINTS:
        yield f"p50, ms, connections: {point}", lambda c, p=point: over(c.get("load", "points", p, "p50_us"), 1e3), 2
        yield f"p99, ms, connections: {point}", lambda c, p=point: over(c.get("load", "points", p, "p99_us"), 1e3), 2
    for point in POINTS:
        yield f"wrong answers, connections: {point}", lambda c, p=point: c.get("load", "points", p, "errors"), 0
    for name in ALL:
        title = f"CPU an answer, µs, {name}, connections: {MAIN_POINT}"
        yield title, lambda c, n=name: c.cpu_us(MAIN_POINT, n), 0
    yield f"CPU an answer, µs, all, connections: {MAIN_POINT}", lambda c: c.cpu_us(MAIN_POINT, *ALL), 0
    for name in ALL:
        yield f"cores while nobody asks, {name}", lambda c, n=name: c.get("idle", "cores", n), 3
    for name in ("adapter", "prometheus"):
        yield f"memory without pods, MiB, {name}", lambda c, n=name: c.get("empty", "rss_mib", n), 1
        yield f"memory with the pods, MiB, {name}", lambda c, n=name: c.get("idle", "rss_mib", n), 1
        yield f"memory after the load, MiB, {name}", lambda c, n=name: c.get("load", "rss_mib", n), 1
        yield f"bytes a series, {name}", lambda c, n=name: c.bytes_per_series(n), 0
    yield "age, median, ms", lambda c: c.get("age", "p50_ms"), 0
    yield "age, p95, ms", lambda c: c.get("age", "p95_ms"), 0
    for name in ("group", "aggregated"):
        yield f"discovery, {name}, bytes", lambda c, n=name: c.get("discovery", n, "bytes"), 0
        yield f"discovery, {name}, ms", lambda c, n=name: c.get("discovery", n, "ms"), 2
    yield "a round of the HPAs, ms (none: not over in time)", Column.round_ms, 0
    yield "HPAs read in it", lambda c: c.get("hpa", "reads"), 0
    yield "of these in vain", lambda c: c.get("hpa", "errors"), 0
    yield "a read of it, p99, ms", lambda c: c.get("hpa", "read_p99_ms"), 1


def table(columns):
    """Markdown: a row for each measure, a column for each size and adapter."""
    yield "| | " + " | ".join(f"{name}, {size}" for size, name in columns) + " |"
    yield "|---|" + "---|" * len(columns)
    for title, value_of, digits in rows():
        values = [value_of(column) for column in columns.values()]
        if any(value is not None for value in values):
            yield f"| {title} | " + " | ".join("–" if value is None else f"{value:,.{digits}f}" for value in values) + " |"


def figures(ours, theirs, unthrottled):
    """Name, value, unit and digits; a value is None where it was not measured."""
    yield "cpu_ratio", over(ours.cpu_us(MAIN_POINT, *ALL), unthrottled.cpu_us(MAIN_POINT, *ALL)), "x", 4
    yield "memory_ratio", over(ours.get("load", "rss_mib", "adapter"), theirs.get("load", "rss_mib", "adapter")), "x", 3
    yield "requests_per_core", ours.per_core(MAIN_POINT), "1/s", 0
    yield "p99_ms", over(ours.get("load", "points", MAIN_POINT, "p99_us"), 1e3), "ms", 2
    yield "bytes_per_series", ours.bytes_per_series("adapter"), "bytes", 0
    yield "age_ms", ours.get("age", "p95_ms"), "ms", 0
    yield "discovery_bytes", ours.get("discovery", "group", "bytes"), "bytes", 0
    yield "hpa_round_ms", ours.round_ms(), "ms", 0


def one_size(size, options, results, programs, adapters):
    """A fresh cluster: what an adapter needs without pods can only be seen before there are any."""
    todo = {name: results.missing(size, name, options.parts) for name in adapters}
    if not any(todo.values()):
        return
    lab.run("hack/cluster", "down", "--name", CLUSTER, check=False)
    with contextlib.ExitStack() as stack:
        stack.callback(lab.run, "hack/cluster", "down", "--name", CLUSTER)
        cluster = lab.Cluster(CLUSTER).up("api", "--audit", "--hpa-sync-period", options.hpa_period)
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        logs = pathlib.Path(options.logs or folder)
        scene = stack.enter_context(Scene(cluster, programs, folder, logs, size, options.seed))
        for name, parts in todo.items():
            if "empty" in parts:
                take_turn(scene, adapters[name], ["empty"], options, results)
        rest = {name: [part for part in parts if part != "empty"] for name, parts in todo.items()}
        if any(rest.values()):
            tell(f"{size}: making {size.pods} pods")
            scene.populate()
        for name, parts in rest.items():
            if parts:
                take_turn(scene, adapters[name], parts, options, results)


def take_turn(scene, adapter, parts, options, results):
    settings = metrics_parts.Settings(options.seconds, options.settle, options.idle, options.age_trials, options.hpas,
                                      options.hpa_limit, options.seed)
    with adapter.start(scene) as running:
        for part in parts:
            found = metrics_parts.PARTS[part](scene, running, settings)
            results.put(scene.size, adapter.name, part, found)
            tell(f"{scene.size}, {adapter.name}, {part}: {json.dumps(found)}")


def sizes(text):
    values = []
    for word in text.split(","):
        pods, _, series = word.partition("x")
        if not (pods.isdecimal() and series.isdecimal()):
            raise argparse.ArgumentTypeError(f"'{word}' is not of the form PODSxSERIES")
        values.append(Size(int(pods), int(series)))
        if values[-1].pods not in range(PODS_A_SERVER, 5001, PODS_A_SERVER) or not GAUGES < values[-1].series <= 200:
            raise argparse.ArgumentTypeError(f"pods must be a multiple of {PODS_A_SERVER} up to 5000, and have more than "
                                             f"{GAUGES} series, at most 200")
    return values


def parse():
    parser = argparse.ArgumentParser(prog="hack/bench adapter", description=__doc__, allow_abbrev=False,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)

    def number(flag, most, text, default):
        parser.add_argument(flag, type=int, default=default, choices=range(1, most + 1), metavar="N",
                            help=f"{text} (default: {default})")

    parser.add_argument("--sizes", type=sizes, default="1000x3,1000x10", metavar="PODSxSERIES,…", help="default: %(default)s")
    number("--seconds", 120, "of load at each number of connections", 10)
    number("--settle", 300, "seconds before memory is read; ours keeps 30 s of a pod's past", 35)
    number("--idle", 300, "seconds of CPU while nobody asks", 15)
    number("--age-trials", 200, "steps of a gauge", 30)
    number("--hpas", 2500, "at most one for two pods", 500)
    number("--hpa-limit", 600, "seconds for each of an adapter's two rounds", 180)
    parser.add_argument("--hpa-period", default="15s", metavar="DURATION", help="of the HPA controller (default: %(default)s)")
    parser.add_argument("--only", action="append", choices=metrics_adapters.NAMES, help="may be given more than once")
    parser.add_argument("--parts", action="append", choices=PARTS, help="may be given more than once")
    parser.add_argument("--seed", type=int, default=1, help="of the order of queries and of the ages' pauses")
    parser.add_argument("--logs", metavar="FOLDER", help="keep the adapters' logs")
    parser.add_argument("--json", metavar="FILE", help="what was found, written after each part")
    parser.add_argument("--resume", action="store_true", help="leave out what FILE has already")
    parser.add_argument("--quick", action="store_true", help=f"other defaults: {QUICK}")
    if "--quick" in sys.argv:
        parser.set_defaults(**QUICK)
    options = parser.parse_args()
    if options.resume and not options.json:
        parser.error("--resume needs --json FILE")
    options.only = options.only or metrics_adapters.NAMES
    options.parts = [part for part in PARTS if part in (options.parts or PARTS)]
    return options


def report(results, options):
    columns = {(size, name): Column(results, size, name) for size in options.sizes for name in options.only}
    print("\n".join(table(columns)))
    for number, size in enumerate(options.sizes):
        prefix = f"{size}_" if number else ""
        three = [Column(results, size, name) for name in (OURS, THEIRS, UNTHROTTLED)]
        for name, value, unit, digits in figures(*three):
            if value is not None:
                print(f"figure {prefix}{name} {value:.{digits}f} {unit}")


def main():
    options = parse()
    if options.logs:
        pathlib.Path(options.logs).mkdir(parents=True, exist_ok=True)
    # A connection a pod: as many files as may be, as in a container.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    print(f"machine: {machine()}", flush=True)
    results = Results(options.json, options.resume)
    programs = build(OURS)
    adapters = {name: metrics_adapters.Adapter(name, tell) for name in options.only}
    for size in options.sizes:
        one_size(size, options, results, programs, adapters)
    report(results, options)


if __name__ == "__main__":
    try:
        main()
    except (lab.CommandFailed, base.Failure, RuntimeError, TimeoutError, OSError) as error:
        sys.exit(f"hack/bench adapter: {error}")
