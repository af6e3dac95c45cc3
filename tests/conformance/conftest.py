"""What conformance tests share: the official suite and reference server that hack/conformance gets, and sidecars in front
of that server, all on loopback. The programs under test run from the directory in MCPFLEET_BIN."""

import contextlib
import json
import os
import pathlib
import secrets
import socket
import subprocess
import time
import urllib.error
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("MCPFLEET_BIN", ROOT / "build" / "dev" / "bin"))


def wait_for(what, condition, timeout=30, every=0.05):
    """The first truthy value of condition(); fails after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(every)
    pytest.fail(f"waited {timeout} s for {what}")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def listens(port):
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def running(argv, log):
    """A program until the end of the block; it is ended with SIGTERM. Yields the process."""
    with open(log, "w") as out:
        process = subprocess.Popen([str(word) for word in argv], stdout=out, stderr=subprocess.STDOUT)
    try:
        yield process
        if process.poll() is not None:
            pytest.fail(f"{argv[0]} ended by itself with {process.returncode}:\n{log.read_text()[-4000:]}")
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Tools:
    """The pinned suite, reference server and Node."""

    def __init__(self, facts):
        self.node = facts["node"]
        self.packages = pathlib.Path(facts["packages"])
        self.server = facts["server"]
        self.suite = self.packages / "node_modules" / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"

    @contextlib.contextmanager
    def http_server(self, folder, stateless):
        """The reference server over Streamable HTTP. Yields its port."""
        port = free_port()
        argv = [self.server, f"-http=127.0.0.1:{port}", f"-stateless={str(stateless).lower()}"]
        with running(argv, folder / "server.log"):
            wait_for("the reference server", lambda: listens(port))
            yield port


@pytest.fixture(scope="session")
def tools():
    got = subprocess.run([ROOT / "hack" / "conformance"], check=True, stdout=subprocess.PIPE, text=True)
    return Tools(json.loads(got.stdout))


class Sidecar:
    """Where a running mcp-sidecar is."""

    def __init__(self, port, metrics_port, process):
        self.url = f"http://127.0.0.1:{port}/mcp"
        self.metrics_port = metrics_port
        self.pid = process.pid

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
def sidecar(folder, *arguments):
    """A sidecar that is ready; `arguments` say what it stands in front of."""
    key = folder / "session.key"
    key.write_bytes(secrets.token_bytes(32))
    port, metrics_port = free_port(), free_port()
    argv = [BIN / "mcp-sidecar", "serve", "--listen", f"127.0.0.1:{port}", "--metrics-listen", f"127.0.0.1:{metrics_port}",
            "--session-key-file", key, "--drain-socket", folder / "drain.sock", "--drain-grace", "0s",
            "--drain-timeout", "1s", *arguments]
    with running(argv, folder / "sidecar.log") as process:
        one = Sidecar(port, metrics_port, process)
        wait_for("the sidecar", one.ready)
        yield one
