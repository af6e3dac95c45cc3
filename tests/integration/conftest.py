"""What integration tests share: a real kube-apiserver and controller-manager (with the real HPA controller), without
nodes. The programs under test run on this machine, from the directory in MCPFLEET_BIN."""

import contextlib
import json
import os
import pathlib
import re
import shlex
import socket
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("MCPFLEET_BIN", ROOT / "build" / "dev" / "bin"))
# Several clusters, and tests at each, may be there at once: each has its own of 127.0.0.0/8 for pods that are played.
CLUSTER = os.environ.get("MCPFLEET_INTEGRATION_CLUSTER", "itest")
LOOPBACK = f"127.{int(re.search('[0-9]*$', CLUSTER)[0] or 0) % 256}"


def wait_for(what, condition, timeout=30, every=0.1):
    """The first truthy value of condition(); fails with `what` and the last value or error after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    last = None
    while time.monotonic() < deadline:
        try:
            last = condition()
        except Exception as error:  # noqa: BLE001  (told at the end)
            last = error
        if last and not isinstance(last, Exception):
            return last
        time.sleep(every)
    pytest.fail(f"waited {timeout} s for {what}; last: {last!r}")


def free_port(address="127.0.0.1"):
    with socket.socket() as one:
        one.bind((address, 0))
        return one.getsockname()[1]


class ApiCluster:
    """A running cluster of level `api`."""

    def __init__(self, name):
        self.name = name
        up = [ROOT / "hack" / "cluster", "up", "--name", name, "--level", "api", "--hpa-sync-period", "2s"]
        subprocess.run(up, check=True)
        self.kubeconfig = subprocess.run([ROOT / "hack" / "cluster", "kubeconfig", "--name", name], check=True,
                                         capture_output=True, text=True).stdout.strip()
        lines = (pathlib.Path(self.kubeconfig).parent / "env").read_text().splitlines()
        facts = {key: shlex.split(value)[0] for key, value in
                 (line.removeprefix("export ").split("=", 1) for line in lines)}
        self.host_ip = facts["MCPFLEET_HOST_IP"]
        self.api_server = facts["MCPFLEET_API_SERVER"]
        self._kubectl = [facts["KUBECTL"], "--kubeconfig", self.kubeconfig]

    def kubectl(self, *arguments, stdin=None, check=True):
        """Runs kubectl; returns its output. `stdin` may be text or an object, which is sent as JSON."""
        if stdin is not None and not isinstance(stdin, str):
            stdin = json.dumps(stdin)
        done = subprocess.run([*self._kubectl, *arguments], input=stdin, capture_output=True, text=True)
        if check and done.returncode != 0:
            raise RuntimeError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout if done.returncode == 0 else done.stderr

    def apply(self, *objects):
        self.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-",
                     stdin={"apiVersion": "v1", "kind": "List", "items": list(objects)})

    def get(self, *arguments):
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))

    def raw(self, path):
        return json.loads(self.kubectl("get", "--raw", path))


@contextlib.contextmanager
def program(name, *arguments, log):
    """Runs one of our programs; ends it with SIGTERM and wants it to end well. Yields the process."""
    with open(log, "w") as out:
        process = subprocess.Popen([BIN / name, *arguments], stdout=out, stderr=subprocess.STDOUT)
    try:
        yield process
        if process.poll() is not None:
            pytest.fail(f"{name} ended by itself with {process.returncode}:\n{pathlib.Path(log).read_text()[-4000:]}")
        process.terminate()
        assert process.wait(timeout=15) == 0, f"{name} did not end well:\n{pathlib.Path(log).read_text()[-4000:]}"
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def chart_rbac(part, namespace, *values):
    """The chart's Roles and bindings for a part as YAML, installed in `namespace` with `values` ("key=value")."""
    helm = subprocess.run([ROOT / "hack" / "cluster", "build", "helm"], check=True, capture_output=True,
                          text=True).stdout.split()[-1]
    settings = [word for value in values for word in ("--set", value)]
    return subprocess.run([helm, "template", "mcpfleet", ROOT / "charts" / "mcpfleet", "--namespace", namespace,
                           "--show-only", f"templates/{part}-rbac.yaml", *settings],
                          check=True, capture_output=True, text=True).stdout


def grant(cluster, part, account, namespace, *values):
    """Makes a namespace, and in it a part's service account with exactly the rights that the chart gives; returns the
    path of a kubeconfig with its token."""
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
                  {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": account, "namespace": namespace}})
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=chart_rbac(part, namespace, *values))
    token = cluster.kubectl("create", "token", account, "-n", namespace, "--duration=2h").strip()
    config = json.loads(cluster.kubectl("config", "view", "--raw", "-o", "json"))
    config["users"] = [{"name": part, "user": {"token": token}}]
    config["contexts"][0]["context"]["user"] = part
    path = pathlib.Path(cluster.kubeconfig).parent / f"{part}-{namespace}-kubeconfig"
    path.write_text(json.dumps(config))
    return path


def grant_operator(cluster, namespace, *values):
    return grant(cluster, "operator", "mcp-operator", namespace, *values)


@pytest.fixture(scope="session")
def api_cluster():
    """The cluster of all integration tests, with our CRDs. It stays up afterwards; hack/test takes it down."""
    cluster = ApiCluster(CLUSTER)
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(ROOT / "crds"))
    cluster.kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd/mcpservers.mcpfleet.dev",
                    "crd/mcpgateways.mcpfleet.dev")
    return cluster


@pytest.fixture()
def namespace(api_cluster, request):
    """A namespace of the test's own, gone after it."""
    name = "t-" + request.node.name.replace("_", "-").removeprefix("test-").lower()[:40].strip("-")
    api_cluster.kubectl("delete", "namespace", name, "--ignore-not-found", "--timeout=60s")
    api_cluster.kubectl("create", "namespace", name)
    yield name
    api_cluster.kubectl("delete", "namespace", name, "--wait=false")
