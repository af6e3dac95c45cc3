"""Secrets and ConfigMaps that MCPServers refer to: their data rolls the pods, and one that is missing is said."""

import base64

import pytest

from conftest import grant_operator, program, wait_for
from test_operator import OPERATOR_NAMESPACE, arguments, condition, mcp_server, own_namespace, versions, wait_accepted  # noqa: F401

FINGERPRINT = "mcpfleet.dev/config-fingerprint"


def config_map(namespace, name, data, **metadata):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace, **metadata}, "data": data}


def secret(namespace, name, data):
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace}, "data": encoded}


@pytest.fixture(scope="module")
def may_read_secrets(api_cluster, own_namespace):  # noqa: F811
    """What the chart grants with operator.watchSecrets, and no more."""
    grant_operator(api_cluster, OPERATOR_NAMESPACE, "operator.watchSecrets=true")
    yield
    grant_operator(api_cluster, OPERATOR_NAMESPACE)


def running(cluster, log, secrets):
    return program("mcp-operator", *arguments(cluster), "--watch-secrets", str(secrets).lower(), log=log)


@pytest.fixture()
def operator(api_cluster, may_read_secrets, tmp_path):
    with running(api_cluster, tmp_path / "operator.log", True) as process:
        yield process


def using(namespace, name, **spec):
    """An MCPServer with an environment from ConfigMap `settings` and Secret `token`."""
    return mcp_server(namespace, name, config={"port": 3001, "envFrom": [{"configMapRef": {"name": "settings"}}], "env": [
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "token", "key": "value"}}}]}, **spec)


def template(cluster, namespace, name):
    return cluster.get("deployment", "-n", namespace, name)["spec"]["template"]


def fingerprint(cluster, namespace, name):
    return template(cluster, namespace, name)["metadata"].get("annotations", {}).get(FINGERPRINT)


def refused(cluster, namespace, name, reason):
    def settled():
        found = condition(cluster, namespace, name, "Accepted")
        return found if found and found["status"] == "False" and found["reason"] == reason else None
    return wait_for(f"{reason} of {name}", settled)


def test_a_change_of_data_rolls_the_pods_and_nothing_else_does(api_cluster, namespace, operator):
    api_cluster.apply(config_map(namespace, "settings", {"mode": "a"}), secret(namespace, "token", {"value": "1"}))
    api_cluster.apply(using(namespace, "a"), mcp_server(namespace, "none"))
    for name in ("a", "none"):
        wait_accepted(api_cluster, namespace, name)
    first = fingerprint(api_cluster, namespace, "a")
    assert first and fingerprint(api_cluster, namespace, "none") is None

    api_cluster.apply(config_map(namespace, "settings", {"mode": "b"}))
    wait_for("another ConfigMap to roll the pods", lambda: fingerprint(api_cluster, namespace, "a") != first)
    second = fingerprint(api_cluster, namespace, "a")
    api_cluster.apply(secret(namespace, "token", {"value": "2"}))
    wait_for("another Secret to roll the pods", lambda: fingerprint(api_cluster, namespace, "a") != second)
    third = fingerprint(api_cluster, namespace, "a")

    generation = api_cluster.get("deployment", "-n", namespace, "a")["metadata"]["generation"]
    api_cluster.kubectl("label", "-n", namespace, "configmap/settings", "team=x")
    api_cluster.kubectl("annotate", "-n", namespace, "secret/token", "note=y")
    # A change of the data that follows shows that the others were looked at.
    api_cluster.apply(secret(namespace, "token", {"value": "1"}))
    wait_for("the data of before", lambda: fingerprint(api_cluster, namespace, "a") == second)
    assert third != second
    assert api_cluster.get("deployment", "-n", namespace, "a")["metadata"]["generation"] == generation + 1


def test_one_that_is_missing_is_said_and_what_ran_goes_on(api_cluster, namespace, operator):
    api_cluster.apply(using(namespace, "a"))
    said = refused(api_cluster, namespace, "a", "SecretNotFound")
    assert "token" in said["message"] and "spec.config.env[0]" in said["message"], said
    api_cluster.apply(secret(namespace, "token", {"value": "1"}))
    said = refused(api_cluster, namespace, "a", "ConfigMapNotFound")
    assert "settings" in said["message"], said
    assert not api_cluster.get("deployments", "-n", namespace)["items"]
    api_cluster.apply(config_map(namespace, "settings", {"mode": "a"}))
    wait_accepted(api_cluster, namespace, "a")

    before = template(api_cluster, namespace, "a")
    api_cluster.kubectl("delete", "secret/token", "-n", namespace)
    refused(api_cluster, namespace, "a", "SecretNotFound")
    assert template(api_cluster, namespace, "a") == before
    api_cluster.apply(secret(namespace, "token", {"value": "1"}))
    wait_accepted(api_cluster, namespace, "a")
    assert template(api_cluster, namespace, "a") == before


def test_a_restart_rolls_nothing(api_cluster, may_read_secrets, namespace, tmp_path):
    api_cluster.apply(config_map(namespace, "settings", {"mode": "a"}), secret(namespace, "token", {"value": "1"}))

    def deployment():
        found = api_cluster.get("deployment", "-n", namespace, "a")
        return found["metadata"]["generation"], found["spec"]["template"]

    def version_of_service():
        return versions(api_cluster, namespace)["Service", "a"]
    with running(api_cluster, tmp_path / "first.log", True):
        api_cluster.apply(using(namespace, "a"))
        wait_accepted(api_cluster, namespace, "a")
        before = deployment(), version_of_service()
    with running(api_cluster, tmp_path / "second.log", True):
        # It takes them in order: once `b` is there it has looked at `a`.
        api_cluster.apply(mcp_server(namespace, "b"))
        wait_accepted(api_cluster, namespace, "b")
        assert (deployment(), version_of_service()) == before
        api_cluster.apply(secret(namespace, "token", {"value": "2"}))
        wait_for("the new one to roll the pods", lambda: deployment() != before[0])


def test_without_watch_secrets_they_are_let_be(api_cluster, own_namespace, namespace, tmp_path):  # noqa: F811
    api_cluster.apply(config_map(namespace, "settings", {"mode": "a"}))
    with running(api_cluster, tmp_path / "operator.log", False):
        api_cluster.apply(using(namespace, "a"))
        wait_accepted(api_cluster, namespace, "a")
        first = fingerprint(api_cluster, namespace, "a")
        assert first, "the ConfigMap counts"
        api_cluster.apply(secret(namespace, "token", {"value": "1"}))
        api_cluster.apply(config_map(namespace, "settings", {"mode": "b"}))
        wait_for("the ConfigMap to roll the pods", lambda: fingerprint(api_cluster, namespace, "a") != first)
        # The Secret came meanwhile, and does not count.
        api_cluster.apply(config_map(namespace, "settings", {"mode": "a"}))
        wait_for("the data of before", lambda: fingerprint(api_cluster, namespace, "a") == first)
