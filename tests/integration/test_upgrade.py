"""A newer mcp-operator with a newer sidecar: pods keep theirs until something else rolls them, or get it at once."""

from conftest import program, wait_for
from test_operator import arguments, mcp_server, own_namespace, wait_accepted  # noqa: F401

NEWER = "example.invalid/mcp-sidecar:newer"


def running(cluster, log, *options):
    return program("mcp-operator", *arguments(cluster), *options, log=log)


def deployment(cluster, namespace):
    return cluster.get("deployment", "-n", namespace, "a")


def images(cluster, namespace):
    pod = deployment(cluster, namespace)["spec"]["template"]["spec"]
    return {c["name"]: c["image"] for c in pod["containers"] + pod["initContainers"]}


def test_an_upgrade_restarts_no_pods(api_cluster, namespace, own_namespace, tmp_path):  # noqa: F811
    with running(api_cluster, tmp_path / "older.log"):
        api_cluster.apply(mcp_server(namespace, "a"))
        wait_accepted(api_cluster, namespace, "a")
    before = deployment(api_cluster, namespace)["metadata"]
    older = images(api_cluster, namespace)["mcp-sidecar"]
    with running(api_cluster, tmp_path / "newer.log", "--sidecar-image", NEWER):
        # By the time that `b` is there it has looked at `a`.
        api_cluster.apply(mcp_server(namespace, "b"))
        wait_accepted(api_cluster, namespace, "b")
        assert deployment(api_cluster, namespace)["metadata"]["generation"] == before["generation"]
        assert images(api_cluster, namespace)["mcp-sidecar"] == older
        source = {"type": "ContainerImage", "containerImage": {"ref": "example.invalid/server:2"}}
        api_cluster.apply(mcp_server(namespace, "a", source=source))
        wait_for("both images, in one roll-out", lambda: images(api_cluster, namespace) == {
            "server": "example.invalid/server:2", "mcp-sidecar": NEWER, "mcp-sidecar-install": NEWER})
        assert deployment(api_cluster, namespace)["metadata"]["generation"] == before["generation"] + 1


def test_an_upgrade_at_once_where_it_is_asked_for(api_cluster, namespace, own_namespace, tmp_path):  # noqa: F811
    with running(api_cluster, tmp_path / "older.log"):
        api_cluster.apply(mcp_server(namespace, "a"))
        wait_accepted(api_cluster, namespace, "a")
    with running(api_cluster, tmp_path / "newer.log", "--sidecar-image", NEWER, "--sidecar-upgrade", "AtOnce"):
        wait_for("the newer sidecar", lambda: images(api_cluster, namespace)["mcp-sidecar"] == NEWER)
