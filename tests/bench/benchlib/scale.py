"""One operator and a fleet of MCPServers in a cluster of its own: what making them costs, and a restart among them."""

import collections
import contextlib
import dataclasses
import random
import statistics
import time

from . import stats
from .api import Api, spread
from .audit import WRITES, Trail
from .process import Measured

FLEET, IDLE = "bench-fleet", "bench-idle"
APPS = "/apis/apps/v1"
QUIET = 20       # at rest: so many seconds without a request (the HPA controller comes round every 15)
SHORT_QUIET = 5  # where nothing has been made that the HPA controller could come round to
PAUSE = 0.25     # between looks
BUSY = 0.2       # more than this share of a core is work
ENOUGH = 120     # so many seconds without a request are rest, whatever it does by itself


@dataclasses.dataclass
class Run:
    """What one run found. Times in seconds unless the name says otherwise; memory in MiB."""
    servers: int
    load_s: float = 0  # what creating the MCPServers took the benchmark itself
    time_s: float = 0  # from then on until all children existed
    requests: float = 0       # an MCPServer
    status_writes: float = 0  # an MCPServer
    cpu_s: float = 0
    rss_mib: float = 0
    peak_mib: float = 0
    restart_s: float = 0
    restart_cpu_s: float = 0
    restart_rss_mib: float = 0
    restart_peak_mib: float = 0
    restart_writes: int = 0
    create_p50_ms: float = 0
    create_p99_ms: float = 0
    kinds: list = dataclasses.field(default_factory=list)    # the children of an MCPServer
    by_kind: list = dataclasses.field(default_factory=list)  # of the requests: verb, resource, code, number
    restart_by_kind: list = dataclasses.field(default_factory=list)  # of the writes

    @property
    def cpu_ms_each(self):
        return self.cpu_s * 1e3 / self.servers

    @property
    def most_mib(self):
        return max(self.peak_mib, self.restart_peak_mib)


class Scene:
    """A cluster, and one operator's traces in it."""

    def __init__(self, cluster, contestant, folder, tell):
        self.cluster, self.contestant, self.folder, self.tell = cluster, contestant, folder, tell
        self.kubeconfig = folder / f"{contestant.name}.kubeconfig"
        contestant.prepare(cluster, self.kubeconfig)
        for namespace in (FLEET, IDLE):
            cluster.kubectl("create", "namespace", namespace)
        self.api = Api(cluster)
        self.trail = Trail(cluster.env["MCPFLEET_AUDIT_LOG"], contestant.user)
        self.kinds = {}  # (API, resource): how many of it belong to one MCPServer

    @contextlib.contextmanager
    def operator(self):
        with open(self.folder / f"{self.contestant.name}.log", "ab") as log:
            process = Measured([self.contestant.program, *self.contestant.arguments(self.kubeconfig)],
                               {"KUBECONFIG": str(self.kubeconfig), **self.contestant.environment}, log)
        try:
            yield process
        finally:
            process.stop()

    def children(self):
        """How many of each kind of child the fleet's namespace has."""
        return {kind: self.api.count(f"{kind[0]}/namespaces/{FLEET}/{kind[1]}") for kind in self.kinds}

    def close(self):
        self.trail.close()


def measure(scene, servers, creations, seed):
    """The whole of it: a fleet made, a restart among it, single MCPServers made while all is quiet."""
    found = Run(servers)
    names = [f"s{number}" for number in range(servers)]
    _beforehand(scene, FLEET, names)
    with scene.operator() as process:
        _learn_kinds(scene, process)
        _make(scene, process, names, found)
    with scene.operator() as process:
        _restart(scene, process, found)
        if creations:
            _create_singly(scene, process, creations, seed, found)
    return found


def _learn_kinds(scene, process):
    """What an operator makes for one MCPServer shows when it gets one."""
    contestant, first = scene.contestant, "first"
    _beforehand(scene, IDLE, [first])
    _rest(scene, process, 60, SHORT_QUIET)
    scene.api.create(contestant.path(IDLE), contestant.server(IDLE, first))
    _rest(scene, process, 60)
    scene.kinds = collections.Counter((request.api, request.resource) for request in scene.trail.requests
                                      if request.code == 201 and request.namespace == IDLE and request.resource != "events")
    if not scene.kinds[APPS, "deployments"]:
        raise RuntimeError(f"{contestant.name} made no Deployment for its first MCPServer, only {dict(scene.kinds)}")


def _beforehand(scene, namespace, names):
    if scene.contestant.beforehand:
        _create_all(scene.cluster, [scene.contestant.beforehand(namespace, name) for name in names])


def _create_all(cluster, manifests):
    """Creates (path, manifest) over several connections; returns when the first was sent."""
    return spread(cluster, [lambda api, one=one: api.create(*one) for one in manifests])


def _make(scene, process, names, found):
    contestant, trail = scene.contestant, scene.trail
    before, first, cpu_before = scene.children(), len(trail.requests), process.cpu_seconds()
    path = contestant.path(FLEET)
    begun = _create_all(scene.cluster, [(path, contestant.server(FLEET, name)) for name in names])
    found.load_s = time.time() - begun
    wanted = {kind: before[kind] + each * len(names) for kind, each in scene.kinds.items()}
    _until_made(scene, wanted, 60 + len(names))
    rest = _rest(scene, process, 120 + len(names))
    requests = trail.requests[first:]
    made = [request for request in requests if request.code == 201 and request.namespace == FLEET
            and (request.api, request.resource) in scene.kinds]
    if len(made) != len(names) * scene.kinds.total():
        raise RuntimeError(f"{contestant.name} made {len(made)} children for {len(names)} MCPServers")
    found.kinds = [f"{each} {resource}" for (_, resource), each in scene.kinds.items()]
    found.time_s = max(request.ended for request in made) - begun
    found.requests = len(requests) / len(names)
    found.status_writes = sum(request.resource == "mcpservers/status" for request in requests) / len(names)
    found.by_kind = _by_kind(requests)
    found.cpu_s = rest.cpu_seconds - cpu_before
    found.rss_mib = _steady(process)
    found.peak_mib = process.peak_mib()


def _until_made(scene, wanted, seconds):
    deadline = time.monotonic() + seconds
    while (have := scene.children()) != wanted:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{scene.contestant.name} has not made all children within {seconds} s: {have} of {wanted}")
        time.sleep(1)


def _restart(scene, process, found):
    first = len(scene.trail.requests)
    rest = _rest(scene, process, 120 + found.servers)
    found.restart_s = rest.at - process.begun
    found.restart_cpu_s = rest.cpu_seconds
    found.restart_rss_mib = _steady(process)
    found.restart_peak_mib = process.peak_mib()
    # Who leads is told by an Event too.
    writes = [request for request in scene.trail.requests[first:] if request.verb in WRITES
              and (request.resource, request.namespace) != ("events", scene.contestant.home)]
    found.restart_writes = len(writes)
    found.restart_by_kind = _by_kind(writes)


@dataclasses.dataclass
class Rest:
    at: float           # when it last did something
    cpu_seconds: float  # what it had used by then


def _rest(scene, process, seconds, quiet=QUIET):
    """Waits until the operator does nothing any more: no request, and next to no CPU."""
    deadline = time.time() + seconds + quiet
    rest = Rest(time.time(), process.cpu_seconds())
    looked, used = rest.at, rest.cpu_seconds
    asked_last = rest
    while time.time() - rest.at < quiet:
        time.sleep(PAUSE)
        now, cpu = time.time(), process.cpu_seconds()
        asked = [request.ended for request in scene.trail.look()]
        if asked or cpu - used > BUSY * (now - looked):
            rest = Rest(now if cpu - used > BUSY * (now - looked) else max(asked), cpu)
        looked, used = now, cpu
        if asked:
            asked_last = Rest(max(asked), cpu)
        if now - asked_last.at > ENOUGH:
            return asked_last
        if now > deadline:
            raise RuntimeError(f"{scene.contestant.name} has not come to rest within {seconds} s; its last requests: "
                               f"{scene.trail.requests[-3:]}")
    return rest


def _steady(process):
    samples = []
    for _ in range(5):
        samples.append(process.rss_mib())
        time.sleep(1)
    return statistics.median(samples)


def _create_singly(scene, process, creations, seed, found):
    """One MCPServer after the other while all else is quiet: from its request sent to its Deployment seen by a watch."""
    generator = random.Random(seed)
    names = [f"i{number}" for number in range(creations)]
    _beforehand(scene, IDLE, names)
    _rest(scene, process, 60, SHORT_QUIET)
    took = []
    with Api(scene.cluster).watch(f"{APPS}/namespaces/{IDLE}/deployments", 3600) as events:
        for name in names:
            time.sleep(generator.uniform(0.15, 0.35))
            begun = time.monotonic()
            scene.api.create(scene.contestant.path(IDLE), scene.contestant.server(IDLE, name))
            while (event := next(events))["type"] != "ADDED" or event["object"]["metadata"]["name"] != name:
                pass
            took.append((time.monotonic() - begun) * 1e3)
    found.create_p50_ms, found.create_p99_ms = stats.percentile(took, 0.5), stats.percentile(took, 0.99)


def _by_kind(requests):
    """How often each verb was used on each resource, most often first."""
    counted = collections.Counter((request.verb, request.resource, request.code) for request in requests)
    return [(*kind, number) for kind, number in counted.most_common()]
