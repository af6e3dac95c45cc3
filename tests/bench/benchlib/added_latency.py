"""What stands in front of a server adds to a call: latency_probe over several ways to one server, in one run."""

import contextlib
import json
import pathlib
import subprocess
import tempfile

from . import stats
from .programs import free_port, listening, pinned, running

RELAY_PORT = 19099  # in the pod, beside 19080 and 19090
SECONDS = 240       # what is started ends after so long by itself


def in_cluster(cluster, namespace, pod, address, server_port, programs, seed):
    """The ways to the server in the pod: directly, by the sidecar, by a bare TCP relay in the same pod."""
    with _relay_in_pod(cluster, namespace, pod, server_port, programs / "tcp_relay"):
        return _probe([str(programs / "latency_probe")], rounds=400, block=50, seed=seed, targets={
            "direct": f"http://{address}:{server_port}/mcp",
            "relay": f"http://{address}:{RELAY_PORT}/mcp",
            "sidecar": f"http://{address}:19080/mcp"})


@contextlib.contextmanager
def _relay_in_pod(cluster, namespace, pod, server_port, program):
    kubectl = [cluster.env["KUBECTL"], "--kubeconfig", cluster.env["KUBECONFIG"], "exec", "-i", "-n", namespace, pod,
               "-c", "server", "--"]
    subprocess.run([*kubectl, "sh", "-c", "cat >/mcpfleet/tcp_relay && chmod 0755 /mcpfleet/tcp_relay"],
                   input=program.read_bytes(), check=True, timeout=60)
    # kubectl's end does not end the program in the pod: its own limit does, or the pod's end.
    with running([*kubectl, "/mcpfleet/tcp_relay", "--listen", f"0.0.0.0:{RELAY_PORT}",
                  "--upstream", f"127.0.0.1:{server_port}", "--seconds", SECONDS]) as child:
        listening(child)
        yield


def on_loopback(programs, seed, front_core, back_core):
    """The same ways to a server of fixed answers, on loopback: what is in front on one core, server and client on another,
    or all on one."""
    with contextlib.ExitStack() as stack:
        state = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        log = stack.enter_context(open(state / "log", "w+"))

        def start(core, program, *flags):
            argv = [str(programs / program), *map(str, flags)]
            return stack.enter_context(running(pinned(core, argv), env=_sidecar_environment(), log=log))

        stub = listening(start(back_core, "stub_server", "--seconds", SECONDS))
        relay = listening(start(front_core, "tcp_relay", "--upstream", stub, "--seconds", SECONDS))
        sidecar, health = (f"127.0.0.1:{free_port()}" for _ in range(2))
        (state / "key").write_bytes(bytes(range(32)))
        start(front_core, "mcp-sidecar", "serve", "--listen", sidecar, "--metrics-listen", health, "--upstream", f"http://{stub}",
              "--session-key-file", state / "key", "--drain-socket", state / "drain.sock")
        _wait_ready(health, log)
        return _probe(pinned(back_core, [str(programs / "latency_probe")]), rounds=300, block=50, seed=seed, targets={
            "direct": f"http://{stub}/mcp", "relay": f"http://{relay}/mcp", "sidecar": f"http://{sidecar}/mcp"})


def _sidecar_environment():
    return {"POD_NAME": "bench-0", "POD_NAMESPACE": "bench", "POD_IP": "127.0.0.1", "MCPFLEET_SERVER": "bench"}


def _wait_ready(address, log):
    done = subprocess.run(["curl", "-fsS", "--retry", "30", "--retry-delay", "1", "--retry-all-errors", "--max-time", "60",
                           "-o", "/dev/null", f"http://{address}/ready"], capture_output=True)
    if done.returncode != 0:
        log.seek(0)
        raise RuntimeError(f"the sidecar does not get ready: {log.read()[-2000:]}")


def _probe(command, rounds, block, seed, targets):
    words = [word for name, url in targets.items() for word in ("--target", f"{name}={url}")]
    done = subprocess.run([*command, "--rounds", str(rounds), "--block", str(block), "--seed", str(seed),
                           "--seconds", str(SECONDS // 2), *words], text=True, capture_output=True, timeout=SECONDS)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    return Ways({way["name"]: way for way in json.loads(done.stdout)["ways"]})


class Ways:
    """The samples of all ways, in rounds."""

    def __init__(self, ways):
        self.ways = ways
        # Sorted blocks merge quickly, over and over.
        blocks = [[sorted(block) for block in way["rounds_ns"]] for way in ways.values()]
        self._rounds = [dict(zip(ways, of_round)) for of_round in zip(*blocks)]
        self.values = _added(self._rounds)
        self.intervals = stats.intervals(self._rounds, _added)

    def table(self):
        for name, way in self.ways.items():
            times = "  ".join(f"{label} {way[label + '_ns'] / 1e3:7.0f}" for label in ("p50", "p90", "p99"))
            yield f"{name:8} {way['calls']:6} calls  {times}  µs"
        for name, value in self.values.items():
            low, high = self.intervals[name]
            digits = 2 if name == "p50_ratio" else 0
            yield f"{name:12} {value:.{digits}f} (95 % interval {low:.{digits}f} to {high:.{digits}f})"


def _added(rounds):
    """What relay and sidecar add to direct calls, in microseconds, and the sidecar's share of the relay's."""
    merged = {way: sorted(value for blocks in rounds for value in blocks[way]) for way in rounds[0]}
    added = {f"{way}_{label}_us": (stats.nearest(merged[way], share) - stats.nearest(merged["direct"], share)) / 1e3
             for way in ("relay", "sidecar") for label, share in (("p50", 0.5), ("p99", 0.99))}
    return {**added, "p50_ratio": added["sidecar_p50_us"] / added["relay_p50_us"]}
