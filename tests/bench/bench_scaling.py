"""Scaling policies side by side on simulated load: ours, the HPA's usual pipelines, KEDA, Knative, an oracle.

    hack/bench scaling                      all traces, five draws of the loops' phases each; some minutes
    hack/bench scaling --only policies      without the fleet of 10,000 servers
    hack/bench scaling --trace steps        one of the traces
    hack/bench scaling --json FILE          the numbers behind the tables

One set of parameters for all traces: the pods of mcp-simulate's defaults, and tests/bench/scaling/mcpserver.yaml.
"""

import argparse
import json
import subprocess
import sys

from benchlib import scaling_scores
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
# A live part, on a cluster (react_ms_operator, react_ms_hpa, and the live curves beside the simulated ones), belongs here.
PARTS = ["policies", "fleet"]


def simulate(program, *words):
    done = subprocess.run([str(word) for word in (program, "--server", MANIFEST, "--json", *words)], text=True,
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


def main():
    parser = argparse.ArgumentParser(prog="hack/bench scaling", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=PARTS, help="may be given more than once")
    parser.add_argument("--trace", action="append", choices=list(TRACES), help="may be given more than once")
    parser.add_argument("--draws", type=int, default=5, metavar="N", help="of the phases (default: %(default)s)")
    parser.add_argument("--json", metavar="FILE", help="the numbers of all runs")
    options = parser.parse_args()
    options.only = options.only or PARTS
    options.trace = options.trace or list(TRACES)
    if not 1 <= options.draws <= 100:
        parser.error("--draws must be from 1 to 100")

    print(f"machine: {machine()}", flush=True)
    program = build("mcp-simulate") / "mcp-simulate"
    figures, results = [], {}
    if "policies" in options.only:
        results["policies"] = policies(program, options, figures)
    if "fleet" in options.only:
        results["fleet"] = fleet(program, figures)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1)
    for name, value, unit in figures:
        print(f"figure {name} {value} {unit}")


if __name__ == "__main__":
    try:
        main()
    except (RuntimeError, OSError) as error:
        sys.exit(f"hack/bench scaling: {error}")
