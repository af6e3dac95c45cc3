"""The operators that are measured beside each other: how each is started, and what makes it work."""

import pathlib
from dataclasses import dataclass, field
from typing import Callable

from .fleet import ROOT
from .go_module import GoModule
from .identity import identity
from .programs import build, free_port

IMAGE = "example.invalid/mcp-server:1"


@dataclass
class Contestant:
    name: str
    home: str  # its own namespace
    program: pathlib.Path
    arguments: Callable  # of the kubeconfig
    crds: list
    servers: str  # the group and version of its MCPServer
    spec: dict
    environment: dict = field(default_factory=dict)
    beforehand: Callable = None  # of namespace and name: what has to be there before the MCPServer

    @property
    def user(self):
        return f"system:serviceaccount:{self.home}:{self.name}"

    def path(self, namespace):
        return f"/apis/{self.servers}/namespaces/{namespace}/mcpservers"

    def server(self, namespace, name):
        return {"apiVersion": self.servers, "kind": "MCPServer", "metadata": {"name": name, "namespace": namespace},
                "spec": self.spec}

    def prepare(self, cluster, kubeconfig):
        """Its CRDs, its namespace, and an identity of its own whose requests can be told from others'."""
        cluster.kubectl("apply", "--server-side", *(word for path in self.crds for word in ("-f", path)))
        cluster.kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd", "--all")
        cluster.kubectl("create", "namespace", self.home)
        identity(cluster, self.home, self.name, "cluster-admin", kubeconfig)


def mcp_operator():
    """A Release build with the chart's settings."""
    def arguments(kubeconfig):
        return ["--kubeconfig", kubeconfig, "--namespace", "mcpfleet-system", "--sidecar-image", "example.invalid/mcp-sidecar:1",
                "--sidecar-pull-policy", "IfNotPresent", "--workers", "8", "--log-format", "json", "--log-level", "info",
                "--listen", f"127.0.0.1:{free_port()}"]

    return Contestant(
        name="mcp-operator", home="mcpfleet-system", program=build("mcp-operator") / "mcp-operator", arguments=arguments,
        crds=[ROOT / "crds"], servers="mcpfleet.dev/v1alpha1",
        spec={"source": {"type": "ContainerImage", "containerImage": {"ref": IMAGE}},
              "transport": {"type": "streamable-http"}, "config": {"port": 8080, "path": "/mcp"},
              "runtime": {"resources": {"requests": {"cpu": "50m", "memory": "64Mi"}}},
              "autoscaling": {"minReplicas": 1, "maxReplicas": 10, "targets": {"requestsPerSecond": "20"}}})


def thv_operator(tell):
    """ToolHive's operator with its chart's settings.

    Its proxy pods would make a StatefulSet each, for which it waits for ever; nothing runs in these pods, so the
    StatefulSets are made before, as small as can be.
    """
    def arguments(_):
        return ["--leader-elect", "--metrics-bind-address", f"127.0.0.1:{free_port()}",
                "--health-probe-bind-address", f"127.0.0.1:{free_port()}"]

    program, source = _thv_built(tell)
    return Contestant(
        name="thv-operator", home="toolhive-system", program=program, arguments=arguments,
        crds=[source / "deploy/charts/operator-crds/files/crds"], servers="toolhive.stacklok.dev/v1beta1",
        spec={"image": IMAGE, "transport": "streamable-http", "proxyPort": 8080, "mcpPort": 8080,
              "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}}},
        environment={"GOMEMLIMIT": "110MiB", "GOGC": "75", "UNSTRUCTURED_LOGS": "false", "POD_NAMESPACE": "toolhive-system",
                     "TOOLHIVE_USE_CONFIGMAP": "true", "ENABLE_EXPERIMENTAL_FEATURES": "false",
                     "TOOLHIVE_ENABLE_STORAGE_VERSION_MIGRATOR": "true", "TOOLHIVE_PROXY_HOST": "0.0.0.0",
                     "TOOLHIVE_RUNNER_IMAGE": "example.invalid/proxyrunner:1", "VMCP_IMAGE": "example.invalid/vmcp:1",
                     "TOOLHIVE_REGISTRY_API_IMAGE": "example.invalid/registry-api:1",
                     "TOOLHIVE_SKIP_UPDATE_CHECK": "true"},  # it would ask a server on the internet
        beforehand=_stateful_set)


def _stateful_set(namespace, name):
    return f"/apis/apps/v1/namespaces/{namespace}/statefulsets", {
        "apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": {"name": name, "namespace": namespace, "labels": {"toolhive": "true", "toolhive-name": name}},
        "spec": {"replicas": 0, "serviceName": name, "selector": {"matchLabels": {"app": name}},
                 "template": {"metadata": {"labels": {"app": name}},
                              "spec": {"containers": [{"name": "mcp", "image": IMAGE}]}}}}


def _thv_built(tell):
    """The program, built once into the cache, and its sources."""
    module = GoModule("thv-operator", tell)
    return module.program(lambda folder: module.go(
        "install", "-trimpath", "-ldflags", "-s -w", f"{module.module}/cmd/thv-operator@{module.version}",
        GOBIN=str(folder))), module.sources
