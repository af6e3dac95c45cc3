"""What mcp-metrics-adapter keeps of each pod: its parts in one process, no cluster, a minute.

    hack/bench adapter_memory                      1,000 pods of 3 and of 10 series
    hack/bench adapter_memory --seconds 900        until a pod's history is full: all 15 minutes of it

`VmRSS` with the pods less that without, over pods and over series; and how much of it was handed out by the allocator of the C
library. The pods are those of `hack/bench adapter`.
"""

import argparse
import json
import subprocess

from benchlib.programs import build, listening, running
from benchlib.report import machine

GAUGES = 2  # of the series of a pod


def measure(programs, pods, series, seconds):
    with running([programs / "pod_metrics", "--tools", series - GAUGES, "--seconds", seconds + 120]) as stub:
        port = listening(stub).rsplit(":", 1)[1]
        argv = [programs / "fleet_memory", "--pods", pods, "--port", port, "--seconds", seconds]
        said = subprocess.run([str(word) for word in argv], check=True, text=True, stdout=subprocess.PIPE).stdout
    found = json.loads(said)
    return found["with_pods"] - found["empty"], found["handed_out"] - found["handed_out_empty"]


def main():
    parser = argparse.ArgumentParser(prog="hack/bench adapter_memory", description=__doc__, allow_abbrev=False,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pods", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=40, help="from the first scrape on (default: %(default)s)")
    options = parser.parse_args()
    print(f"machine: {machine()}", flush=True)
    programs = build("fleet_memory")
    for series in (3, 10):
        resident, handed_out = measure(programs, options.pods, series, options.seconds)
        print(f"figure {series}_bytes_per_pod {resident / options.pods:.0f} bytes")
        print(f"figure {series}_bytes_per_series {resident / options.pods / series:.0f} bytes")
        print(f"figure {series}_handed_out_per_pod {handed_out / options.pods:.0f} bytes")


if __name__ == "__main__":
    main()
