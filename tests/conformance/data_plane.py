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


def _start(argv, log, environment=None):
    with open(log, "a") as out:
        return subprocess.Popen([str(word) for word in argv], stdout=out, stderr=subprocess.STDOUT,
                                env={**os.environ, **(environment or {})})


def _check_runs(process, log):
    if process.poll() is not None:
        raise RuntimeError(f"{process.args[0]} ended by itself with {process.returncode}:\n{log.read_text()[-4000:]}")


def _end(process):
    process.terminate()
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def running(argv, log):
    """A program until the end of the block; it is ended with SIGTERM. RuntimeError where it has ended by itself."""
    process = _start(argv, log)
    try:
        yield
        _check_runs(process, log)
    finally:
        _end(process)


class Program:
    """An mcp-sidecar or mcp-gateway; `url` is where MCP is there."""

    def __init__(self, command, arguments, name, log, path, address="127.0.0.1"):
        self.port, self._metrics_port = free_port(), free_port()
        self.url = f"http://{address}:{self.port}{path}"
        self._argv = [*command, "--listen", f"{address}:{self.port}", "--metrics-listen", f"127.0.0.1:{self._metrics_port}",
                      *arguments]
        self._name, self._log = name, log
        self._stopped = False
        self._process = None

    def start(self):
        """Starts it, again where it was stopped, and waits until it is ready."""
        self._stopped = False
        self._process = _start(self._argv, self._log, {"POD_NAME": self._name})
        wait_for(f"{self._name} to be ready", self._ready)

    def stop(self, by=signal.SIGTERM, timeout=60):
        """Ends it on purpose, and waits until it has ended."""
        self._stopped = True
        self._process.send_signal(by)
        self._process.wait(timeout=timeout)

    @contextlib.contextmanager
    def running(self):
        try:
            self.start()
            yield self
            if not self._stopped:
                _check_runs(self._process, self._log)
        finally:
            _end(self._process)

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self._metrics_port}{path}", timeout=10) as answer:
            return answer.read().decode()

    def health(self):
        return json.loads(self.get("/health"))

    def _ready(self):
        _check_runs(self._process, self._log)
        try:
            self.get("/ready")
        except (urllib.error.URLError, OSError):
            return False
        return True


def _key(file):
    if not file.exists():
        file.write_bytes(secrets.token_bytes(32))
    return ["--session-key-file", file]


# A test waits for nobody else to hear of an end.
QUICK_DRAIN = ("--drain-grace", "0s", "--drain-timeout", "1s")


@contextlib.contextmanager
def sidecar(folder, *arguments, name="sidecar", drain=QUICK_DRAIN, address="127.0.0.1"):
    """A sidecar that is ready; `arguments` say what it stands in front of. Those of one folder are pods of one server, and
    need a name each."""
    words = [*_key(folder / "sidecar.key"), "--drain-socket", folder / f"{name}.sock", *drain, *arguments]
    command = [BIN / "mcp-sidecar", "serve"]
    with Program(command, words, name, folder / f"{name}.log", "/mcp", address).running() as one:
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
def gateway(folder, pods, name="gateway", drain=QUICK_DRAIN):
    """A gateway that is ready, in front of the pods of one MCPServer, given as in routes(). Those of one folder share the
    keys of sessions, and need a name each."""
    file = folder / f"{name}.routes.json"
    file.write_text(json.dumps({"kind": "List", "items": routes(pods)}))
    with _gateway(folder, name, ["--routes", file, *drain], f"/{NAMESPACE}/{SERVER}/mcp") as one:
        yield one


@contextlib.contextmanager
def watching_gateway(folder, kubeconfig, namespace, server):
    """A gateway that is ready, and learns from an API server; its `url` is that of one MCPServer."""
    words = ["--kubeconfig", kubeconfig, "--watch-namespaces", namespace, *QUICK_DRAIN]
    with _gateway(folder, "gateway", words, f"/{namespace}/{server}/mcp") as one:
        yield one


@contextlib.contextmanager
def _gateway(folder, name, arguments, path):
    words = [*_key(folder / "gateway.key"), *arguments]
    with Program([BIN / "mcp-gateway"], words, name, folder / f"{name}.log", path).running() as one:
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
