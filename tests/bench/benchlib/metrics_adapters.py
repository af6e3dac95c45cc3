"""The metrics adapters that are measured beside each other: how each is started, and when it is in step."""

import contextlib
import http.client
import json
import shutil
import ssl
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass, field

from .fleet import base
from .go_module import GoModule
from .identity import identity
from .metrics_scene import FLEET, GAUGE, GROUP, HOME, PODS_A_SERVER, RATE, SESSIONS
from .process import Measured
from .programs import build, free_port

OURS, THEIRS, UNTHROTTLED = "mcp-metrics-adapter", "prometheus-adapter", "prometheus-adapter-unthrottled"
NAMES = [OURS, THEIRS, UNTHROTTLED]
API_SERVICES = [f"v1beta2.{GROUP}", f"v1beta1.{GROUP}"]
WINDOW = "30s"  # of rates, on both sides: our default
LIMITS = ["--client-qps=10000", "--client-burst=20000"]  # in place of 5 and 10 a second


@dataclass
class Running:
    """An adapter at work. `processes` are what it takes: "adapter", and "prometheus" where it needs one."""
    address: str
    token: str
    processes: dict = field(default_factory=dict)

    def ask(self):
        return Asker(self.address, self.token)


class Asker:
    """Straight to an adapter, over one kept connection, as one who may read metrics. Close it by dropping it."""

    def __init__(self, address, token):
        # The benchmark has just started that server; it need not prove who it is.
        self._connection = http.client.HTTPSConnection(address, context=ssl._create_unverified_context(), timeout=60)
        self._token = token

    def get(self, path, accept="application/json"):
        """The status and the body's bytes."""
        self._connection.request("GET", path, headers={"Authorization": f"Bearer {self._token}", "Accept": accept})
        response = self._connection.getresponse()
        return response.status, response.read()


class Adapter:
    """One of them, by name. start() is a block in which it runs and has the API."""

    def __init__(self, name, tell):
        self.name = name
        if name == OURS:
            self.program = build(OURS) / OURS
        else:
            self.program, self.prometheus = prometheus_adapter(tell), _prometheus()

    @contextlib.contextmanager
    def start(self, scene):
        folder = scene.folder / self.name
        with contextlib.ExitStack() as stack:
            kubeconfig = self._kubeconfig(scene, folder)
            log = stack.enter_context(open(scene.logs / f"{self.name}.log", "ab"))

            def launch(argv):
                process = Measured(argv, {}, log)
                stack.callback(process.stop)
                return process

            port = free_port()
            running = Running(f"{scene.host}:{port}", scene.token)
            # Before what answers is there, and away after it: an API without a server would hold namespaces for ever.
            stack.callback(scene.cluster.kubectl, "delete", "apiservice", *API_SERVICES, "--ignore-not-found")
            scene.cluster.apply(registration(scene.host, port, skip_verify=self.name != OURS))
            if self.name == OURS:
                running.processes["adapter"] = launch(self._ours(kubeconfig, running.address))
            else:
                address = f"127.0.0.1:{free_port()}"
                running.processes["prometheus"] = launch(self._scraper(scene, folder, address))
                _wait_prometheus(address, scene)
                running.processes["adapter"] = launch(self._theirs(folder, kubeconfig, scene.host, port, address))
            scene.cluster.wait("the API", lambda: scene.cluster.kubectl(
                "wait", "--for=condition=Available", "--timeout=90s", "apiservice", *API_SERVICES))
            _wait_values(running, scene)
            yield running

    def _kubeconfig(self, scene, folder):
        """Both have every right, so that neither saves a check; made at the first start in a cluster."""
        file = folder / "kubeconfig"
        if not file.exists():
            folder.mkdir(exist_ok=True)
            identity(scene.cluster, HOME, self.name, "cluster-admin", file)
        return file

    def _ours(self, kubeconfig, address):
        """The chart's settings, which are the defaults; the operator whose lease it would look at does not run."""
        return [self.program, "--kubeconfig", kubeconfig, "--namespace", HOME, "--listen", address,
                "--health-listen", f"127.0.0.1:{free_port()}", "--service-name", "adapter", "--tls-secret", "adapter-tls",
                "--api-services", ",".join(API_SERVICES), "--scrape-interval", "1s", "--window", WINDOW, "--log-format", "json"]

    def _theirs(self, folder, kubeconfig, host, port, prometheus):
        """The settings of its manifests, but for the limits."""
        rules = folder / "rules.json"
        rate = _rule("mcp_requests_total", f"sum(rate(<<.Series>>{{<<.LabelMatchers>>}}[{WINDOW}]))", RATE)
        gauges = [_rule(gauge, "sum(<<.Series>>{<<.LabelMatchers>>})", gauge) for gauge in (GAUGE, SESSIONS)]
        rules.write_text(json.dumps({"rules": [rate, *gauges]}))
        return [self.program, f"--config={rules}", "--metrics-relist-interval=1m", f"--prometheus-url=http://{prometheus}",
                f"--bind-address={host}", f"--secure-port={port}", f"--cert-dir={folder / 'certificate'}",
                *(f"--{use}-kubeconfig={kubeconfig}" for use in ("lister", "authentication", "authorization")),
                *(LIMITS if self.name == UNTHROTTLED else [])]

    def _scraper(self, scene, folder, address):
        """Scrapes what our adapter would, as often; each start begins with an empty database."""
        config = folder / "prometheus.json"
        targets = [{"targets": [f"{pod.address}:{scene.port}"],
                    "labels": {"namespace": FLEET, "pod": pod.name, "server": pod.server}} for pod in scene.pods]
        config.write_text(json.dumps({"global": {"scrape_interval": "1s", "scrape_timeout": "900ms"},
                                      "scrape_configs": [{"job_name": "mcp", "static_configs": targets}]}))
        shutil.rmtree(folder / "data", ignore_errors=True)
        return [self.prometheus, f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={address}", "--log.level=warn"]


def _rule(series, query, name):
    return {"seriesQuery": f'{series}{{namespace!="",pod!=""}}', "name": {"matches": f"^{series}$", "as": name},
            "resources": {"overrides": {"namespace": {"resource": "namespace"}, "pod": {"resource": "pod"}}},
            "metricsQuery": f"{query} by (<<.GroupBy>>)"}


def registration(host, port, skip_verify):
    """A Service whose endpoint is a program of this machine, and the API that it serves. We vouch for our certificate."""
    name = "adapter"
    return [
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": HOME},
         "spec": {"ports": [{"port": 443, "targetPort": port, "name": "https"}]}},
        {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
         "metadata": {"name": name, "namespace": HOME, "labels": {"kubernetes.io/service-name": name}},
         "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
         "endpoints": [{"addresses": [host], "conditions": {"ready": True}}]},
        *({"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": service},
           "spec": {"group": GROUP, "version": service.split(".")[0], "groupPriorityMinimum": 100,
                    "versionPriority": priority, "insecureSkipTLSVerify": skip_verify,
                    "service": {"name": name, "namespace": HOME, "port": 443}}}
          for service, priority in zip(API_SERVICES, (200, 100)))]


def _wait_prometheus(address, scene):
    """Until it has a rate of every pod: prometheus-adapter lists the series once a minute, and at its start."""
    query = urllib.parse.quote(f"count(sum(rate(mcp_requests_total[{WINDOW}])) by (pod))")
    wanted = str(len(scene.pods)) if scene.pods else None

    def there():
        try:
            with urllib.request.urlopen(f"http://{address}/api/v1/query?query={query}", timeout=10) as answer:
                found = json.load(answer)["data"]["result"]
        except OSError:
            return False
        return [sample["value"][1] for sample in found] == ([wanted] if wanted else [])

    scene.cluster.wait("a rate of every pod in Prometheus", there, seconds=90)


def _wait_values(running, scene):
    """Until some of all queries are answered with a value for each pod; all of them would take the throttled a minute."""
    waiting = scene.paths.read_text().split()[::20] if scene.pods else []
    asker, deadline = running.ask(), time.monotonic() + 120
    while waiting:
        status, body = asker.get(waiting[-1])
        if status == 200 and len(json.loads(body)["items"]) == PODS_A_SERVER:
            waiting.pop()
        elif time.monotonic() > deadline:
            raise TimeoutError(f"no value within 120 s: GET {waiting[-1]} was answered {status}: {body[:500]!r}")
        else:
            time.sleep(0.5)


def prometheus_adapter(tell):
    """`go install` refuses its list of versions, so it is built in a copy of its sources."""
    module = GoModule("prometheus-adapter", tell)

    def make(folder):
        copy = folder / "sources"
        shutil.rmtree(copy, ignore_errors=True)  # of a build that was broken off
        shutil.copytree(module.sources, copy, copy_function=shutil.copyfile)
        base.run(["chmod", "-R", "u+w", copy])
        module.go("build", "-trimpath", "-ldflags", "-s -w", "-o", folder / module.name, "./cmd/adapter", cwd=copy)
        shutil.rmtree(copy)

    return module.program(make)


def _prometheus():
    program = shutil.which("prometheus")
    if not program:
        raise RuntimeError("prometheus is missing; see: hack/deps install integration")
    return program
