"""The past of metrics behind the real aggregation layer, in a real adapter with a real Redis, and over its restarts."""

import datetime
import json
import re
import urllib.parse

import pytest
import test_metrics_api as api
from conftest import wait_for
from redis_server import RedisServer
from test_metrics_api import fleet, milli  # noqa: F401  (a fixture)

OWN = "/apis/metrics.mcpfleet.dev/v1beta2"
SERVER = "mcpservers.mcpfleet.dev"


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.kill()


@pytest.fixture(scope="module")
def adapter(api_cluster, redis, tmp_path_factory):
    with api.serving(api_cluster, tmp_path_factory.mktemp("adapter"), "--redis-url", redis.url) as found:
        yield found


class Past:
    """Asks about the past of one namespace, as kubectl does."""

    def __init__(self, fleet):
        self.cluster, self.namespace = fleet.cluster, fleet.namespace

    def path(self, name, metric, resource=SERVER):
        return f"{OWN}/history/namespaces/{self.namespace}/{resource}/{name}/{metric}"

    def history(self, name, metric, resource=SERVER, **parameters):
        question = urllib.parse.urlencode(parameters)
        return self.cluster.raw(f"{self.path(name, metric, resource)}?{question}")

    def samples(self, name, metric, **parameters):
        """The values by their times; none where nothing is known yet."""
        answer = self.cluster.kubectl("get", "--raw", f"{self.path(name, metric)}?{urllib.parse.urlencode(parameters)}",
                                      check=False)
        if not answer.startswith("{"):
            return {}
        return {time_of(sample["timestamp"]): sample["value"] for sample in json.loads(answer)["series"][0]["samples"]}

    def top(self, metric, resource=SERVER, **parameters):
        return self.cluster.raw(f"{OWN}/top/namespaces/{self.namespace}/{resource}/{metric}?"
                                + urllib.parse.urlencode(parameters))["items"]

    def error(self, path, verb="get"):
        return self.cluster.kubectl(verb, "--raw", path, check=False)


def time_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def own_metric(adapter, name):
    text = adapter.plain("/metrics")[1]
    return float(re.search(rf"^mcpfleet_adapter_history_{name} (\S+)$", text, re.MULTILINE)[1])


def test_samples_aggregates_and_rankings(adapter, fleet):  # noqa: F811
    past = Past(fleet)
    pods = fleet.server("x", 2, rate=20, in_flight=3, sessions=4)
    fleet.server("y", 1, rate=50, in_flight=1)
    wait_for("ten seconds of both servers", lambda: all(len(past.samples(s, "mcp_requests_in_flight")) >= 10 for s in "xy"))
    times = sorted(past.samples("x", "mcp_requests_in_flight"))
    assert all(b - a >= 1 for a, b in zip(times, times[1:], strict=False))
    # One of the two pods was there first.
    samples = past.samples("x", "mcp_requests_in_flight")
    assert samples[times[-1]] == "6" and set(samples.values()) <= {"3", "6"}

    answer = past.history("x", "mcp_active_sessions", aggregate="count,avg,max", window="1m")
    assert answer["kind"] == "MetricHistory" and answer["apiVersion"] == "metrics.mcpfleet.dev/v1beta2"
    series, = answer["series"]
    assert series["aggregates"]["max"] == "8" and series["aggregates"]["count"] >= 8
    assert 4_000 < milli(series["aggregates"]["avg"]) <= 8_000
    of_pod, = past.history(pods[0], "mcp_active_sessions", "pods")["series"]
    assert {sample["value"] for sample in of_pod["samples"]} == {"4"}
    of_tool, = past.history("x", "mcp_requests_per_second", metricLabelSelector="tool=search")["series"]
    assert of_tool["labels"] == {"method": "tools/call", "tool": "search"}
    minutes = past.history("x", "mcp_requests_in_flight", resolution="1m", window="1h")["series"][0]["minutes"]
    assert sum(minute["count"] for minute in minutes) >= 8

    assert [item["name"] for item in past.top("mcp_requests_per_second")] == ["y", "x"]
    assert [item["name"] for item in past.top("mcp_requests_in_flight", limit=1)] == ["x"]
    assert len(past.top("mcp_active_sessions", "pods")) == 3


def test_errors_name_the_parameter(adapter, fleet):  # noqa: F811
    past = Past(fleet)
    path = past.path("x", "mcp_error_ratio")
    assert "window: must be a duration such as 300s" in past.error(path + "?window=soon")
    assert "there is no parameter 'windows' here" in past.error(path + "?windows=5m")
    assert "window: minutes are kept for 86400s" in past.error(path + "?window=48h")
    assert f"there is no history of {SERVER} {past.namespace}/x" in past.error(path)


def test_rights(adapter, fleet):  # noqa: F811
    past = Past(fleet)
    fleet.server("x", 1, in_flight=3)
    wait_for("a history", lambda: past.samples("x", "mcp_requests_in_flight"))
    cluster = fleet.cluster
    # The form that the API server itself authorises as the metric.
    path = f"{OWN}/namespaces/{past.namespace}/{SERVER}/x/mcp_requests_in_flight/history"
    assert '"MetricHistory"' in cluster.kubectl("get", "--raw", path)

    def as_reader(verb):
        return cluster.kubectl(verb, "--raw", path, "--as=reader", check=False)

    assert "cannot get resource" in as_reader("get")
    cluster.apply(
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
         "metadata": {"name": "reader", "namespace": past.namespace},
         "rules": [{"apiGroups": ["metrics.mcpfleet.dev"], "resources": [f"{SERVER}/mcp_requests_in_flight"],
                    "verbs": ["get"]}]},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
         "metadata": {"name": "reader", "namespace": past.namespace},
         "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
         "subjects": [{"kind": "User", "name": "reader", "apiGroup": "rbac.authorization.k8s.io"}]})
    wait_for("the right to read", lambda: '"MetricHistory"' in as_reader("get"))
    assert "cannot delete resource" in as_reader("delete")
    assert '"MetricHistory"' in as_reader("get"), "it is still there"


def test_the_past_outlives_the_adapter(adapter, redis, fleet):  # noqa: F811
    past = Past(fleet)
    fleet.server("x", 1, in_flight=3, sessions=7)
    wait_for("three samples in Redis", lambda: int(
        redis.ask("ZCARD", f"mcpfleet:history:readings:{SERVER}/{past.namespace}/x")) >= 3)
    adapter.stop()
    ended = datetime.datetime.now(datetime.timezone.utc).timestamp()
    adapter.start()
    restored = wait_for("the samples of the adapter before",
                        lambda: {at: v for at, v in past.samples("x", "mcp_requests_in_flight").items() if at < ended})
    # The last of them may be of the five seconds in which the new one began to read for itself.
    assert len(restored) >= 2 and set(restored.values()) == {"3"}
    wait_for("samples of the new one", lambda: any(at > ended for at in past.samples("x", "mcp_requests_in_flight")))

    forgotten = datetime.datetime.now(datetime.timezone.utc).timestamp()
    fleet.cluster.kubectl("delete", "--raw", past.path("x", "mcp_requests_in_flight"))
    assert all(at >= forgotten - 1 for at in past.samples("x", "mcp_requests_in_flight"))
    wait_for("Redis to forget, too", lambda: redis.ask(
        "HGET", f"mcpfleet:history:resets:{SERVER}/{past.namespace}/x", "mcp_requests_in_flight"))
    adapter.kill()
    adapter.start()
    wait_for("the metric that was not forgotten", lambda: any(
        at < ended for at in past.samples("x", "mcp_active_sessions")))
    assert all(at >= forgotten - 1 for at in past.samples("x", "mcp_requests_in_flight"))


def test_an_outage_of_redis_changes_no_answer(adapter, redis, fleet):  # noqa: F811
    past = Past(fleet)
    fleet.server("x", 1, in_flight=3)
    wait_for("Redis to take histories", lambda: own_metric(adapter, "redis_up") == 1)
    redis.kill()
    try:
        wait_for("the outage to be told", lambda: own_metric(adapter, "redis_up") == 0)
        count = len(past.samples("x", "mcp_requests_in_flight"))
        wait_for("more samples", lambda: len(past.samples("x", "mcp_requests_in_flight")) > count + 2)
        assert api.value_of(fleet.raw(f"{SERVER}/x/mcp_requests_in_flight")) == 3000
    finally:
        redis.start()
    wait_for("Redis to take histories again", lambda: own_metric(adapter, "redis_up") == 1)
    wait_for("what waited", lambda: int(
        redis.ask("ZCARD", f"mcpfleet:history:readings:{SERVER}/{past.namespace}/x")) > 0)
    assert own_metric(adapter, "redis_dropped_total") == 0
    log = adapter.log.read_text()
    assert log.count("histories are not kept in Redis") == log.count("histories are kept in Redis again") == 1
