"""src/scaling/hpa.h against the HPA controller itself: each case of tests/scaling/hpa_cases.json is made of real objects and
metrics, and both must give the same answers, in the same words. One sync of most, and of courses all syncs of some
seconds: ours is then told the moments at which the real controller looked."""

import collections
import contextlib
import json
import os
import re
import subprocess
import threading
import time

import pytest

import fake_metrics
from conftest import BIN, ROOT, wait_for
from fake_metrics import Refused, rfc3339

CASES = {case["name"]: case for case in json.loads((ROOT / "tests" / "scaling" / "hpa_cases.json").read_text())}
SINGLE = [name for name, case in CASES.items() if "steps" not in case]
COURSES = [name for name, case in CASES.items() if "steps" in case]
ANSWERS = ROOT / "tests" / "scaling" / "hpa_answers.json"
NAMESPACE = "t-hpa-arithmetic"
TARGET = "scaletargets.test.mcpfleet.dev"
CONDITIONS = ("AbleToScale", "ScalingActive", "ScalingLimited")
TRIES = 3  # of a course whose moments fell onto the edge of a window
SLACK = 0.3  # seconds between the controller's reading of a metric and of its clock, at most


# -- what the cases are made of

def crd():
    """Something to scale that nobody but the HPA controller writes to, with any replicas in its status."""
    number = {"type": "integer"}
    schema = {"type": "object", "properties": {
        "spec": {"type": "object", "properties": {"replicas": number}},
        "status": {"type": "object", "properties": {"replicas": number, "selector": {"type": "string"}}}}}
    plural, group = TARGET.split(".", 1)
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": TARGET},
            "spec": {"group": group, "scope": "Namespaced", "names": {"plural": plural, "kind": "ScaleTarget"},
                     "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema},
                                   "subresources": {"status": {}, "scale": {
                                       "specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas",
                                       "labelSelectorPath": ".status.selector"}}}]}}


def target(name, **parts):
    return {"apiVersion": "test.mcpfleet.dev/v1", "kind": "ScaleTarget",
            "metadata": {"name": name, "namespace": NAMESPACE}, **parts}


def target_status(name, case):
    return {"replicas": case.get("statusReplicas", case["replicas"]), "selector": f"case={name}"}


def containers(pod):
    return pod.get("containers") or {"main": {key: pod[key] for key in ("cpu", "memory") if key in pod}}


def of(pod, what):
    """Requests or usage of each container."""
    return {name: {resource: amounts[what] for resource, amounts in container.items() if what in amounts}
            for name, container in containers(pod).items()}


def pods(name, case):
    """Each pod of a case with its name."""
    number = 0
    for group in case["pods"]:
        for _ in range(group.get("count", 1)):
            yield f"{name}-{number}", group
            number += 1


def pod_object(name, pod_name, pod):
    metadata = {"name": pod_name, "namespace": NAMESPACE, "labels": {"case": name}}
    if pod.get("deleting"):
        metadata["finalizers"] = ["test.mcpfleet.dev/stay"]
    spec = {"terminationGracePeriodSeconds": 0, "automountServiceAccountToken": False, "containers": [
        {"name": container, "image": "example.com/x:1", "resources": {"requests": requests}}
        for container, requests in of(pod, "request").items()]}
    if pod.get("deleting"):
        # What is being deleted and on no node, the pods' garbage collector sets to Failed within 20 s; what is on a node
        # that does not exist, after 40 s or more.
        spec["nodeName"] = "gone"
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def pod_status(pod, base):
    status = {"phase": pod.get("phase", "Running"), "conditions": []}
    if pod.get("started", 3600) is not None:
        status["startTime"] = rfc3339(base - pod.get("started", 3600))
    if pod.get("ready", "True") != "Absent":
        status["conditions"] = [{"type": "Ready", "status": pod.get("ready", "True"),
                                 "lastTransitionTime": rfc3339(base - pod.get("readySince", 3500))}]
    return status


def hpa(name, case):
    """The HPA of a case; its metrics of objects and of things outside are asked for by the case's name."""
    spec = json.loads(json.dumps(case["spec"]))
    for metric in spec["metrics"]:
        if "object" in metric:
            metric["object"]["describedObject"]["name"] = name
        if "external" in metric:
            metric["external"]["metric"]["selector"] = {"matchLabels": {"case": name}}
    spec["scaleTargetRef"] = {"apiVersion": "test.mcpfleet.dev/v1", "kind": "ScaleTarget", "name": name}
    return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec}


# -- the stage: a cluster, what it is told, and what it does

class Source:
    """What the metrics APIs answer, and when they were asked."""

    def __init__(self, base):
        self.base, self.cases = base, {}
        self.asked = collections.defaultdict(list)  # by case: (time, the metrics that were answered)
        self._lock = threading.Lock()

    def _case(self, selector):
        name = selector.removeprefix("case=")
        return name, self.cases[name]

    def _given(self, name, metric):
        """What a case says of a metric now; the first question is the beginning of its course."""
        case = self.cases[name]
        with self._lock:
            now = time.time()
            asked = self.asked[name]
            since = now - asked[0][0] if asked else 0
            metrics = case.get("metrics", {})
            for step in case.get("steps", []):
                if step["from"] <= since:
                    metrics = step["metrics"]
            asked.append((now, metrics))
        given = metrics.get(metric, {})
        if "error" in given:
            raise Refused(given["error"])
        return given

    def pod_usage(self, selector):
        name, case = self._case(selector)
        for resource in ("cpu", "memory"):
            self._given(name, resource)
        return [(pod_name, self.base - pod.get("sampled", 10), pod.get("window", 30), of(pod, "usage"))
                for pod_name, pod in pods(name, case) if any(of(pod, "usage").values())]

    def pod_values(self, selector, metric):
        name, case = self._case(selector)
        self._given(name, metric)
        return [(pod_name, self.base - pod.get("sampled", 10), pod.get("window", 30), pod["values"][metric])
                for pod_name, pod in pods(name, case) if metric in pod.get("values", {})]

    def object_value(self, resource, name, metric):
        assert resource == "services", resource
        value, = self._given(name, metric)["values"]
        return value

    def external_values(self, selector, metric):
        return self._given(self._case(selector)[0], metric)["values"]


class Watch:
    """All versions of the objects of a kind, by name, each with the time at which it came; and the names of those that are
    gone."""

    def __init__(self, cluster, kind):
        self.seen, self.gone = collections.defaultdict(list), set()
        self._process = subprocess.Popen(
            [*cluster._kubectl, "get", kind, "-n", NAMESPACE, "--watch", "--output-watch-events", "-o", "json"],
            stdout=subprocess.PIPE, text=True)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        for line in self._process.stdout:  # an event each
            event = json.loads(line)
            name = event["object"]["metadata"]["name"]
            if event["type"] == "DELETED":
                self.gone.add(name)
            else:
                self.seen[name].append((time.time(), event["object"]))

    def close(self):
        self._process.terminate()
        self._process.wait()


class Stage:
    def __init__(self, cluster, source):
        self.cluster, self.source = cluster, source
        self.base = source.base
        self.hpas = Watch(cluster, "hpa")

    def close(self):
        self.hpas.close()

    def items(self, items, *arguments):
        self.cluster.kubectl(*arguments, "-f", "-", stdin={"apiVersion": "v1", "kind": "List", "items": items})

    def prepare(self, cases):
        """All of the cases but their HPAs, which would begin to look at once."""
        self.source.cases.update(cases)
        every = [(name, pod_name, pod) for name, case in cases.items() for pod_name, pod in pods(name, case)]
        going = [one for one in every if one[2].get("deleting")]
        self._make([target(name, spec={"replicas": case["replicas"]}) for name, case in cases.items()],
                   [target(name, status=target_status(name, case)) for name, case in cases.items()])
        self._make_pods([one for one in every if one not in going])
        self._make_pods(going)  # last: pod_object says how long they stay as they are
        if going:
            self.cluster.kubectl("delete", "pod", *(pod_name for _, pod_name, _ in going), "-n", NAMESPACE, "--wait=false",
                                 "--grace-period=0", "--force")

    def _make_pods(self, every):
        self._make([pod_object(*one) for one in every],
                   [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": pod_name, "namespace": NAMESPACE},
                     "status": pod_status(pod, self.base)} for _, pod_name, pod in every])

    def _make(self, items, statuses):
        if items:
            self.items(items, "create")
            self.items(statuses, "apply", "--server-side", "--subresource=status", "--force-conflicts")

    def begin(self, cases):
        self.items([hpa(name, case) for name, case in cases.items()], "create")

    def end(self, cases):
        """And waits until all that they did has been told."""
        self.cluster.kubectl("delete", "hpa", *cases, "-n", NAMESPACE, "--wait=false")
        wait_for("the HPAs to be gone", lambda: self.hpas.gone.issuperset(cases))

    def statuses(self, name):
        """Of its HPA, from the first that its controller wrote."""
        return [(at, found["status"]) for at, found in list(self.hpas.seen[name]) if found["status"].get("conditions")]


def await_controller(stage):
    """Until the controller knows the kind to scale and reaches all metrics: it looks for new kinds twice a minute."""
    case = {"replicas": 1, "pods": [{"cpu": {"usage": "10m"}, "values": {"calls": "10"}}],
            "metrics": {"backlog": {"values": ["10"]}},
            "spec": {"maxReplicas": 2, "metrics": [
                {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "AverageValue", "averageValue": "10m"}}},
                {"type": "Pods", "pods": {"metric": {"name": "calls"},
                                          "target": {"type": "AverageValue", "averageValue": "10"}}},
                {"type": "External", "external": {"metric": {"name": "backlog"},
                                                  "target": {"type": "AverageValue", "averageValue": "10"}}}]}}
    stage.prepare({"probe": case})
    stage.begin({"probe": case})

    def reaches_all():
        statuses = stage.statuses("probe")
        metrics = statuses[-1][1].get("currentMetrics") or [] if statuses else []
        return len(metrics) == 3 and all(metric["type"] for metric in metrics)
    wait_for("the HPA controller to reach everything", reaches_all, timeout=90)
    stage.end(["probe"])


@pytest.fixture(scope="module")
def stage(api_cluster, tmp_path_factory):
    cluster = api_cluster
    cluster.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=60s")
    cluster.apply(crd(), {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    cluster.kubectl("wait", "--for=condition=Established", "--timeout=30s", f"crd/{TARGET}")
    wait_for("the namespace's account", lambda: cluster.get("serviceaccount", "default", "-n", NAMESPACE))
    source = Source(int(time.time()))
    with contextlib.ExitStack() as stack:
        stack.enter_context(fake_metrics.serving(cluster, tmp_path_factory.mktemp("metrics"), source))
        stack.callback(cluster.kubectl, "delete", "crd", TARGET, "--timeout=60s")
        stack.callback(cluster.kubectl, "delete", "namespace", NAMESPACE, "--wait=false")
        made = Stage(cluster, source)
        stack.callback(made.close)
        stack.callback(release_pods, cluster)
        await_controller(made)
        yield made


def release_pods(cluster):
    """Pods that were kept while they are deleted would keep their namespace, too."""
    for pod in cluster.get("pods", "-n", NAMESPACE)["items"]:
        if pod["metadata"].get("finalizers"):
            cluster.kubectl("patch", "pod", pod["metadata"]["name"], "-n", NAMESPACE, "--type=merge", "-p",
                            '{"metadata": {"finalizers": null}}')


# -- answers

def ours(cases):
    """Our answers to cases that have `base` and `syncs`: a list of syncs each."""
    done = subprocess.run([BIN / "hpa_cases"], input=json.dumps(cases), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [[{key: value for key, value in sync.items() if key != "replicas"} for sync in syncs]
            for syncs in json.loads(done.stdout)]


def milli(quantity):
    number, suffix = re.fullmatch(r"(-?[0-9]+)([A-Za-z]*)", quantity).groups()
    factor = {"": 1000, "m": 1, "k": 10**6, "M": 10**9, "G": 10**12, "T": 10**15, "P": 10**18,
              "Ki": 1000 << 10, "Mi": 1000 << 20, "Gi": 1000 << 30}[suffix]
    return int(number) * factor


def shown(metric):
    """One of status.currentMetrics as our program shows it: None where the controller has no value."""
    current = next((value["current"] for key, value in metric.items() if key != "type"), {})
    value = current.get("averageValue") or current.get("value")
    if value is None:
        return None
    found = {"usage": milli(value)}
    if "averageUtilization" in current:
        found["utilization"] = current["averageUtilization"]
    return found


def plain(message):
    """A message without what the deciding code is not told: selectors of metrics, where they were asked for, and names of
    pods."""
    selector = r"(&LabelSelector\{.*?,\}|nil)"
    message = re.sub(rf"\({selector}\)", "", message)
    message = re.sub(rf"unable to get external metric .*?{selector}: ", "unable to get external metric: ", message)
    message = re.sub(r"Service on [a-z0-9-]+ [a-z0-9-]+/", "", message)
    return re.sub(r" in container [a-z]+ of Pod [a-z0-9-]+$", "", message)


def as_ours(status, event=""):
    """A status of an HPA in the form of our answers."""
    return {"current": status.get("currentReplicas", 0), "desiredReplicas": status["desiredReplicas"],
            "event": plain(event),
            "conditions": {c["type"]: {"status": c["status"], "reason": c["reason"], "message": plain(c["message"])}
                           for c in status["conditions"]},
            "metrics": [shown(metric) for metric in status.get("currentMetrics") or []]}


def rescales(stage):
    """The text of the first Event of a rescale, by HPA."""
    found = {}
    for event in stage.cluster.get("events", "-n", NAMESPACE)["items"]:
        name = event["involvedObject"]["name"]
        if event["reason"] == "SuccessfulRescale" and (
                name not in found or event["firstTimestamp"] < found[name]["firstTimestamp"]):
            found[name] = event
    return {name: event["message"] for name, event in found.items()}


@pytest.fixture(scope="module")
def answers(stage):
    """By single case: the real controller's answer in its first sync, and ours."""
    cases = {name: CASES[name] for name in SINGLE}
    stage.prepare(cases)
    stage.begin(cases)
    wait_for("the first sync of all", lambda: all(stage.statuses(name) for name in cases), timeout=120)
    stage.end(cases)
    first = {name: stage.statuses(name)[0] for name in cases}
    rescaled = {name for name, (_, status) in first.items() if "lastScaleTime" in status}
    events = wait_for("the Events", lambda: (told := rescales(stage)).keys() >= rescaled and (told, True))[0]
    played = [{**case, "base": stage.base, "syncs": [{"at": first[name][0], "metrics": case.get("metrics", {})}]}
              for name, case in cases.items()]
    real = {name: as_ours(status, events[name] if name in rescaled else "") for name, (_, status) in first.items()}
    if os.environ.get("MCPFLEET_RECORD"):
        ANSWERS.write_text(json.dumps(real, indent=1, sort_keys=True) + "\n")
    return real, dict(zip(cases, (syncs[0] for syncs in ours(played)), strict=True))


@pytest.mark.parametrize("name", SINGLE)
def test_one_sync(name, answers):
    real, our = answers
    assert our[name] == real[name], CASES[name]["why"]


def test_the_recorded_answers_are_those_of_the_real_controller(answers):
    """By which the unit tests hold the arithmetic to them without a cluster. MCPFLEET_RECORD=1 records them anew."""
    assert json.loads(ANSWERS.read_text()) == answers[0]


def without_repetition(answers):
    """A status that is as the one before is not written again."""
    return [answer for before, answer in zip([None, *answers], answers, strict=False) if answer != before]


def real_course(stage, name, moments):
    """The statuses of a course, and its rescales: the sync that did it, and to how many."""
    seen, changes, statuses = None, [], [status for _, status in stage.statuses(name)]
    for status in statuses:
        if status.get("lastScaleTime", seen) != seen:
            seen = status["lastScaleTime"]
            changes.append((max(i for i, moment in enumerate(moments) if rfc3339(moment) <= seen),
                            status["desiredReplicas"]))
    return without_repetition([as_ours(status) for status in statuses]), changes


def our_course(syncs):
    changes = [(i, sync["desiredReplicas"]) for i, sync in enumerate(syncs) if sync["event"]]
    return without_repetition([{**sync, "event": ""} for sync in syncs]), changes


def play_courses(stage, names, attempt):
    """Plays them all at once. By name, the real course and ours; those whose moments decide nothing are not there."""
    cases = {f"{name}-{attempt}": CASES[name] for name in names}
    stage.prepare(cases)
    stage.begin(cases)

    def over(name):
        asked = stage.source.asked[name]
        return asked and asked[-1][0] - asked[0][0] > cases[name]["lasts"]
    wait_for("the courses to end", lambda: all(over(name) for name in cases), timeout=90)
    stage.end(cases)
    found = {}
    for name, case in cases.items():
        asked = stage.source.asked[name]
        syncs = [{"at": at, "metrics": metrics} for at, metrics in asked[:-1]]  # the last may have been cut off
        loose = [our_course(syncs) for syncs in ours([
            {**case, "base": stage.base, "syncs": syncs, "slack": slack} for slack in (0, -SLACK, SLACK)])]
        if loose[0] == loose[1] == loose[2]:
            real = real_course(stage, name, [at for at, _ in asked])
            found[name.rsplit("-", 1)[0]] = real, loose[0], len(syncs)
    return found


@pytest.fixture(scope="module")
def courses(stage, answers):  # after the answers: many HPAs at once would shift its moments
    found = {}
    for attempt in range(TRIES):
        if left := [name for name in COURSES if name not in found]:
            found |= play_courses(stage, left, attempt)
    return found


@pytest.mark.parametrize("name", COURSES)
def test_course(name, courses):
    assert name in courses, f"in {TRIES} plays the moments of its syncs fell onto the edges of its windows"
    (real, real_changes), (our, our_changes), syncs = courses[name]
    assert our_changes == [change for change in real_changes if change[0] < syncs], CASES[name]["why"]
    assert our == real[:len(our)], CASES[name]["why"]
    assert len(our) > 1, "a course in which nothing changes shows nothing"
