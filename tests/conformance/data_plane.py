"""Programs on loopback: mcp-sidecar in front of a server, mcp-gateway in front of sidecars. They run from the directory in
MCPFLEET_BIN."""

import contextlib
import json
import os
import pathlib
import secrets
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("MCPFLEET_BIN", ROOT / "build" / "dev" / "bin"))
NAMESPACE, SERVER = "team", "reference"  # of the MCPServer that a gateway's sidecars are pods of


def wait_for(what, condition, timeout=30, every=0.05):
    """The first truthy value of condition(); TimeoutError after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(every)
    raise TimeoutError(f"waited {timeout} s for {what}")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def listens(port):
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


class Process(subprocess.Popen):
    """One that may be stopped by who started it; else it should run on."""

    stopped = False

    def stop(self, by=signal.SIGTERM):
        self.stopped = True
        self.send_signal(by)


@contextlib.contextmanager
def running(argv, log):
    """A program until the end of the block; it is ended with SIGTERM. Yields the process. RuntimeError where it has ended
    by itself."""
    with open(log, "w") as out:
        process = Process([str(word) for word in argv], stdout=out, stderr=subprocess.STDOUT)
    try:
        yield process
        if process.poll() is not None and not process.stopped:
            raise RuntimeError(f"{argv[0]} ended by itself with {process.returncode}:\n{log.read_text()[-4000:]}")
    finally:
        process.stop()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Program:
    """A running mcp-sidecar or mcp-gateway; `url` is where MCP is there."""

    def __init__(self, port, metrics_port, path, process):
        self.port = port
        self.metrics_port = metrics_port
        self.url = f"http://127.0.0.1:{port}{path}"
        self.process = process

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}{path}", timeout=10) as answer:
            return answer.read().decode()

    def health(self):
        return json.loads(self.get("/health"))

    def ready(self):
        try:
            self.get("/ready")
        except (urllib.error.URLError, OSError):
            return False
        return True


@contextlib.contextmanager
def _ready(command, key, arguments, path, log):
    port, metrics_port = free_port(), free_port()
    argv = [*command, "--listen", f"127.0.0.1:{port}", "--metrics-listen", f"127.0.0.1:{metrics_port}",
            "--session-key-file", key, "--drain-grace", "0s", *arguments]
    with running(argv, log) as process:
        one = Program(port, metrics_port, path, process)
        wait_for(f"{command[0].name} to be ready", lambda: process.poll() is not None or one.ready())
        yield one


def _key(file):
    if not file.exists():
        file.write_bytes(secrets.token_bytes(32))
    return file


@contextlib.contextmanager
def sidecar(folder, *arguments, name="sidecar", drain_timeout="1s"):
    """A sidecar that is ready; `arguments` say what it stands in front of. Those of one folder are pods of one server, and
    need a name each."""
    words = ["--drain-socket", folder / f"{name}.sock", "--drain-timeout", drain_timeout, *arguments]
    with _ready([BIN / "mcp-sidecar", "serve"], _key(folder / "sidecar.key"), words, "/mcp", folder / f"{name}.log") as one:
        yield one


def routes(pods):
    """The objects that lead a gateway to pods, given as name and port on loopback: one MCPServer."""
    server = {"kind": "MCPServer", "metadata": {"namespace": NAMESPACE, "name": SERVER},
              "spec": {"source": {"type": "ContainerImage", "containerImage": {"ref": "x"}}}}
    # A slice has one port for all of its endpoints.
    slices = [{"kind": "EndpointSlice", "addressType": "IPv4", "ports": [{"name": "mcp", "port": port}],
               "metadata": {"namespace": NAMESPACE, "name": f"{SERVER}-{name}",
                            "labels": {"kubernetes.io/service-name": SERVER}},
               "endpoints": [{"addresses": ["127.0.0.1"], "targetRef": {"kind": "Pod", "name": name}}]}
              for name, port in pods.items()]
    return [server, *slices]


@contextlib.contextmanager
def gateway(folder, pods, name="gateway", drain_timeout="1s"):
    """A gateway that is ready, in front of the pods of one MCPServer, given as in routes(). Those of one folder share the
    keys of sessions, and need a name each."""
    file = folder / f"{name}.routes.json"
    file.write_text(json.dumps({"kind": "List", "items": routes(pods)}))
    words = ["--routes", file, "--drain-timeout", drain_timeout]
    path = f"/{NAMESPACE}/{SERVER}/mcp"
    with _ready([BIN / "mcp-gateway"], _key(folder / "gateway.key"), words, path, folder / f"{name}.log") as one:
        yield one


WAYS = ("sidecar", "gateway")


@contextlib.contextmanager
def by_way_of(way, folder, *arguments):
    """A sidecar as in sidecar(), with a gateway in front of it where `way` is "gateway". Yields the one that clients talk
    to, and the sidecar."""
    with contextlib.ExitStack() as stack:
        one = stack.enter_context(sidecar(folder, *arguments))
        front = stack.enter_context(gateway(folder, {"pod-0": one.port})) if way == "gateway" else one
        yield front, one
