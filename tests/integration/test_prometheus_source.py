"""The metrics adapter's second source: a real Prometheus server that scrapes a small exporter here, by a rules file of
the shape that prometheus-adapter reads, through the real aggregation layer and to the real HPA controller."""

import contextlib
import datetime
import http.server
import re
import subprocess
import textwrap
import threading
import time
import urllib.error
import urllib.request

import pytest
import yaml
from conftest import ROOT, free_port, wait_for
from test_metrics_api import EXTERNAL, GROUPS, hpa, milli, pods_metric, serving, value_of
from test_metrics_api import fleet as shop  # noqa: F401  (a fixture)

RULES = r"""
rules:
# a counter, as a rate, of whatever its labels name
- seriesQuery: '{__name__=~"^shop_.*_total$",namespace!=""}'
  seriesFilters:
  - isNot: "^shop_internal_"
  resources:
    template: "<<.Resource>>"
    overrides:
      app: {group: "apps", resource: "deployment"}
  name: {matches: "^shop_(.*)_total$", as: "${1}_per_second"}
  metricsQuery: 'sum(rate(<<.Series>>{<<.LabelMatchers>>}[5s])) by (<<.GroupBy>>)'
# a gauge, by raw label values
- seriesQuery: 'shop_backlog{pod!=""}'
  resources:
    overrides:
      namespace: {resource: "namespace"}
      pod: {resource: "pod"}
  metricsQuery: 'max(<<.Series>>{pod=~"<<.LabelValuesByName.pod>>",namespace="<<index .LabelValuesByName "namespace">>"}) by (<<.GroupBy>>)'
# of nodes
- seriesQuery: 'node_heat'
  name: {as: "heat"}
  resources: {overrides: {node: {resource: "node"}}}
  metricsQuery: 'avg(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)'
# what PromQL does not take
- seriesQuery: 'node_heat'
  name: {as: "wrong"}
  resources: {overrides: {node: {resource: "node"}}}
  metricsQuery: 'avg(<<.Series>>{<<.LabelMatchers>>}) by'
externalRules:
- seriesQuery: '{__name__="queue_depth",queue!=""}'
  metricsQuery: sum(<<.Series>>{<<.LabelMatchers>>}) by (queue)
  resources: {overrides: {namespace: {resource: "namespace"}}}
- seriesQuery: 'queue_depth'
  name: {as: "all_queues"}
  metricsQuery: sum(<<.Series>>{<<.LabelMatchers>>})
  resources: {namespaced: false}
resourceRules:
  cpu: {containerQuery: "unused"}
"""

CONFIG = """
global: {scrape_interval: 1s}
scrape_configs:
- job_name: shop
  honor_labels: true
  static_configs: [{targets: ["127.0.0.1:%d"]}]
"""


class Exporter:
    """Serves what the test sets: `gauges`, and counters that rise by `rates` a second, by their series."""

    def __init__(self):
        self.gauges, self._counters = {}, {}
        exporter = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = exporter.text().encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def counter(self, series, rate):
        """Goes on from where it is."""
        self._counters[series] = (self._value(series), time.time(), rate)

    def _value(self, series):
        value, since, rate = self._counters.get(series, (0, 0, 0))
        return value + rate * (time.time() - since)

    def text(self):
        values = dict(self.gauges) | {series: self._value(series) for series in list(self._counters)}
        return "".join(f"{series} {value}\n" for series, value in values.items())

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class Prometheus:
    """The real server. It can be ended and started again at the same address."""

    def __init__(self, directory, exporter_port):
        self.port = free_port()
        self.directory, self.url = directory, f"http://127.0.0.1:{self.port}"
        (directory / "prometheus.yml").write_text(CONFIG % exporter_port)

    def start(self):
        with open(self.directory / "prometheus.log", "a") as log:
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={self.directory}/prometheus.yml",
                 f"--storage.tsdb.path={self.directory}/data", f"--web.listen-address=127.0.0.1:{self.port}"],
                stdout=log, stderr=subprocess.STDOUT)
        wait_for("Prometheus", self.is_ready, timeout=60)

    def is_ready(self):
        with contextlib.suppress(urllib.error.URLError), urllib.request.urlopen(f"{self.url}/-/ready", timeout=5) as answer:
            return answer.status == 200

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)


@pytest.fixture(scope="module")
def exporter():
    made = Exporter()
    yield made
    made.close()


@pytest.fixture(scope="module")
def prometheus(exporter, tmp_path_factory):
    made = Prometheus(tmp_path_factory.mktemp("prometheus"), exporter.port)
    made.start()
    yield made
    made.stop()


def documented_rule():
    """`externalRules:` with the rule in docs/metrics.md, for others to follow."""
    rule = re.search(r"\n    externalRules:\n((?:      .*\n)+)", (ROOT / "docs" / "metrics.md").read_text())[1]
    return "externalRules:\n" + textwrap.dedent(rule)


@pytest.fixture(scope="module")
def adapter(api_cluster, prometheus, tmp_path_factory):
    directory = tmp_path_factory.mktemp("adapter")
    (directory / "config.yaml").write_text(RULES.replace("externalRules:\n", documented_rule()))
    name, subject = "test-adapter-prometheus", {"kind": "ServiceAccount", "name": "adapter", "namespace": "adapter-system"}
    api_cluster.apply(
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name},
         "rules": [{"apiGroups": ["", "apps"], "resources": ["pods", "nodes", "deployments"], "verbs": ["list"]}]},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": name},
         "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}, "subjects": [subject]})
    with serving(api_cluster, directory, "--prometheus-url", prometheus.url, "--prometheus-rules",
                 str(directory / "config.yaml"), "--prometheus-relist-interval", "1s", "--prometheus-timeout", "2s") as found:
        yield found


def labels(**of_series):
    return "{" + ",".join(f'{name}="{value}"' for name, value in of_series.items()) + "}"


def external(cluster, namespace, what):
    return cluster.raw(f"/apis/{EXTERNAL}/v1beta1/namespaces/{namespace}/{what}")


def test_values_of_objects_through_the_aggregator(adapter, exporter, shop, api_cluster):
    pods = shop.server("web", 3)
    for pod, rate in zip(pods, (10, 20, 30)):
        of_pod = {"namespace": shop.namespace, "pod": pod, "app": "web"}
        exporter.counter(f"shop_orders_total{labels(**of_pod, verb='GET')}", rate)
        exporter.counter(f"shop_orders_total{labels(**of_pod, verb='PUT')}", rate)
        exporter.gauges[f"shop_backlog{labels(namespace=shop.namespace, pod=pod)}"] = rate * 10
    exporter.gauges['node_heat{node="n1"}'] = 1.25
    api_cluster.kubectl("label", "pod", pods[0], "-n", shop.namespace, "tier=first")

    def rates():
        items = shop.raw("pods/*/orders_per_second?labelSelector=mcpfleet.dev%2Fserver%3Dweb")["items"]
        found = {item["describedObject"]["name"]: milli(item["value"]) / 1000 for item in items}
        return found == pytest.approx(dict(zip(pods, (20, 40, 60))), rel=0.2) and items

    items = wait_for("the rates", rates, timeout=60)
    for item in items:
        age = time.time() - datetime.datetime.fromisoformat(item["timestamp"].replace("Z", "+00:00")).timestamp()
        assert -1 < age < 4
    first = shop.raw("pods/*/orders_per_second?labelSelector=tier%3Dfirst")
    assert [item["describedObject"] for item in first["items"]] == [
        {"kind": "Pod", "namespace": shop.namespace, "name": pods[0], "apiVersion": "/v1"}]
    near = {"rel": 0.2}
    assert value_of(shop.raw(f"pods/{pods[1]}/orders_per_second")) == pytest.approx(40_000, **near)
    assert value_of(shop.raw(f"pods/{pods[1]}/orders_per_second?metricLabelSelector=verb%3DPUT")) == pytest.approx(20_000, **near)
    assert value_of(shop.raw("deployments.apps/web/orders_per_second")) == pytest.approx(120_000, **near)
    assert value_of(shop.raw("metrics/orders_per_second")) == pytest.approx(120_000, **near)
    assert [value_of({"items": [item]}) for item in shop.raw("pods/*/shop_backlog")["items"]] == [1e5, 2e5, 3e5]
    assert value_of(api_cluster.raw(f"/apis/{GROUPS[0]}/v1beta1/nodes/n1/heat")) == 1250
    explained = api_cluster.raw(f"/apis/{GROUPS[1]}/v1beta2/explain/nodes/n1/heat")
    assert (explained["formula"], explained["value"]) == ('avg(node_heat{node="n1"}) by (node)', "1250m")
    # What the pods themselves say is theirs.
    wait_for("a metric of our own", lambda: shop.raw(f"pods/{pods[0]}/mcp_active_sessions")["items"])


def test_external_metrics(adapter, exporter, api_cluster, namespace):
    for queue, depth in (("in", 40), ("out", 2.5)):
        exporter.gauges[f"queue_depth{labels(namespace=namespace, queue=queue)}"] = depth
    items = wait_for("both queues", lambda: len(found := external(api_cluster, namespace, "queue_depth")["items"]) == 2 and found)
    assert sorted((item["metricLabels"]["queue"], item["value"]) for item in items) == [("in", "40"), ("out", "2500m")]
    item, = external(api_cluster, namespace, "queue_depth?labelSelector=queue%3Din")["items"]
    assert (item["metricName"], item["metricLabels"], item["value"]) == ("queue_depth", {"queue": "in"}, "40")
    explained = api_cluster.raw(f"/apis/{GROUPS[1]}/v1beta2/explain/namespaces/{namespace}/queue_depth")
    assert explained["formula"] == f'sum(queue_depth{{namespace="{namespace}"}}) by (queue)'
    assert (explained["prometheus"]["series"], explained["sum"]) == (2, "42500m")
    assert 0 <= explained["prometheus"]["discoveryAgeSeconds"] < 5
    assert all(0 <= item["ageSeconds"] < 4 for item in explained["items"])
    elsewhere = external(api_cluster, "default", f"all_queues?labelSelector=namespace%3D{namespace}")
    assert elsewhere["items"][0]["value"] == "42500m"


def test_no_value_says_why(adapter, exporter, shop, api_cluster):
    pod, = shop.server("web", 1)
    of_pod = labels(namespace=shop.namespace, pod=pod)
    exporter.gauges[f"shop_backlog{of_pod}"] = "NaN"
    exporter.gauges['node_heat{node="n1"}'] = 1
    metric = f"pods/{pod}/shop_backlog"
    wait_for("the NaN", lambda: "Prometheus' value is NaN, which is no quantity" in shop.why_not(metric))
    cases = {
        "pods/none/shop_backlog": f'Prometheus has no value: max(shop_backlog{{pod=~"none",namespace="{shop.namespace}"}}) by (pod)',
        "pods/*/shop_backlog?labelSelector=a%3Db": "no pods are selected",
        "pods/*/nonsense": "no rule makes such a metric of what Prometheus has",
        "widgets/x/shop_backlog": "the API server knows no such resource",
        "nodes/n1/heat": "nodes are in no namespace",
        "services/x/shop_backlog": "none of its series has a label that the rules take for the name of services",
    }
    for path, want in cases.items():
        assert want in shop.why_not(path), path
    wrong = api_cluster.kubectl("get", "--raw", f"/apis/{GROUPS[0]}/v1beta2/nodes/n1/wrong", check=False)
    assert "it refuses the query (bad_data: " in wrong, wrong
    missing = api_cluster.kubectl("get", "--raw", f"/apis/{EXTERNAL}/v1beta1/namespaces/{shop.namespace}/queue_depth", check=False)
    assert "queue_depth" in missing and ("Prometheus has no value" in missing or "no rule makes" in missing), missing


def test_it_counts_what_it_asks_prometheus(adapter, exporter, api_cluster):
    exporter.gauges['node_heat{node="n1"}'] = 1

    def told(name):
        found = re.search(rf"^mcpfleet_adapter_prometheus_{re.escape(name)} (\S+)$", adapter.plain("/metrics")[1], re.M)
        return float(found[1]) if found else None

    heat = f"/apis/{GROUPS[0]}/v1beta2/nodes/n1/heat"
    wait_for("the metric", lambda: api_cluster.raw(heat)["items"])
    queries = 'requests_total{kind="query"}'
    hits = 'cache_hits_total{cache="resources"}'
    before, hits_before = told(queries), told(hits)
    api_cluster.raw(heat)
    assert told(queries) == before + 1 and told(hits) > hits_before
    assert told('request_duration_seconds_count{kind="query"}') == told(queries)
    failures = 'request_failures_total{kind="query"}'
    refused = told(failures)
    api_cluster.kubectl("get", "--raw", f"/apis/{GROUPS[0]}/v1beta2/nodes/n1/wrong", check=False)
    assert told(failures) == refused + 1
    assert told("series") >= 1 and told("metrics") >= 2
    assert abs(time.time() - told("last_discovery_timestamp_seconds")) < 10


def test_the_list_of_metrics_is_not_discovery(adapter, api_cluster):
    """It stays small and does not depend on Prometheus."""
    names = [resource["name"] for resource in api_cluster.raw(f"/apis/{GROUPS[0]}/v1beta2")["resources"]]
    assert "pods/mcp_requests_per_second" in names and not [name for name in names if "mcp_" not in name]
    assert "resourceRules are passed over" in adapter.log.read_text()


def test_the_hpa_scales_by_prometheus(adapter, exporter, shop, api_cluster):
    pods = shop.server("web", 2)
    for pod in pods:
        exporter.counter(f"shop_orders_total{labels(namespace=shop.namespace, pod=pod)}", 10)
    api_cluster.apply(hpa(shop.namespace, "web", "web", pods_metric("orders_per_second", "10")))

    def current():
        status = api_cluster.get("hpa", "web", "-n", shop.namespace)["status"]
        value = (status.get("currentMetrics") or [{}])[0].get("pods", {}).get("current", {}).get("averageValue")
        return value and milli(value)

    wait_for("the value in the HPA's status", lambda: (v := current()) and 8_000 < v < 12_000, timeout=60)
    for pod in pods:
        exporter.counter(f"shop_orders_total{labels(namespace=shop.namespace, pod=pod)}", 25)
    wait_for("more replicas", lambda: api_cluster.get("deployment", "web", "-n", shop.namespace)["spec"]["replicas"] >= 4,
             timeout=60)


def test_the_hpa_scales_by_an_external_metric(adapter, exporter, shop, api_cluster):
    shop.server("worker", 1)
    exporter.gauges[f"queue_depth{labels(namespace=shop.namespace, queue='jobs')}"] = 40
    metric = {"type": "External", "external": {
        "metric": {"name": "queue_depth", "selector": {"matchLabels": {"queue": "jobs"}}},
        "target": {"type": "AverageValue", "averageValue": "10"}}}
    api_cluster.apply(hpa(shop.namespace, "worker", "worker", metric))
    wait_for("four replicas", lambda: api_cluster.get("deployment", "worker", "-n", shop.namespace)["spec"]["replicas"] == 4,
             timeout=60)


def test_the_hpa_scales_by_what_waits_in_gateways(adapter, exporter, shop, api_cluster):
    """By the rule and the metric that are documented: calls that wait in two replicas of a gateway, for one of its servers."""
    shop.server("crawler", 1)
    for gateway, waiting in (("front-1", 5), ("front-2", 3)):
        for server, depth in (("crawler", waiting), ("other", 100)):
            series = labels(namespace=shop.namespace, server=server, pod=gateway)
            exporter.gauges[f"mcp_queue_depth{series}"] = depth
    sample = (ROOT / "docs" / "samples" / "hpa-by-queue.yaml").read_text().split("---\n")[1]
    wanted = yaml.safe_load(sample)["spec"]["metrics"][0]
    api_cluster.apply(hpa(shop.namespace, "crawler", "crawler", wanted))
    wait_for("a replica for each two calls that wait", lambda: api_cluster.get(
        "deployment", "crawler", "-n", shop.namespace)["spec"]["replicas"] == 4, timeout=60)


def test_an_outage_is_no_zero(adapter, prometheus, exporter, shop, api_cluster):
    pods = shop.server("web", 3)
    for pod in pods:
        exporter.counter(f"shop_orders_total{labels(namespace=shop.namespace, pod=pod)}", 10)
    api_cluster.apply(hpa(shop.namespace, "web", "web", pods_metric("orders_per_second", "10")))
    wait_for("a first value", lambda: api_cluster.get("hpa", "web", "-n", shop.namespace)["status"].get("currentMetrics"),
             timeout=60)
    prometheus.stop()
    try:
        def told():
            return f"cannot ask Prometheus at {prometheus.url}" in api_cluster.kubectl("describe", "hpa", "web", "-n", shop.namespace)
        wait_for("the reason in kubectl describe hpa", told, timeout=60)
        assert api_cluster.get("deployment", "web", "-n", shop.namespace)["spec"]["replicas"] >= 3
        assert value_of(shop.raw(f"pods/{pods[0]}/mcp_active_sessions")) == 0, "our own metrics go on"
        assert adapter.plain("/readyz")[0] == 200, "else its APIs would be away, and namespaces could not be deleted"
        assert "pods/mcp_active_sessions" in str(api_cluster.raw(f"/apis/{GROUPS[0]}/v1beta2"))
    finally:
        prometheus.start()
    wait_for("values again", lambda: shop.raw("pods/*/orders_per_second?labelSelector=mcpfleet.dev%2Fserver%3Dweb")["items"],
             timeout=60)
    wait_for("the log's line", lambda: "Prometheus can be read again" in adapter.log.read_text())
