"""Plays all three metrics APIs (metrics.k8s.io, custom.metrics.k8s.io, external.metrics.k8s.io) behind the real aggregation
layer, so that the real HPA controller is told exactly what a test wants: missing pods, errors and values to the thousandth,
which no real adapter could be made to say at a given moment."""

import contextlib
import datetime
import http.server
import json
import ssl
import subprocess
import threading
import time
import urllib.parse

from conftest import wait_for

SYSTEM = "fake-metrics-system"
RESOURCE, CUSTOM, EXTERNAL = "metrics.k8s.io/v1beta1", "custom.metrics.k8s.io/v1beta2", "external.metrics.k8s.io/v1beta1"
APIS = (RESOURCE, CUSTOM, EXTERNAL)


def rfc3339(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Refused(Exception):
    """The metrics API answers with an error of this text."""


class FakeMetrics:
    """Answers by `source`, an object with
    - pod_usage(selector): [(pod, time, window, {container: {resource: quantity}})]
    - pod_values(selector, metric): [(pod, time, window, quantity)]
    - object_value(kind's resource, object, metric): quantity
    - external_values(selector, metric): [quantity]
    each of which may raise Refused. `selector` is the labelSelector as it was asked for."""

    def __init__(self, cluster, directory, source):
        self.cluster, self.source = cluster, source
        self._server = http.server.ThreadingHTTPServer((cluster.host_ip, 0), _handler(self))
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        key, certificate = directory / "fake-metrics.key", directory / "fake-metrics.crt"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-subj", "/CN=fake-metrics", "-days", "2", "-keyout", key, "-out", certificate],
                       check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path, query):
        """The object for a path below /apis/."""
        group, version, *rest = path.strip("/").split("/")[1:]
        api = f"{group}/{version}"
        if not rest:
            return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api, "resources": [
                {"name": "pods", "singularName": "", "namespaced": True, "kind": "PodMetrics", "verbs": ["get", "list"]}]
                if api == RESOURCE else []}
        selector = query.get("labelSelector", [""])[0]
        assert rest[0] == "namespaces", path
        if api == RESOURCE:
            return {"kind": "PodMetricsList", "apiVersion": api, "metadata": {}, "items": [
                {"metadata": {"name": pod, "namespace": rest[1]}, "timestamp": rfc3339(at), "window": f"{window}s",
                 "containers": [{"name": name, "usage": usage} for name, usage in containers.items()]}
                for pod, at, window, containers in self.source.pod_usage(selector)]}
        if api == EXTERNAL:
            return {"kind": "ExternalMetricValueList", "apiVersion": api, "metadata": {}, "items": [
                {"metricName": rest[2], "metricLabels": {}, "timestamp": rfc3339(time.time()), "value": value}
                for value in self.source.external_values(selector, rest[2])]}
        resource, name, metric = rest[2:5]
        if name == "*":
            items = [("Pod", pod, at, window, value) for pod, at, window, value in self.source.pod_values(selector, metric)]
        else:
            items = [("Service", name, time.time(), 30, self.source.object_value(resource, name, metric))]
        return {"kind": "MetricValueList", "apiVersion": api, "metadata": {}, "items": [
            {"describedObject": {"kind": kind, "namespace": rest[1], "name": described, "apiVersion": "v1"},
             "metric": {"name": metric, "selector": None}, "timestamp": rfc3339(at), "windowSeconds": window, "value": value}
            for kind, described, at, window, value in items]}


def _handler(fake):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            url = urllib.parse.urlsplit(self.path)
            try:
                if not any(url.path.startswith(f"/apis/{api}") for api in APIS):
                    raise LookupError
                code, body = 200, fake.answer(urllib.parse.unquote(url.path), urllib.parse.parse_qs(url.query))
            except LookupError:
                code, body = 404, status(404, "NotFound", "there is nothing here")
            except Refused as error:
                code, body = 404, status(404, "NotFound", str(error))
            data = json.dumps(body).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            pass

    return Handler


def status(code, reason, message):
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
            "reason": reason, "code": code}


def api_service(api):
    group, version = api.split("/")
    return {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": f"{version}.{group}"},
            "spec": {"group": group, "version": version, "groupPriorityMinimum": 100, "versionPriority": 100,
                     "insecureSkipTLSVerify": True, "service": {"name": "fake", "namespace": SYSTEM, "port": 443}}}


@contextlib.contextmanager
def serving(cluster, directory, source):
    """The three APIs, for as long as the block runs. Its APIServices go with it: left behind they would keep every namespace
    from being deleted."""
    fake = FakeMetrics(cluster, directory, source)
    services = [api_service(api) for api in APIS]
    names = [service["metadata"]["name"] for service in services]
    try:
        cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SYSTEM}})
        cluster.apply(
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "fake", "namespace": SYSTEM},
             "spec": {"ports": [{"port": 443, "targetPort": "https", "name": "https"}]}},
            {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
             "metadata": {"name": "fake", "namespace": SYSTEM, "labels": {"kubernetes.io/service-name": "fake"}},
             "ports": [{"name": "https", "port": fake.port, "protocol": "TCP"}],
             "endpoints": [{"addresses": [cluster.host_ip], "conditions": {"ready": True}}]},
            *services)
        for name in names:
            wait_for(f"APIService {name}", lambda name=name: available(cluster, name), timeout=60)
        yield fake
    finally:
        cluster.kubectl("delete", "apiservice", *names, "--ignore-not-found")
        fake.close()


def available(cluster, service):
    conditions = cluster.get("apiservice", service).get("status", {}).get("conditions", [])
    return any(c["type"] == "Available" and c["status"] == "True" for c in conditions)
