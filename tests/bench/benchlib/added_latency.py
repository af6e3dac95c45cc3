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
        return _probe([str(programs / "latency_probe")], rounds=120, block=50, seed=seed, targets={
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


def on_loopback(programs, seed):
    """The same ways to a server of fixed answers, on loopback: what is in front on one core, server and client on the other."""
    with contextlib.ExitStack() as stack:
        state = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))

        def start(core, program, *flags):
            argv = [str(programs / program), *map(str, flags)]
            return stack.enter_context(running(pinned(core, argv), env=_sidecar_environment(), log=None))

        stub = listening(start(1, "stub_server", "--seconds", SECONDS))
        relay = listening(start(0, "tcp_relay", "--upstream", stub, "--seconds", SECONDS))
        sidecar, health = (f"127.0.0.1:{free_port()}" for _ in range(2))
        (state / "key").write_bytes(bytes(range(32)))
        start(0, "mcp-sidecar", "serve", "--listen", sidecar, "--metrics-listen", health, "--upstream", f"http://{stub}",
              "--session-key-file", state / "key", "--drain-socket", state / "drain.sock")
        _wait_ready(health)
        return _probe(pinned(1, [str(programs / "latency_probe")]), rounds=300, block=50, seed=seed, targets={
            "direct": f"http://{stub}/mcp", "relay": f"http://{relay}/mcp", "sidecar": f"http://{sidecar}/mcp"})


def _sidecar_environment():
    return {"POD_NAME": "bench-0", "POD_NAMESPACE": "bench", "POD_IP": "127.0.0.1", "MCPFLEET_SERVER": "bench"}


def _wait_ready(address):
    subprocess.run(["curl", "-fsS", "--retry", "30", "--retry-delay", "1", "--retry-all-errors", "--max-time", "60",
                    "-o", "/dev/null", f"http://{address}/ready"], check=True, stderr=subprocess.DEVNULL)


def _probe(command, rounds, block, seed, targets):
    words = [word for name, url in targets.items() for word in ("--target", f"{name}={url}")]
    done = subprocess.run([*command, "--rounds", str(rounds), "--block", str(block), "--seed", str(seed),
                           "--seconds", str(SECONDS // 2), *words], text=True, capture_output=True, timeout=SECONDS)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    return Ways({way["name"]: way for way in json.loads(done.stdout)["ways"]})


class Ways:
    """The samples of all ways, in rounds. Figures are in microseconds."""

    def __init__(self, ways):
        self.ways = ways
        names = list(ways)
        self._rounds = [dict(zip(names, blocks)) for blocks in zip(*(ways[name]["rounds_ns"] for name in names))]

    def added(self, way, share, rounds=None):
        rounds = rounds or self._rounds
        return self._at(rounds, way, share) - self._at(rounds, "direct", share)

    def added_interval(self, way, share):
        return stats.interval(self._rounds, lambda rounds: self.added(way, share, rounds))

    def ratio(self, rounds=None):
        """What the sidecar adds to the median, over what the relay adds."""
        return self.added("sidecar", 0.5, rounds) / self.added("relay", 0.5, rounds)

    def ratio_interval(self):
        return stats.interval(self._rounds, self.ratio)

    def table(self):
        for name, way in self.ways.items():
            times = "  ".join(f"{label} {way[label + '_ns'] / 1e3:7.0f}" for label in ("p50", "p90", "p99"))
            yield f"  {name:8} {way['calls']:6} calls  {times}  µs"

    @staticmethod
    def _at(rounds, way, share):
        return stats.percentile([value for blocks in rounds for value in blocks[way]], share) / 1e3
