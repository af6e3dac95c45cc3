"""The parts of the measurement of one metrics adapter. Each gives plain values, for a file of results."""

import dataclasses
import json
import random
import statistics
import subprocess
import tempfile
import time

from . import hpa_round, stats
from .fleet import lab
from .metrics_scene import GAUGE, GROUP, PODS_A_SERVER, pods_path

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
CONNECTIONS = [1, 8, 32]
MOST_AGE = 30        # seconds; a step that is not seen for so long is a failure
DISCOVERY_READS = 20


@dataclasses.dataclass
class Settings:
    """How long and how often; seconds."""
    load: int
    settle: int   # from being in step until what it keeps of the pods' past is full
    idle: int     # how long it is watched while nobody asks
    trials: int   # of ages
    hpas: int
    hpa_limit: int  # for each of the two rounds
    seed: int


def empty(scene, running, settings):
    """What it takes before there is any pod."""
    time.sleep(min(5, settings.settle))
    return _memory(running)


def idle(scene, running, settings):
    """Memory and CPU while it scrapes and nobody asks."""
    time.sleep(settings.settle)
    clocks = _clocks(scene, running)
    before, begun = _read(clocks), time.monotonic()
    time.sleep(settings.idle)
    took = time.monotonic() - begun
    return {**_memory(running), "cores": {name: used / took for name, used in _used(clocks, before).items()}}


def load(scene, running, settings):
    """Answers and CPU by the number of connections, and the memory after that."""
    points = {str(connections): _load_point(scene, running, connections, settings.load) for connections in CONNECTIONS}
    return {"points": points, **_memory(running)}


def age(scene, running, settings):
    """Milliseconds from a gauge's step in a pod until an answer for its server's pods holds the new value."""
    generator = random.Random(settings.seed)
    asker, ages = running.ask(), []
    for _ in range(settings.trials):
        pod = generator.choice(scene.pods)
        path = pods_path(GAUGE, f"mcpfleet.dev/server={pod.server}")
        time.sleep(generator.uniform(0.2, 1.5))
        value = int(_value_of(asker, path, pod)) + 1
        begun = time.monotonic()
        scene.step(pod, value)
        while (seen := _value_of(asker, path, pod)) != value:
            if time.monotonic() - begun > MOST_AGE:
                raise RuntimeError(f"{GAUGE} of {pod.name} is {seen} after {MOST_AGE} s, not {value}")
            time.sleep(0.005)
        ages.append((time.monotonic() - begun) * 1e3)
    return {"p50_ms": stats.percentile(ages, 0.5), "p95_ms": stats.percentile(ages, 0.95), "max_ms": max(ages)}


def discovery(scene, running, _):
    """Size, and median time, of what says which metrics there are."""
    asker, found = running.ask(), {}
    for name, path, accept in (("group", f"/apis/{GROUP}/v1beta2", "application/json"), ("aggregated", "/apis", AGGREGATED)):
        took = []
        for _ in range(DISCOVERY_READS):
            begun = time.monotonic()
            status, body = asker.get(path, accept)
            took.append((time.monotonic() - begun) * 1e3)
            if status != 200:
                raise RuntimeError(f"GET {path} was answered {status}: {body[:300]!r}")
        found[name] = {"bytes": len(body), "ms": statistics.median(took)}
    return found


def hpa(scene, running, settings):
    return hpa_round.measure(scene, settings.hpas, settings.hpa_limit)


PARTS = {part.__name__: part for part in (empty, idle, load, age, discovery, hpa)}


def _value_of(asker, path, pod):
    status, body = asker.get(path)
    if status != 200:
        raise RuntimeError(f"GET {path} was answered {status}: {body[:300]!r}")
    values = {item["describedObject"]["name"]: item["value"] for item in json.loads(body)["items"]}
    return lab.quantity(values[pod.name])


def _load_point(scene, running, connections, seconds):
    argv = [scene.programs / "metrics_load", "--address", running.address, "--paths", scene.paths, "--token-file",
            scene.token_file, "--connections", connections, "--seconds", seconds, "--items", PODS_A_SERVER]
    clocks = _clocks(scene, running)
    with tempfile.TemporaryFile("w+") as said, subprocess.Popen(
            [str(word) for word in argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True) as child:
        try:
            ready = child.stdout.readline()
            before = _read(clocks)
            line = child.communicate("\n")[0] if ready else ""
            used = _used(clocks, before)
        finally:
            child.kill()
        said.seek(0)
        text = said.read().strip()
        if not line:
            raise RuntimeError(f"metrics_load failed: {text}")
    return {**json.loads(line), "cpu_s": used, "first_error": text}


def _clocks(scene, running):
    return {**running.processes, "apiserver": scene.api_server()}


def _read(clocks):
    return {name: process.cpu_seconds() for name, process in clocks.items()}


def _used(clocks, before):
    return {name: process.cpu_seconds() - before[name] for name, process in clocks.items()}


def _memory(running):
    """Medians of five seconds: a garbage collector's heap goes up and down."""
    samples = {name: [] for name in running.processes}
    for _ in range(5):
        for name, process in running.processes.items():
            samples[name].append(process.rss_mib())
        time.sleep(1)
    return {"rss_mib": {name: statistics.median(values) for name, values in samples.items()}}
