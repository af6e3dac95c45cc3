"""A local cluster as scripts see it: kubectl, Helm, and waiting for a condition."""

import json
import os
import pathlib
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
SYSTEM = "mcpfleet-system"
METRICS = "/apis/metrics.mcpfleet.dev/v1beta2"
SERVER_IMAGES = {
    "everything": "localhost/mcp-server-everything:2026.8.31",
    "time": "localhost/mcp-server-time:2026.10.19",
}


class CommandFailed(Exception):
    """A command ended with an error; the text is what it said."""


def run(*argv, stdin=None, timeout=300, env=None, check=True):
    """Runs a command and returns what it printed. CommandFailed carries its standard error."""
    done = subprocess.run([str(word) for word in argv], input=stdin, text=True, capture_output=True, timeout=timeout,
                          env={**os.environ, **(env or {})}, cwd=ROOT)
    if check and done.returncode != 0:
        raise CommandFailed(f"{' '.join(str(w) for w in argv[:6])}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


class Cluster:
    """One local cluster by name. Cheap to make; up() starts it."""

    def __init__(self, name):
        self.name = name
        self._env = {}

    def up(self, level="full", *options):
        run("hack/cluster", "up", "--name", self.name, "--level", level, *options, timeout=1800)
        return self

    @property
    def env(self):
        if not self._env:
            status = json.loads(run("hack/cluster", "status", "--name", self.name, "--json"))
            self._env = status["env"]
        return self._env

    def kubectl(self, *argv, stdin=None, timeout=120, check=True):
        return run(self.env["KUBECTL"], "--kubeconfig", self.env["KUBECONFIG"], *argv, stdin=stdin, timeout=timeout,
                   check=check)

    def get(self, kind, name=None, namespace="default"):
        """An object, or the list's items without a name, as Python values."""
        argv = ["get", kind, *([name] if name else []), "-n", namespace, "-o", "json"]
        found = json.loads(self.kubectl(*argv))
        return found if name else found["items"]

    def raw(self, path):
        return json.loads(self.kubectl("get", "--raw", path))

    def apply(self, manifest):
        """Applies a manifest given as a text, a dictionary or a list of dictionaries."""
        if isinstance(manifest, list):
            manifest = {"apiVersion": "v1", "kind": "List", "items": manifest}
        text = manifest if isinstance(manifest, str) else json.dumps(manifest)
        return self.kubectl("apply", "-f", "-", stdin=text)

    def metric(self, server, metric, namespace="default", **labels):
        """The value of one metric of one MCPServer as a number; None where the metrics API answers with an error."""
        path = f"{METRICS}/namespaces/{namespace}/mcpservers.mcpfleet.dev/{server}/{metric}"
        if labels:
            path += "?metricLabelSelector=" + ",".join(f"{key}%3D{value}" for key, value in labels.items())
        try:
            return quantity(self.raw(path)["items"][0]["value"])
        except CommandFailed:
            return None

    def helm(self, *argv, timeout=300):
        return run(self.env["HELM"], "--kubeconfig", self.env["KUBECONFIG"], *argv, timeout=timeout)

    def load_images(self, *archives):
        run("hack/cluster", "load-image", "--name", self.name, *archives, timeout=600)

    def install(self, *values):
        """Installs or upgrades the chart with the locally built images, and waits until it is ready."""
        settings = ["logFormat=text"]
        programs = {"operator": "mcp-operator", "metricsAdapter": "mcp-metrics-adapter", "sidecar": "mcp-sidecar",
                    "gateway": "mcp-gateway"}
        for part, program in programs.items():
            settings += [f"{part}.image.repository=localhost/mcpfleet/{program}", f"{part}.image.tag=dev",
                         f"{part}.image.pullPolicy=Never"]
        settings += values
        sets = [word for setting in settings for word in ("--set", setting)]
        self.helm("upgrade", "--install", "mcpfleet", "charts/mcpfleet", "--namespace", SYSTEM, "--create-namespace",
                  "--wait", "--timeout", "180s", *sets)

    def wait(self, what, condition, seconds=120, every=0.5):
        """Waits until condition() is true and returns its value; a TimeoutError names what was waited for."""
        deadline = time.monotonic() + seconds
        last = None
        while True:
            try:
                last = condition()
                if last:
                    return last
            except CommandFailed as error:
                last = error
            if time.monotonic() > deadline:
                raise TimeoutError(f"after {seconds} s still not: {what}; last seen: {last}")
            time.sleep(every)

    def ready_replicas(self, server, namespace="default"):
        return self.get("deployment", server, namespace)["status"].get("readyReplicas", 0)

    def replicas(self, server, namespace="default"):
        return self.get("deployment", server, namespace)["spec"].get("replicas", 0)

    def url(self, server, namespace="default", path="/mcp"):
        """The Service's own address: from this host, cluster addresses are reachable and names are not."""
        return f"http://{self.get('service', server, namespace)['spec']['clusterIP']}{path}"


def quantity(text):
    """A Kubernetes quantity, as the metrics API writes it, as a number."""
    factors = {"m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9}
    return float(text[:-1]) * factors[text[-1]] if text[-1] in factors else float(text)


def built_images():
    """Paths of all archives that the cluster needs; builds what is missing."""
    return [*run("hack/images", timeout=3600).split(), *run("hack/server-images", timeout=3600).split()]
