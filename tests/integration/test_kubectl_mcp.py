"""kubectl-mcp as people run it: `kubectl mcp …`, against a real API server, the adapter behind the real aggregation layer and
the real HPA controller. Pods are objects without a node; what they would expose is played by fake_pods."""

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

import pytest

from conftest import BIN, wait_for
from test_metrics_api import adapter, fleet  # noqa: F401  (fixtures)
from test_operator import mcp_server, own_namespace, running_operator, with_requests  # noqa: F401
from test_rules import QUICK, SLOW, play

WIDTH = 100


class Plugin:
    """Runs `kubectl mcp …` with the plugin on the PATH."""

    def __init__(self, cluster, kubeconfig):
        self.kubectl = cluster._kubectl[0]
        self.environment = os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}", "KUBECONFIG": str(kubeconfig), "TERM": "xterm"}
        self.environment.pop("NO_COLOR", None)

    def run(self, *arguments):
        return subprocess.run([self.kubectl, "mcp", *arguments], env=self.environment, capture_output=True, text=True, timeout=60)

    def __call__(self, *arguments):
        done = self.run(*arguments)
        assert (done.returncode, done.stderr) == (0, ""), done
        assert "\x1b" not in done.stdout, "no colour where no terminal is"
        too_long = [line for line in done.stdout.splitlines() if len(line) > WIDTH and "kubectl " not in line]
        assert arguments[-1] == "json" or not too_long, too_long
        return done.stdout


@pytest.fixture()
def plugin(api_cluster, namespace, tmp_path):
    """With a kubeconfig whose context is in the test's namespace."""
    config = json.loads(api_cluster.kubectl("config", "view", "--raw", "-o", "json"))
    config["contexts"][0]["context"]["namespace"] = namespace
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(config))
    return Plugin(api_cluster, path)


def set_status(cluster, namespace, name, status):
    cluster.kubectl("patch", "mcpserver", name, "-n", namespace, "--subresource=status", "--type=merge", "-p",
                    json.dumps({"status": status}))


def decision(seconds_ago, **more):
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - seconds_ago))
    return {"time": stamp, "by": "target", "reason": "Over target", "message": "", "from": 1, "to": 2} | more


def test_the_words_of_kubectl(plugin, api_cluster, namespace, tmp_path):
    assert plugin("version").startswith("kubectl-mcp ")
    assert "kubectl mcp explain NAME" in plugin("--help")
    done = plugin.run("explain", "nobody")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == 'Error from server (NotFound): mcpservers.mcpfleet.dev "nobody" not found\n'
    done = plugin.run("top", "nobody")
    assert (done.returncode, done.stderr) == (1, 'Error from server (NotFound): mcpservers.mcpfleet.dev "nobody" not found\n')
    done = plugin.run("top")
    assert (done.returncode, done.stderr) == (0, f"No resources found in {namespace} namespace.\n")
    done = plugin.run("explain", "x", "--colour=no")
    assert (done.returncode, done.stderr) == (
        2, 'kubectl mcp: unknown flag --colour; see "kubectl mcp explain --help"\n')
    api_cluster.kubectl("create", "serviceaccount", "stranger", "-n", namespace)
    config = json.loads((tmp_path / "kubeconfig").read_text())
    config["users"][0]["user"] = {"token": api_cluster.kubectl("create", "token", "stranger", "-n", namespace).strip()}
    stranger = tmp_path / "stranger"
    stranger.write_text(json.dumps(config))
    for command in (("explain", "x"), ("top",)):
        done = Plugin(api_cluster, stranger).run(*command)
        assert done.returncode == 1
        assert done.stderr.startswith("Error from server (Forbidden): mcpservers.mcpfleet.dev "), done.stderr


def test_a_server_that_nothing_scales(plugin, api_cluster, namespace):
    api_cluster.apply(mcp_server(namespace, "still"))
    text = plugin("explain", "still")
    assert "mcp-operator has not looked at it yet: is it running?" in text
    set_status(api_cluster, namespace, "still", {"observedGeneration": 1, "replicas": 1, "readyReplicas": 1})
    text = plugin("explain", "still", "-n", namespace)
    assert text.startswith(f"MCPServer {namespace}/still\n  It has 1 replica, ready.\n\nNothing scales it\n")
    # What it says is what one can type.
    command = next(line for line in text.splitlines() if "kubectl patch" in line).replace("kubectl", plugin.kubectl, 1)
    subprocess.run(command, shell=True, check=True, env=plugin.environment, stdout=subprocess.DEVNULL)
    assert "spec.autoscaling.mode is DryRun" in plugin("explain", "still")


def test_without_the_metrics_api_a_sentence_says_so(plugin, api_cluster, namespace):
    """The adapter's fixture begins below: here nobody serves metrics.mcpfleet.dev."""
    api_cluster.apply(mcp_server(namespace, "a", autoscaling={"targets": {"requestsPerSecond": "10", "concurrency": 5}}))
    text = " ".join(plugin("explain", "a").split())
    assert "No value of requestsPerSecond, concurrency: the metrics API metrics.mcpfleet.dev does not answer (" in text
    table = plugin("top")
    assert [line.split()[:6] for line in table.splitlines()[1:2]] == [["a", "-", "-", "-", "-", "-"]]
    assert table.count("metrics.mcpfleet.dev does not answer") == 1


def test_decisions_are_told_as_they_stand_in_the_status(plugin, adapter, fleet, api_cluster, namespace):  # noqa: F811
    fleet.server("a", 2, rate=20, latency=0.1, in_flight=3, sessions=4)
    server = mcp_server(namespace, "a", autoscaling={
        "actuator": "Operator", "minReplicas": 1, "maxReplicas": 4, "targets": {"requestsPerSecond": "10"},
        "rules": [SLOW | {"tool": "nobody-calls-this"}]})
    api_cluster.apply(server)
    set_status(api_cluster, namespace, "a", {
        "observedGeneration": api_cluster.get("mcpserver", "a", "-n", namespace)["metadata"]["generation"],
        "replicas": 2, "readyReplicas": 2, "scaling": {
            "recommendedReplicas": 4, "mode": "Active", "decisions": [
                decision(30, **{"from": 2, "to": 4}, limits=["maxReplicas"], message="5 are wanted, but maxReplicas is 4",
                         inputs=[{"name": "mcp_requests_per_second", "value": "48", "target": "10", "ageSeconds": 1}]),
                decision(700, **{"from": 2, "to": 2}, reason="On target")]}})
    wait_for("values", lambda: "in all)" in plugin("explain", "a"))
    text = plugin("explain", "a")
    plain = " ".join(text.split())
    assert "The operator itself keeps them between 1 and 4 replicas. Recommended: at least 4 replicas." in plain
    assert "2 → 4, by target: Over target 5 are wanted, but maxReplicas is 4" in plain
    assert "looked at mcp_requests_per_second 48 (target 10, 1s old) clipped by maxReplicas" in plain
    assert "11m ago stayed at 2 for 11m, by target: On target" in plain
    # The window holds its first step, which may have begun a little before it.
    assert re.search(r"No value of rule slow: no requests with tool=nobody-calls-this in the last \S+s, so there is no p95", plain)
    assert text.index("2 → 4") < text.index("stayed at 2"), "the newest first"
    said = json.loads(plugin("explain", "a", "-o", "json"))
    rate, rule = said["autoscaling"]["drivers"]
    assert rate["target"] == "10 a replica" and rate["ageSeconds"] <= 3
    assert rule["missing"].startswith("no requests with tool=nobody-calls-this")
    assert said["status"]["scaling"]["decisions"][0]["to"] == 4


def columns(table):
    return [line.split() for line in table.splitlines()]


def test_top_shows_what_callers_feel(plugin, adapter, fleet, api_cluster, namespace):  # noqa: F811
    fleet.server("quick", 1, rate=20, latency=0.1, in_flight=3, sessions=4)
    fleet.server("idle", 1, rate=0)
    set_status(api_cluster, namespace, "quick", {"replicas": 1, "readyReplicas": 1, "scaling": {
        "recommendedReplicas": 3, "decisions": [decision(3 * 3600 + 600)]}})
    wait_for("values", lambda: columns(plugin("top"))[1][1] != "-")
    time.sleep(4)  # for the window to fill
    head, first, second = plugin("top", "--once").splitlines()
    assert head.split() == ["NAME", "RATE", "P95", "ERRORS", "IN-FLIGHT", "SESSIONS", "REPLICAS", "REASON"]
    name, rate, p95, errors, in_flight, sessions, replicas, rest = first.split(maxsplit=7)
    assert (name, in_flight, sessions, replicas) == ("quick", "3", "4", "1/1")
    assert rest.startswith("→ 3") and "Over target, 3h1" in rest and "(target)" in rest
    assert 15 < float(rate) < 25 and p95.endswith("ms") and errors.endswith("%")
    assert second.split()[:6] == ["idle", "0", "-", "0%", "0", "0"], "idle is not missing; a quantile of nothing is"
    assert [row[0] for row in columns(plugin("top", "--sort", "name"))[1:]] == ["idle", "quick"]
    assert [row[0] for row in columns(plugin("top", "idle"))[1:]] == ["idle"]
    rows = columns(plugin("top", "-A"))
    assert rows[0][:2] == ["NAMESPACE", "NAME"]
    assert {row[1] for row in rows[1:]} >= {"quick", "idle"}


@contextlib.contextmanager
def terminal(plugin, *arguments, size=(20, 90)):
    """Runs it on a terminal of its own; yields a function that reads what was drawn within some seconds."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    process = subprocess.Popen([plugin.kubectl, "mcp", *arguments], env=plugin.environment, stdin=theirs, stdout=theirs,
                               stderr=theirs)
    os.close(theirs)

    def read(seconds):
        text, until = b"", time.monotonic() + seconds
        while time.monotonic() < until:
            if select.select([ours], [], [], 0.1)[0]:
                text += os.read(ours, 65536)
        return text.decode()
    try:
        yield read
        assert process.poll() is None, "it goes on until it is ended"
    finally:
        process.terminate()
        process.wait()
        os.close(ours)


def test_top_is_live_on_a_terminal(plugin, adapter, fleet, api_cluster, namespace):  # noqa: F811
    fleet.server("a", 1, rate=20)
    with terminal(plugin, "top", "--interval", "200ms") as read:
        first = read(3)
        assert first.count("\x1b[H") >= 5, "drawn anew each 200 ms"
        assert first.count("\x1b[2J") == 1, "cleared once, then written over: no flicker"
        assert "1 MCPServer in" in first
        fleet.server("b", 1, rate=1)
        later = read(3)
        assert "2 MCPServers in" in later, "by a watch"
        for line in later.replace("\x1b[K", "").replace("\x1b[H", "").replace("\x1b[1m", "").replace("\x1b[0m", "").split("\r\n"):
            assert len(line.replace("\x1b[J", "").replace("\x1b[2m", "").replace("\x1b[33m", "")) <= 90, line


def test_explains_what_operator_and_hpa_did(plugin, adapter, fleet, api_cluster, own_namespace, namespace, tmp_path):  # noqa: F811
    server = mcp_server(namespace, "a", runtime=with_requests(), autoscaling={
        "minReplicas": 2, "maxReplicas": 6, "targets": {"requestsPerSecond": "1000", "cpuUtilization": 70}, "rules": [SLOW],
        "behavior": QUICK})
    with running_operator(api_cluster, tmp_path / "operator.log"):
        api_cluster.apply(server)
        wait_for("two pods", lambda: len(fleet.names("a")) == 2)
        play(fleet, "a", rate=10, latency=0.5)
        wait_for("the decision", lambda: "2 → 4" in plugin("explain", "a"), timeout=90)
        # The HPA says what it did in an Event, and a moment later in its status.
        told = ("New size: 4", "HorizontalPodAutoscaler a\n  It wants 4 replicas")
        text = wait_for("the HPA's step", lambda: all(one in (t := plugin("explain", "a")) for one in told) and t, timeout=30)
    plain = " ".join(text.split())
    assert "HorizontalPodAutoscaler a keeps them between 2 and 6 replicas." in plain
    assert "rule slow" in text and "> 200ms" in text
    assert "last fired" in plain
    assert "It last scaled" in plain
    assert "No value of cpuUtilization: nothing has told the cpu of its pods yet" in plain
