"""Leader election of mcp-operator against a real API server: kills, graceful ends and a leader that is frozen past its lease;
and the metrics adapter, which takes a recommendation for stale once the lease has expired."""

import contextlib
import datetime
import json
import re
import signal
import ssl
import subprocess
import threading
import urllib.error
import urllib.request

import pytest

from conftest import BIN, program, wait_for
from test_operator import SIDECAR, mcp_server, versions, wait_accepted

LEASE = "mcp-operator"
SHORT = ["--lease-duration", "3s", "--lease-renew-deadline", "2s", "--lease-retry-period", "200ms"]


class Operator:
    """A running mcp-operator of the test's own namespace, with the identity `name`."""

    def __init__(self, cluster, namespace, name, directory, *more):
        self.name, self.log = name, directory / f"{name}.log"
        with open(self.log, "w") as out:
            self.process = subprocess.Popen(
                [BIN / "mcp-operator", "--kubeconfig", cluster.kubeconfig, "--namespace", namespace, "--sidecar-image", SIDECAR,
                 "--listen", "127.0.0.1:0", "--identity", name, *more], stdout=out, stderr=out)

    def url(self, path):
        port = re.search(r"mcp-operator .*port=(\d+)", self.log.read_text()).group(1)
        return f"http://127.0.0.1:{port}{path}"

    def get(self, path):
        with urllib.request.urlopen(self.url(path), timeout=10) as answer:
            return answer.read().decode()

    def ready(self):
        with contextlib.suppress(urllib.error.URLError, AttributeError):
            return self.get("/readyz") == "ok\n"
        return False

    def leads(self):
        return "mcpfleet_operator_leader 1" in self.get("/metrics").splitlines()

    def writes(self):
        """How many requests it sent that are no reads."""
        lines = [line for line in self.get("/metrics").splitlines()
                 if line.startswith("mcpfleet_operator_api_requests_total{") and not re.search(r'verb="(get|watch)"', line)]
        return sum(float(line.split()[-1]) for line in lines)

    def send(self, number):
        self.process.send_signal(number)


@pytest.fixture()
def start(api_cluster, namespace, tmp_path):
    """Starts operators; what still runs at the end is killed."""
    running = []

    def start(name, *more):
        running.append(Operator(api_cluster, namespace, name, tmp_path, *more))
        wait_for(f"{name} to be in step", running[-1].ready)
        return running[-1]
    yield start
    for operator in running:
        operator.process.kill()
        operator.process.wait()


class LeaseHistory:
    """Every version of the Lease, as a watch shows them."""

    def __init__(self, cluster, namespace):
        self.specs = []
        self._process = subprocess.Popen(
            [*cluster._kubectl, "get", "lease", "-n", namespace, "--watch", "-o", "json"], stdout=subprocess.PIPE, text=True)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        text, decoder = "", json.JSONDecoder()
        for line in self._process.stdout:
            text += line
            if line.rstrip() == "}":
                self.specs.append(decoder.decode(text)["spec"])
                text = ""

    def holders(self):
        """Whoever held it, in order; "" while it was released."""
        names = [spec.get("holderIdentity", "") for spec in list(self.specs)]
        return [name for i, name in enumerate(names) if i == 0 or names[i - 1] != name]

    def hand_over(self, after):
        """Seconds from the last write of `after` as holder or its release, to the next holder's acquireTime."""
        specs = list(self.specs)
        taken = next(i for i, s in enumerate(specs) if i > 0 and s.get("holderIdentity") not in (after, "")
                     and any(e.get("holderIdentity") == after for e in specs[:i]))
        return (time_of(specs[taken]["acquireTime"]) - time_of(specs[taken - 1]["renewTime"])).total_seconds()

    def close(self):
        self._process.kill()
        self._process.wait()
        self._thread.join()


@pytest.fixture()
def history(api_cluster, namespace):
    found = LeaseHistory(api_cluster, namespace)
    yield found
    found.close()


def time_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def holder(cluster, namespace):
    return cluster.get("lease", LEASE, "-n", namespace)["spec"].get("holderIdentity", "")


def leader_and_standby(start, *more):
    a = start("a", *more)
    wait_for("a to lead", a.leads)
    b = start("b", *more)
    wait_for("b to know who leads", lambda: "holder=a" in b.log.read_text())
    return a, b


def test_another_leads_after_a_kill(api_cluster, namespace, start, history):
    a, b = leader_and_standby(start)
    api_cluster.apply(mcp_server(namespace, "first"))
    wait_accepted(api_cluster, namespace, "first")
    assert b.writes() == 0 and not b.leads() and b.ready()
    a.send(signal.SIGKILL)
    wait_for("b to lead", b.leads, timeout=60)
    assert holder(api_cluster, namespace) == "b"
    assert history.hand_over("a") <= 15
    spec = api_cluster.get("lease", LEASE, "-n", namespace)["spec"]
    assert (spec["leaseDurationSeconds"], spec["leaseTransitions"]) == (12, 1)
    api_cluster.apply(mcp_server(namespace, "second"))
    wait_accepted(api_cluster, namespace, "second")

    def told():
        return [e for e in api_cluster.get("events", "-n", namespace)["items"]
                if e["reason"] == "LeaderElection" and e["involvedObject"]["kind"] == "Lease" and e["message"] == "b became leader"]
    wait_for("an Event of the Lease", told)


def test_another_leads_at_once_after_a_graceful_end(api_cluster, namespace, start, history):
    a, b = leader_and_standby(start)
    a.send(signal.SIGTERM)
    wait_for("b to lead", b.leads, timeout=60)
    assert a.process.wait(timeout=10) == 0
    wait_for("the watch to tell", lambda: history.holders() == ["a", "", "b"])
    assert history.hand_over("a") <= 2, "from the release to the next leader"
    api_cluster.apply(mcp_server(namespace, "first"))
    wait_accepted(api_cluster, namespace, "first")


def test_a_leader_that_was_frozen_past_its_lease_writes_nothing(api_cluster, namespace, start):
    a, b = leader_and_standby(start, *SHORT)
    count = 30
    servers = [mcp_server(namespace, f"s{i}") for i in range(count)]
    applying = threading.Thread(target=api_cluster.apply, args=servers)
    applying.start()
    wait_for("the leader to be at work", lambda: a.writes() >= 10, every=0.001)
    a.send(signal.SIGSTOP)
    assert len(api_cluster.get("deployments", "-n", namespace)["items"]) < count, "there is nothing left to do"
    applying.join()

    wait_for("b to lead", b.leads)
    for server in servers:
        server["spec"]["source"]["containerImage"]["ref"] = "example.invalid/server:2"
    api_cluster.apply(*servers)

    def images():
        return [d["spec"]["template"]["spec"]["containers"][0]["image"]
                for d in api_cluster.get("deployments", "-n", namespace)["items"]]
    wait_for("b to do it all", lambda: images() == ["example.invalid/server:2"] * count)

    def told():
        items = api_cluster.get("mcpservers", "-n", namespace)["items"]
        return all(item.get("status", {}).get("observedGeneration") == 2 for item in items)
    wait_for("all to be told", told)
    before = wait_unchanged(api_cluster, namespace)
    a.send(signal.SIGCONT)
    wait_for("a to stand by", lambda: "does not lead any more" in a.log.read_text() and not a.leads() and a.ready())
    assert holder(api_cluster, namespace) == "b"
    sent = a.writes()
    assert versions(api_cluster, namespace) == before, "somebody wrote"
    assert images() == ["example.invalid/server:2"] * count

    # It has kept up with what happened, and can lead again.
    b.send(signal.SIGKILL)
    wait_for("a to lead again", a.leads)
    api_cluster.apply(mcp_server(namespace, "late"))
    wait_accepted(api_cluster, namespace, "late")
    assert a.writes() > sent
    after = versions(api_cluster, namespace)
    assert {key: after[key] for key in before} == before, "a new leader writes nothing where nothing changed"


def wait_unchanged(cluster, namespace):
    """The versions of all objects, once their controllers have come to rest."""
    last = {}

    def quiet():
        nonlocal last
        known, last = last, versions(cluster, namespace)
        return known == last
    wait_for("the controllers to come to rest", quiet, every=1)
    return last


def metrics_reader(cluster, namespace):
    """A token of somebody who may read the metrics."""
    cluster.apply(
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "reader", "namespace": namespace}},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "reader", "namespace": namespace},
         "rules": [{"apiGroups": ["metrics.mcpfleet.dev", "custom.metrics.k8s.io"], "resources": ["*"], "verbs": ["get"]}]},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
         "metadata": {"name": "reader", "namespace": namespace},
         "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
         "subjects": [{"kind": "ServiceAccount", "name": "reader", "namespace": namespace}]})
    return cluster.kubectl("create", "token", "reader", "-n", namespace).strip()


def test_a_recommendation_is_stale_without_an_operator(api_cluster, namespace, start, tmp_path):
    rule = {"name": "slow", "metric": "mcp_request_duration_seconds_p95", "operator": ">", "threshold": "200m",
            "action": "ScaleUp", "amount": {"pods": 2}, "window": "10s", "cooldown": "10s"}
    api_cluster.apply(mcp_server(namespace, "a", autoscaling={"minReplicas": 2, "maxReplicas": 6, "rules": [rule]}))
    token = metrics_reader(api_cluster, namespace)
    log = tmp_path / "adapter.log"

    def ask(group):
        port = re.search(r"the metrics API is served .*port=(\d+)", log.read_text()).group(1)
        request = urllib.request.Request(
            f"https://127.0.0.1:{port}/apis/{group}/v1beta2/namespaces/{namespace}/mcpservers.mcpfleet.dev/a/"
            "mcp_recommended_replicas", headers={"Authorization": f"Bearer {token}"})
        try:
            with urllib.request.urlopen(request, timeout=10, context=ssl._create_unverified_context()) as answer:
                return answer.status, json.load(answer)["items"][0]["value"]
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)["message"]

    def says(code, words):
        def both():
            answers = [ask(group) for group in ("metrics.mcpfleet.dev", "custom.metrics.k8s.io")]
            return all(answer[0] == code and words in answer[1] for answer in answers)
        wait_for(f"{code} {words}", both)

    with program("mcp-metrics-adapter", "--kubeconfig", api_cluster.kubeconfig, "--namespace", namespace, "--listen",
                 "127.0.0.1:0", "--health-listen", "127.0.0.1:0", "--api-services=", "--operator-lease", f"{namespace}/{LEASE}",
                 log=log):
        says(404, f"the operator does not run (there is no lease {namespace}/{LEASE}), so its recommendation is stale")
        operator = start("a", *SHORT)
        wait_accepted(api_cluster, namespace, "a")
        says(200, "2")
        operator.send(signal.SIGKILL)
        says(404, f"the operator has not renewed its lease {namespace}/{LEASE} for ")
        start("b", *SHORT)
        says(200, "2")
