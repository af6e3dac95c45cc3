"""mcp-operator beside ToolHive's thv-operator: time, requests, CPU, memory, latency, restarts; 500 to 5,000 MCPServers.

    hack/bench operator                          all of it
    hack/bench operator --sizes 100 --rounds 1   a quick look
    hack/bench operator --only mcp-operator      one of the two, and so no ratios

Each run has a cluster of its own, without a kubelet, and with one operator: started while it is empty, left until the fleet is
made and all is quiet, started again, and then given one MCPServer after the other. In each round both have their turn,
in an order that changes from round to round.
"""

import argparse
import dataclasses
import json
import pathlib
import statistics
import sys
import tempfile

from benchlib import contestants, scale
from benchlib.fleet import base, lab
from benchlib.report import machine, tell

OURS, THEIRS = "mcp-operator", "thv-operator"
CLUSTER = "bench-operator"
MAIN_SIZE = 1000
RATIOS = {"time_ratio": "time_s", "memory_ratio": "rss_mib", "peak_memory_ratio": "most_mib", "cpu_ratio": "cpu_s",
          "requests_ratio": "requests"}
ROWS = [("until all children exist, s", "time_s", 1), ("API requests an MCPServer", "requests", 1),
        ("status writes an MCPServer", "status_writes", 1), ("CPU, s", "cpu_s", 1), ("CPU an MCPServer, ms", "cpu_ms_each", 2),
        ("memory at rest, MiB", "rss_mib", 1), ("peak memory, MiB", "peak_mib", 1),
        ("create to Deployment, p50, ms", "create_p50_ms", 1), ("create to Deployment, p99, ms", "create_p99_ms", 1),
        ("restart: until in step, s", "restart_s", 1), ("restart: writes", "restart_writes", 0),
        ("restart: CPU, s", "restart_cpu_s", 1), ("restart: memory at rest, MiB", "restart_rss_mib", 1),
        ("restart: peak memory, MiB", "restart_peak_mib", 1)]


def one_run(contestant, size, options):
    """A fresh cluster, for deleting thousands of objects would take longer than starting one."""
    lab.run("hack/cluster", "down", "--name", CLUSTER, check=False)
    try:
        cluster = lab.Cluster(CLUSTER).up(options.level, "--audit")
        with tempfile.TemporaryDirectory() as folder:
            scene = scale.Scene(cluster, contestant, pathlib.Path(options.logs or folder), tell)
            try:
                found = scale.measure(scene, size, options.creations, options.seed)
            finally:
                scene.close()
    finally:
        lab.run("hack/cluster", "down", "--name", CLUSTER)
    tell_run(contestant.name, found)
    return found


def tell_run(name, found):
    tell(f"{name}, {found.servers} MCPServers: all children after {found.time_s:.1f} s (created in {found.load_s:.1f} s), "
         f"{found.requests:.1f} requests each, {found.cpu_s:.1f} CPU-s, {found.rss_mib:.1f} MiB (peak {found.peak_mib:.1f}), "
         f"p50 {found.create_p50_ms:.1f} ms, p99 {found.create_p99_ms:.1f} ms; "
         f"restart {found.restart_s:.1f} s, {found.restart_writes} writes")
    tell(f"    children: {', '.join(found.kinds)}")
    for verb, resource, code, number in found.by_kind:
        if number >= found.servers / 20:
            tell(f"    each: {number / found.servers:.2f} {verb} {resource} {code}")
    for verb, resource, code, number in found.restart_by_kind:
        tell(f"    after the restart: {number} {verb} {resource} {code}")


def rounds(options):
    """Runs all of it; returns the runs by size and operator."""
    made = {OURS: contestants.mcp_operator, THEIRS: lambda: contestants.thv_operator(tell)}
    turns = [made[name]() for name in options.only]
    runs = earlier_runs(options)
    for number in range(options.rounds):
        for size in options.sizes:
            for contestant in turns if number % 2 == 0 else reversed(turns):
                if len(runs[size, contestant.name]) <= number:
                    runs[size, contestant.name].append(one_run(contestant, size, options))
                    save(runs, options)
    return runs


def earlier_runs(options):
    runs = {(size, name): [] for size in options.sizes for name in options.only}
    if not (options.resume and pathlib.Path(options.json).exists()):
        return runs
    for run in json.loads(pathlib.Path(options.json).read_text()):
        runs.setdefault((run["servers"], run.pop("operator")), []).append(scale.Run(**run))
    return runs


def save(runs, options):
    if options.json:
        found = [{"operator": name, **dataclasses.asdict(run)} for (_, name), all_of_it in runs.items() for run in all_of_it]
        pathlib.Path(options.json).write_text(json.dumps(found, indent=1))


def middle(runs, field):
    return statistics.median(getattr(run, field) for run in runs)


def table(runs, sizes, names):
    """Markdown: a row for each measure, a column for each size and operator; medians of the rounds."""
    columns = [(size, name) for size in sizes for name in names]
    yield "| | " + " | ".join(f"{name}, {size:,}" for size, name in columns) + " |"
    yield "|---|" + "---|" * len(columns)
    for title, field, digits in ROWS:
        yield f"| {title} | " + " | ".join(f"{middle(runs[column], field):,.{digits}f}" for column in columns) + " |"


def figures(runs, size, prefix):
    ours, theirs = runs[size, OURS], runs.get((size, THEIRS))
    if theirs:
        for name, field in RATIOS.items():
            yield f"{prefix}{name}", middle(ours, field) / middle(theirs, field), "x"
    yield f"{prefix}create_p99_ms", middle(ours, "create_p99_ms"), "ms"
    yield f"{prefix}writes_after_restart", middle(ours, "restart_writes"), "writes"


def sizes(text):
    values = sorted({int(word) for word in text.split(",")})
    if not all(1 <= value <= 10000 for value in values):
        raise argparse.ArgumentTypeError("sizes must be from 1 to 10000")
    return values


def parse():
    parser = argparse.ArgumentParser(prog="hack/bench operator", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=sizes, default=[500, 1000, 5000], metavar="N,N…", help="default: 500,1000,5000")
    parser.add_argument("--rounds", type=int, default=1, choices=range(1, 11), metavar="N", help="default: %(default)s")
    parser.add_argument("--creations", type=int, default=200, choices=range(0, 2001), metavar="N",
                        help="single MCPServers created while all is quiet (default: %(default)s)")
    parser.add_argument("--only", action="append", choices=[OURS, THEIRS], help="may be given more than once")
    parser.add_argument("--level", default="kwok", choices=["api", "kwok"], help="api: no pod runs (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the pauses between single creations (default: %(default)s)")
    parser.add_argument("--logs", metavar="FOLDER", help="keep the operators' logs")
    parser.add_argument("--json", metavar="FILE", help="write what each run found, as soon as it is done")
    parser.add_argument("--resume", action="store_true", help="do not repeat the runs that are in that file")
    options = parser.parse_args()
    if options.resume and not options.json:
        parser.error("--resume needs --json FILE")
    options.only = options.only or [OURS, THEIRS]
    return options


def main():
    options = parse()
    if options.logs:
        pathlib.Path(options.logs).mkdir(parents=True, exist_ok=True)
    print(f"machine: {machine()}", flush=True)
    runs = rounds(options)
    print("\n".join(table(runs, options.sizes, options.only)))
    if OURS not in options.only:
        return
    main_size = MAIN_SIZE if MAIN_SIZE in options.sizes else options.sizes[-1]
    for size in [*(size for size in options.sizes if size != main_size), main_size]:
        for name, value, unit in figures(runs, size, "" if size == main_size else f"{size}_"):
            print(f"figure {name} {value:.{3 if unit == 'x' else 1 if unit == 'ms' else 0}f} {unit}")


if __name__ == "__main__":
    try:
        main()
    except (lab.CommandFailed, base.Failure, RuntimeError, TimeoutError, OSError) as error:
        sys.exit(f"hack/bench operator: {error}")
