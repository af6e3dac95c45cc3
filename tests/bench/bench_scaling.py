"""Scaling policies side by side on simulated load: ours, the HPA's usual pipelines, KEDA, Knative, an oracle; then live.

    hack/bench scaling                      all parts: some two minutes simulated, then half an hour on a cluster named bench
    hack/bench scaling --only policies      one of the parts: policies, fleet (10,000 servers), react, live
    hack/bench scaling --trace steps        one of the simulated traces
    hack/bench scaling --cluster mcpfleet   measures a cluster that is up, as it is
    hack/bench scaling --json FILE          the numbers behind the tables
    hack/bench scaling --svg FILE           the live and the simulated curves, drawn

Simulated, one set of parameters for all traces: the pods of mcp-simulate's defaults, and tests/bench/scaling/mcpserver.yaml.
Live: npm's server-everything; react is the time from a step of the load to the new replicas, live is the recorded trace, ten of
its seconds in one, with tests/bench/scaling/live.yaml, to one server for each actuator.
"""

import argparse
import json
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile

from benchlib import curves, live_scaling, reaction, scaling_scores, stats
from benchlib.api import Api
from benchlib.fleet import fleet as cluster_fleet
from benchlib.fleet import lab, namespace
from benchlib.programs import ROOT, build
from benchlib.report import machine, tell

MANIFEST = ROOT / "tests" / "bench" / "scaling" / "mcpserver.yaml"
MOONCAKE = ROOT / "tests" / "data" / "arrivals-mooncake-conversation.csv"
# The recorded trace has 3.4 requests a second and a clock that ticks each 3 s: scaled to what some pods carry, and evened out
# between two ticks. The others are what mcp-simulate makes of the bare name.
TRACES = {
    "mooncake": ["--trace", MOONCAKE, "--scale", "100", "--spread", "3s"],
    "steps": ["--trace", "steps"],
    "ramp": ["--trace", "ramp"],
    "spike": ["--trace", "spike"],
    "day": ["--trace", "day"],
    "noise": ["--trace", "noise"],
}
FLEET = ["--fleet", "10000", "--hours", "24"]
PARTS = ["policies", "fleet", "react", "live"]
ON_A_CLUSTER = {"react", "live"}
LIVE_MANIFEST = MANIFEST.with_name("live.yaml")
LIVE_TRACE = {"factor": 10, "scale": 0.4, "lead": 30}
SIMULATED_AS = {"HPA": "mcpfleet-hpa", "Operator": "mcpfleet-operator"}


def simulate(program, *words, server=MANIFEST):
    done = subprocess.run([str(word) for word in (program, "--server", server, "--json", *words)], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    return json.loads(done.stdout)


def policies(program, options, figures):
    runs = {}
    for name in options.trace:
        runs[name] = [simulate(program, *TRACES[name], "--compare", "--seed", str(seed))
                      for seed in range(1, options.draws + 1)]
        scores = scaling_scores.mean(runs[name])
        tell(f"{name}: {runs[name][0]['seconds']} s, simulated; means of {options.draws} draws of the phases")
        for line in scaling_scores.table(scores):
            print("  " + line, flush=True)
    scores = {name: scaling_scores.mean(of_trace) for name, of_trace in runs.items()}
    for ours, prefix in (("mcpfleet-hpa", ""), ("mcpfleet-operator", "operator_"), ("mcpfleet-quick", "quick_")):
        tell(f"{ours} against the best rival of each trace")
        for line in scaling_scores.against(scores, ours):
            print("  " + line, flush=True)
        violation, pod_seconds = scaling_scores.worst(scores, ours)
        figures.append((prefix + "violation_ratio", f"{violation:.2f}", "ratio"))
        if pod_seconds is not None:
            figures.append((prefix + "pod_seconds_ratio", f"{pod_seconds:.2f}", "ratio"))
    return runs


def fleet(program, figures):
    result = simulate(program, *FLEET)
    tell(f"{result['servers']} servers for {result['hours']} h in {result['cpuSeconds']:.1f} s of one core: at most "
         f"{result['peakPods']} pods, {result['podSeconds'] / 3600:.0f} pod-hours, {100 * result['overShare']:.3f} % of the time "
         "over the objective")
    figures.append(("simulated_server_hours_per_second", f"{result['simulatedServerHoursPerSecond']:.0f}", "1/s"))
    return result


def react(cluster, space, options, figures):
    found = {}
    for actuator, figure in (("Operator", "react_ms_operator"), ("HPA", "react_ms_hpa")):
        tell(f"a step of the load, with the actuator {actuator}")
        reaction.apply(cluster, space, actuator)
        found[actuator] = reaction.measure(cluster, Api(cluster), space, options.react_trials, options.seed, tell)
        for name, times in found[actuator].items():
            tell(f"  by {reaction.METRICS[name]}: {len(times)} steps, min {min(times):.0f}, "
                 f"median {stats.percentile(times, 0.5):.0f}, max {max(times):.0f} ms")
        # The slowest of the medians stands for all.
        figures.append((figure, f"{max(stats.percentile(times, 0.5) for times in found[actuator].values()):.0f}", "ms"))
    for name in reaction.TARGETS:
        cluster.kubectl("delete", "mcpserver", name, "-n", space)
    return found


def simulated_series(program, trace, start_up, draws):
    """Of each actuator and draw of the phases, the seconds' replicas and ready pods."""
    series = {actuator: [] for actuator in SIMULATED_AS}
    with tempfile.TemporaryDirectory() as directory:
        file, out = pathlib.Path(directory, "trace.csv"), pathlib.Path(directory, "series.csv")
        file.write_text(live_scaling.as_csv(trace))
        for actuator, policy in SIMULATED_AS.items():
            for seed in range(1, draws + 1):
                simulate(program, "--trace", file, "--policy", policy, "--seed", seed, "--start-up", f"{start_up}s",
                         "--service-time", "10ms", "--series", out, server=LIVE_MANIFEST)
                rows = [line.split(",") for line in out.read_text().splitlines()[1:]]
                series[actuator].append({"replicas": [int(row[3]) for row in rows], "ready": [int(row[4]) for row in rows]})
    return series


def compare_live(seen, simulated, figures):
    """Live beside simulated: the mean distance of the replicas, second by second, and the pod-seconds."""
    tell("live beside simulated (mean of the draws)")
    for actuator, live in seen.items():
        draws = simulated[actuator]
        gap = statistics.mean(statistics.mean(abs(a - b) for a, b in zip(live["replicas"], draw["replicas"]))
                              for draw in draws)
        pods = sum(live["ready"]) / statistics.mean(sum(draw["ready"]) for draw in draws)
        latencies = [value for second in live["latencies"] for value in second]
        tell(f"  {actuator}: replicas live {statistics.mean(live['replicas']):.2f} in the mean, at most {max(live['replicas'])}; "
             f"simulated {statistics.mean(statistics.mean(draw['replicas']) for draw in draws):.2f}, "
             f"{max(max(draw['replicas']) for draw in draws)}; apart by {gap:.2f} in the mean; "
             f"{len(latencies)} calls answered, {live['failed']} lost, p95 {1e3 * stats.percentile(latencies, 0.95):.0f} ms")
        figures.append((f"live_replica_gap_{actuator.lower()}", f"{gap:.2f}", "replicas"))
        figures.append((f"live_pod_seconds_ratio_{actuator.lower()}", f"{pods:.2f}", "ratio"))


def live(cluster, space, program, options, figures):
    trace = live_scaling.compress(MOONCAKE.read_text(), **LIVE_TRACE)
    tell(f"the recorded trace, live: {len(trace)} s, {statistics.mean(trace):.1f} calls/s in the mean, at most {max(trace)}, to each server")
    api = Api(cluster)
    live_scaling.apply(cluster, space, LIVE_MANIFEST.read_text())
    seen = live_scaling.play(cluster, api, space, trace)
    took = live_scaling.start_seconds(api, space)
    start_up = max(1, round(stats.percentile(took, 0.5)))
    tell(f"pods were ready {min(took):.0f} to {max(took):.0f} s after their creation; simulated with {start_up} s")
    simulated = simulated_series(program, trace, start_up, options.draws)
    compare_live(seen, simulated, figures)
    if options.svg:
        panels = [(f"replicas with the actuator {actuator}: live (line), simulated (area of {options.draws} draws of the phases)",
                   seen[actuator]["replicas"], [draw["replicas"] for draw in simulated[actuator]]) for actuator in seen]
        pathlib.Path(options.svg).write_text(curves.picture(trace, panels, "calls/s"))
    return {"trace": trace, "seen": seen, "simulated": simulated}


def main():
    parser = argparse.ArgumentParser(prog="hack/bench scaling", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=PARTS, help="may be given more than once")
    parser.add_argument("--trace", action="append", choices=list(TRACES), help="may be given more than once")
    parser.add_argument("--draws", type=int, default=5, metavar="N", help="of the phases (default: %(default)s)")
    parser.add_argument("--react-trials", type=int, default=8, metavar="N", help="steps for each actuator (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 31), help="of the steps' moments; default: random")
    parser.add_argument("--cluster", default="bench", metavar="NAME", help="default: %(default)s")
    parser.add_argument("--json", metavar="FILE", help="the numbers of all runs")
    parser.add_argument("--svg", metavar="FILE", help="the live and the simulated curves")
    options = parser.parse_args()
    options.only = options.only or PARTS
    options.trace = options.trace or list(TRACES)
    if not 1 <= options.draws <= 100:
        parser.error("--draws must be from 1 to 100")
    if not 1 <= options.react_trials <= 200:
        parser.error("--react-trials must be from 1 to 200")

    print(f"machine: {machine()}", flush=True)
    program = build("mcp-simulate") / "mcp-simulate"
    figures, results = [], {}
    if "policies" in options.only:
        results["policies"] = policies(program, options, figures)
    if "fleet" in options.only:
        results["fleet"] = fleet(program, figures)
    if ON_A_CLUSTER & set(options.only):
        tell(f"cluster {options.cluster}; seed {options.seed}")
        with cluster_fleet(options.cluster) as cluster, namespace(cluster, "bench-scaling") as space:
            if "react" in options.only:
                results["react"] = react(cluster, space, options, figures)
            if "live" in options.only:
                results["live"] = live(cluster, space, program, options, figures)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1)
    for name, value, unit in figures:
        print(f"figure {name} {value} {unit}")


if __name__ == "__main__":
    try:
        main()
    except (lab.CommandFailed, RuntimeError, TimeoutError, OSError) as error:
        sys.exit(f"hack/bench scaling: {error}")
