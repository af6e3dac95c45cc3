"""A round of the real HPA controller over many HPAs: how long it takes to read a metric of each, by the audit log.

Each HPA is due a period after its last turn, and so they drift apart. A controller that has just started has all of them
due at once: hence it is started again, once every HPA has had a turn and its status needs no writing any more.
"""

import os
import signal
import time

from . import stats
from .api import spread
from .audit import Trail
from .metrics_scene import FLEET, GAUGE, GROUP, PODS_AN_HPA

USER = "system:serviceaccount:kube-system:horizontal-pod-autoscaler"
CONTROLLERS = "kube-controller-manager"
HPAS = f"/apis/autoscaling/v2/namespaces/{FLEET}/horizontalpodautoscalers"


def measure(scene, hpas, limit):
    """One round, in milliseconds. A round that is not over after `limit` seconds is told with how far it came."""
    targets = [pod.labels["bench/hpa"] for pod in scene.pods[::PODS_AN_HPA]][:hpas]
    trail = Trail(scene.cluster.env["MCPFLEET_AUDIT_LOG"], USER)
    try:
        spread(scene.cluster, [lambda api, name=name: api.create(HPAS, _hpa(name)) for name in targets])
        _wait(trail, len(targets), 0, limit)
        restarted = _restart_controllers(scene)
        return _result(_wait(trail, len(targets), restarted, limit), len(targets))
    finally:
        scene.cluster.kubectl("delete", "--raw", HPAS)
        trail.close()


def _hpa(name):
    # As many as there are: a round of reads, without a change of replicas.
    return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": name},
            "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
                     "minReplicas": PODS_AN_HPA, "maxReplicas": PODS_AN_HPA,
                     "metrics": [{"type": "Pods", "pods": {"metric": {"name": GAUGE},
                                                           "target": {"type": "AverageValue", "averageValue": "5"}}}]}}


def _wait(trail, number, since, limit):
    """The first so many reads since then, or those that came within the limit. No HPA has a second turn before all had one."""
    deadline = time.monotonic() + limit
    while True:
        trail.look()
        reads = sorted((request for request in trail.requests if request.begun > since
                        and request.api.startswith(f"/apis/{GROUP}/")), key=lambda request: request.begun)
        if len(reads) >= number or time.monotonic() > deadline:
            return reads[:number]
        time.sleep(0.2)


def _restart_controllers(scene):
    """Returns when the new ones are there, by time.time()."""
    before = scene.component(CONTROLLERS)
    os.kill(before, signal.SIGTERM)
    scene.cluster.wait("the controllers' new process", lambda: scene.component(CONTROLLERS) not in (None, before), seconds=60)
    return time.time()


def _result(reads, number):
    found = {"hpas": number, "reads": len(reads), "errors": sum(read.code != 200 for read in reads)}
    if reads:
        took = [(read.ended - read.begun) * 1e3 for read in reads]
        found.update(round_ms=(max(read.ended for read in reads) - reads[0].begun) * 1e3,
                     read_p50_ms=stats.percentile(took, 0.5), read_p99_ms=stats.percentile(took, 0.99))
    return found
