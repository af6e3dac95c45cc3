"""The cluster that a benchmark measures, and a namespace of its own in it."""

import contextlib
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "hack" / "lib"), str(ROOT / "tests" / "e2e"), str(ROOT / "tests" / "conformance")]

import data_plane  # noqa: E402
import servers  # noqa: E402
import suite  # noqa: E402
from fleetlab import cluster as lab  # noqa: E402
from localcluster import base  # noqa: E402

__all__ = ["base", "data_plane", "lab", "servers", "suite", "fleet", "namespace", "wait_ready", "only_pod"]


@contextlib.contextmanager
def fleet(name):
    """A cluster with mcpfleet in it. One that is up is measured as it is and stays; else one is started, and taken down."""
    cluster = lab.Cluster(name)
    state = json.loads(lab.run("hack/cluster", "status", "--name", name, "--json", check=False) or "{}")
    if state.get("state") == "up" and state.get("level") == "full":
        yield cluster
        return
    try:
        images = lab.built_images()
        cluster.up("full")
        cluster.load_images(*images)
        cluster.install()
        yield cluster
    finally:
        lab.run("hack/cluster", "down", "--name", name)


@contextlib.contextmanager
def namespace(cluster, name):
    cluster.kubectl("delete", "namespace", name, "--ignore-not-found", "--timeout=120s", timeout=150)
    cluster.kubectl("create", "namespace", name)
    try:
        yield name
    finally:
        cluster.kubectl("delete", "namespace", name, "--timeout=120s", timeout=150)


def wait_ready(cluster, server, namespace):
    cluster.kubectl("wait", "--for=condition=Ready", f"mcpserver/{server}", "-n", namespace, "--timeout=180s", timeout=200)


def only_pod(cluster, server, namespace):
    """The name and address of a server's only pod."""
    pods = [pod for pod in cluster.get("pods", namespace=namespace)
            if pod["metadata"]["labels"].get("mcpfleet.dev/server") == server]
    if len(pods) != 1:
        raise RuntimeError(f"{server} should have one pod, but has {len(pods)}")
    return pods[0]["metadata"]["name"], pods[0]["status"]["podIP"]
