"""One full cluster for all end-to-end tests: a real kubelet, HPA controller and metrics-server, with mcpfleet installed by
Helm from locally built images."""

import hashlib
import os
import pathlib
import re
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "hack" / "lib"))

from fleetlab import cluster as lab  # noqa: E402


@pytest.fixture(scope="session")
def fleet():
    """The cluster with mcpfleet running. It stays up for the next test file; hack/test takes it down."""
    found = lab.Cluster(os.environ.get("MCPFLEET_E2E_CLUSTER", "e2e")).up("full")
    found.load_images(*lab.built_images())
    found.install()
    return found


@pytest.fixture()
def namespace(fleet, request):
    """A namespace of the test's own, gone after it."""
    digest = hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:6]
    name = re.sub("[^a-z0-9]+", "-", request.node.name.removeprefix("test_").lower())[:40].strip("-") + "-" + digest
    fleet.kubectl("delete", "namespace", name, "--ignore-not-found", "--timeout=120s")
    fleet.kubectl("create", "namespace", name)
    yield name
    fleet.kubectl("delete", "namespace", name, "--wait=false")
