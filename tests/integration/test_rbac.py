"""The programs with exactly the rights that the chart gives them, for all of the cluster and for some namespaces."""

import contextlib
import urllib.request

import pytest
from conftest import chart_rbac, free_port, grant, grant_operator, program, wait_for
from test_operator import OPERATOR_NAMESPACE, mcp_server, wait_accepted, with_requests

SIDECAR = "example.invalid/mcp-sidecar:test"


@contextlib.contextmanager
def operator(kubeconfig, namespace, log, *flags):
    """Ends well, and was never refused anything."""
    with program("mcp-operator", "--kubeconfig", str(kubeconfig), "--namespace", namespace, "--sidecar-image", SIDECAR,
                 "--listen", "127.0.0.1:0", "--leader-elect=false", *flags, log=log) as process:
        yield process
    # Namespaces of other tests may be on their way out.
    refused = [line for line in log.read_text().splitlines()
               if "forbidden" in line.lower() and "being terminated" not in line]
    assert not refused, refused


@pytest.fixture()
def namespaces(api_cluster):
    names = ["t-rbac-own", "t-rbac-watched", "t-rbac-other"]
    for name in names:
        api_cluster.kubectl("delete", "namespace", name, "--ignore-not-found", "--timeout=60s")
        api_cluster.kubectl("create", "namespace", name)
    yield names
    grant_operator(api_cluster, OPERATOR_NAMESPACE)  # the cluster's one binding, as other tests have it
    for name in names:
        api_cluster.kubectl("delete", "namespace", name, "--wait=false")


def everything(namespace, name):
    """An MCPServer with children of all kinds, and references."""
    server = mcp_server(namespace, name, runtime=with_requests(), autoscaling={})
    server["spec"]["config"]["envFrom"] = [{"configMapRef": {"name": "settings", "optional": True}}]
    return server


def scenario(cluster, namespace, children_of):
    """Make, change, mend, remove."""
    cluster.apply(everything(namespace, "a"))
    wait_accepted(cluster, namespace, "a")
    cluster.kubectl("delete", "-n", namespace, "service/a")
    wait_for("the Service to come back", lambda: cluster.get("service", "-n", namespace, "a"))
    cluster.apply(mcp_server(namespace, "a"))
    wait_for("the HPA to go", lambda: not cluster.get("hpa", "-n", namespace)["items"])
    cluster.kubectl("delete", "mcpserver", "-n", namespace, "a")
    wait_for("the garbage collector", lambda: not children_of(namespace), timeout=60)


def children(cluster):
    def of(namespace):
        found = cluster.get("deployments,services,secrets,hpa", "-n", namespace)["items"]
        return [item["metadata"]["name"] for item in found]
    return of


def test_the_whole_cluster(api_cluster, namespaces, tmp_path):
    own, watched, _ = namespaces
    with operator(grant_operator(api_cluster, own), own, tmp_path / "log"):
        scenario(api_cluster, watched, children(api_cluster))


def test_some_namespaces(api_cluster, namespaces, tmp_path):
    own, watched, other = namespaces
    kubeconfig = grant_operator(api_cluster, own, f"watchNamespaces={{{watched}}}")
    with operator(kubeconfig, own, tmp_path / "log", f"--watch-namespaces={watched}", "--watch-secrets=true"):
        api_cluster.apply(mcp_server(other, "left-alone"), mcp_server(watched, "b"))
        wait_accepted(api_cluster, watched, "b")
        # Secrets may be read there: the session key comes back.
        api_cluster.kubectl("delete", "-n", watched, "secret/b-session-key")
        wait_for("the session key to come back", lambda: api_cluster.get("secret", "-n", watched, "b-session-key"))
        api_cluster.kubectl("delete", "mcpserver", "-n", watched, "b")
        scenario(api_cluster, watched, children(api_cluster))
        assert not children(api_cluster)(other)
        assert "status" not in api_cluster.get("mcpserver", "-n", other, "left-alone")
    # Nothing for all of the cluster.
    with pytest.raises(RuntimeError, match="forbidden"):
        api_cluster.kubectl("get", "mcpservers", "--all-namespaces", "--kubeconfig", str(kubeconfig))


def make_pod(cluster, namespace, server):
    """With an address, and nobody there."""
    cluster.apply({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": server, "namespace": namespace, "labels": {"mcpfleet.dev/server": server}},
            "spec": {"containers": [{"name": "server", "image": "example.invalid/server:1"}]}})
    cluster.kubectl("patch", "pod", server, "-n", namespace, "--subresource=status", "--type=merge", "-p",
                    '{"status": {"phase": "Running", "podIP": "127.0.99.1", "podIPs": [{"ip": "127.0.99.1"}]}}')


def test_the_metrics_adapter_in_some_namespaces(api_cluster, namespaces, tmp_path, request):
    own, watched, other = namespaces
    values = f"watchNamespaces={{{watched}}}"
    request.addfinalizer(lambda: api_cluster.kubectl(
        "delete", "--ignore-not-found", "-f", "-", stdin=chart_rbac("metrics-adapter", own, values)))
    kubeconfig = grant(api_cluster, "metrics-adapter", "mcp-metrics-adapter", own, values)
    for namespace in (watched, other):
        api_cluster.apply(mcp_server(namespace, "a"))
        make_pod(api_cluster, namespace, "a")
    log, health = tmp_path / "log", f"127.0.0.1:{free_port()}"

    def told(path):
        with urllib.request.urlopen(f"http://{health}{path}", timeout=5) as answer:
            return answer.read().decode()

    # The APIServices are the other tests'.
    with program("mcp-metrics-adapter", "--kubeconfig", str(kubeconfig), "--namespace", own, "--listen", "127.0.0.1:0",
                 "--health-listen", health, "--service-name", "adapter", "--tls-secret", "mcp-metrics-adapter-tls",
                 "--api-services", "", f"--watch-namespaces={watched}", f"--operator-lease={own}/mcp-operator", log=log):
        wait_for("the adapter to be ready", lambda: told("/readyz"))
        wait_for("one pod to be scraped", lambda: "mcpfleet_adapter_targets 1" in told("/metrics").splitlines())
    refused = [line for line in log.read_text().splitlines() if "forbidden" in line.lower()]
    assert not refused, refused
    for resource in ("pods", "mcpservers.mcpfleet.dev"):
        with pytest.raises(RuntimeError, match="forbidden"):
            api_cluster.kubectl("get", resource, "-n", other, "--kubeconfig", str(kubeconfig))
