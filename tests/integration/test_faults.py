"""mcp-operator behind a proxy that kills it, and that treats it as bad networks and API servers in trouble do. Each time the
namespace must end as one does in which nothing went wrong."""

import concurrent.futures
import contextlib
import dataclasses
import json
import os
import pathlib
import re
import signal
import subprocess
import threading
import time

import pytest

from conftest import BIN, ROOT, wait_for
from fault_proxy import Answer, Drop, Fault, Proxy, failure
from scenario import Api, Scenario, collections
from test_operator import (arguments, mcp_server, operator_kubeconfig, own_namespace,  # noqa: F401  (a fixture)
                           running_operator)

# How soon all is as it should be once a fault is over.
CONVERGED = 10
# Long enough for several tries of everything.
TROUBLE_LASTS = 4
# When a wait is for Kubernetes' controllers as well, and no promise of ours.
SETTLED = 90
# Operators that run side by side; most of the time each waits for Kubernetes' own controllers.
AT_ONCE = 10
# Of the scenario: two servers' children and first statuses, and what each later step changes.
SURE_WRITES = 16


class Operator:
    """The program behind a proxy of its own, with one namespace to watch, so that many can run side by side."""

    def __init__(self, cluster, folder, namespace, *election):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(exist_ok=True)
        self.proxy = Proxy(cluster.api_server, Api(cluster.kubeconfig).ca_pem)
        config = json.loads(operator_kubeconfig(cluster).read_text())
        config["clusters"][0]["cluster"] = {"server": self.proxy.url}
        kubeconfig = self.folder / "kubeconfig"
        kubeconfig.write_text(json.dumps(config))
        # Where there is no other, nothing should wait for the Lease of one that was killed.
        self._command = [BIN / "mcp-operator", *arguments(cluster), "--kubeconfig", kubeconfig,
                         "--watch-namespaces", namespace, *(election or ["--leader-elect", "false"])]
        self._lock = threading.Lock()
        self._over = False
        self.process = None
        self.start()

    def start(self):
        with open(self.folder / "operator.log", "a") as log:
            self.process = subprocess.Popen(self._command, stdout=log, stderr=log)

    def kill_and_start(self, fault=None):
        """Also from the proxy's threads; not any more once it is over."""
        with self._lock:
            if self._over:
                return
            self._kill()
            self.proxy.cut()
            self.proxy.fault = fault or Fault()
            self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with self._lock:
            self._over = True
            self._kill()
        self.proxy.close()

    def _kill(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def paths(api_cluster):
    return collections(Api(api_cluster.kubeconfig))


@contextlib.contextmanager
def scenario_in(cluster, paths, namespace):
    """A Scenario in a new namespace, which goes after it."""
    api = Api(cluster.kubeconfig)
    if api.find(f"/api/v1/namespaces/{namespace}"):
        cluster.kubectl("delete", "namespace", namespace, "--timeout=60s")
    api.call("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
    wait_for("the namespace's own objects", lambda: all(
        api.find(f"/api/v1/namespaces/{namespace}/{name}")
        for name in ("serviceaccounts/default", "configmaps/kube-root-ca.crt")))
    try:
        yield Scenario(api, paths, namespace, lambda name, **spec: mcp_server(namespace, name, **spec))
    finally:
        api.delete(f"/api/v1/namespaces/{namespace}")


def unchanged_for(seconds, state):
    """The state, once it has been the same for so long."""
    since, last = time.monotonic(), state()

    def settled():
        nonlocal since, last
        now = state()
        if now != last:
            since, last = time.monotonic(), now
        return time.monotonic() - since > seconds
    wait_for("a state that stays", settled, timeout=SETTLED, every=0.5)
    return last


@dataclasses.dataclass
class Reference:
    states: dict  # by the name of the step that ends in it
    kinds: set    # of objects, at any time
    writes: int   # of the operator, in all


@pytest.fixture(scope="module")
def reference(api_cluster, own_namespace, paths, tmp_path_factory):  # noqa: F811
    """What it is like where nothing goes wrong."""
    known = Reference({}, set(), 0)
    with (scenario_in(api_cluster, paths, "faults-none") as scenario,
          Operator(api_cluster, tmp_path_factory.mktemp("none"), scenario.namespace) as operator):
        for step in scenario.steps:
            step()
            wait_for(f"the step {step.__name__}", scenario.in_step, SETTLED)
            # The HPA controller looks every 2 s.
            known.states[step.__name__] = unchanged_for(3, scenario.state)
            known.kinds.update(scenario.kinds())
        known.writes = len(operator.proxy.writes())
    return known


def difference(expected, found):
    """Where two states differ, as text."""
    lines = []

    def compare(path, a, b):
        if isinstance(a, dict) and isinstance(b, dict):
            for key in sorted(a.keys() | b.keys()):
                compare(f"{path}.{key}", a.get(key), b.get(key))
        elif a != b:
            lines.append(f"{path}: {json.dumps(a)[:300]} but now {json.dumps(b)[:300]}")
    compare("", expected, found)
    return "\n".join(lines)


def wait_same(scenario, expected, timeout, state=None):
    """Waits until the namespace is as `expected`."""
    different = None

    def same():
        nonlocal different
        different = difference(expected, (state or scenario.state)())
        return not different
    deadline = time.monotonic() + timeout
    while not same():
        assert time.monotonic() < deadline, f"{scenario.namespace} is not as it should be:\n{different}"
        time.sleep(0.5)


class KillAtWrite(Fault):
    """Calls `kill` at the n-th write: before it is sent on, or when it is done and before its answer is passed on."""

    def __init__(self, number, after, kill):
        self.number = number
        self.after = after
        self.kill = kill
        self.fired = threading.Event()
        self._lock = threading.Lock()
        self._seen = 0
        self._chosen = None

    def request(self, exchange):
        if self.fired.is_set():
            raise Drop
        if not exchange.is_write:
            return None
        with self._lock:
            self._seen += 1
            if self._seen == self.number:
                self._chosen = exchange
        if exchange is self._chosen and not self.after:
            self._fire()
        return None

    def answer(self, exchange, answer):
        if exchange is self._chosen:
            self._fire()
        return answer

    def _fire(self):
        self.fired.set()
        self.kill()
        raise Drop


def live_and_be_killed(cluster, paths, reference, folder, number, after):
    """Whether there was an n-th write to be killed at."""
    name = f"kill-{'after' if after else 'before'}-{number}"
    with scenario_in(cluster, paths, name) as scenario, Operator(cluster, folder / name, name) as operator:
        scenario.look_only_at(reference.kinds)
        fault = operator.proxy.fault = KillAtWrite(number, after, operator.kill_and_start)
        for step in scenario.steps:
            step()
            wait_for(f"the step {step.__name__} in {name}", scenario.in_step, SETTLED, every=0.2)
        wait_same(scenario, reference.states["delete"], SETTLED)
        assert writes_of_a_restart(operator, scenario) == []
        scenario.end()
        wait_for(f"nothing to be left in {name}", lambda: not scenario.leftovers(), timeout=SETTLED, every=0.5)
    return fault.fired.is_set()


def writes_of_a_restart(operator, scenario):
    """What it writes though nothing changed. It is through with all others when it has served one that is new."""
    before = len(operator.proxy.writes())
    operator.kill_and_start()
    scenario.create_last()
    wait_for("the one made last", scenario.in_step, SETTLED, every=0.2)
    return [e for e in operator.proxy.writes()[before:] if not re.search(r"/last(-session-key)?(/|$)", e.path)]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_each_write(api_cluster, paths, reference, tmp_path, after):
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        killed = list(pool.map(
            lambda number: live_and_be_killed(api_cluster, paths, reference, tmp_path, number, after),
            range(1, reference.writes + 1)))
    # How many status writes there are is a matter of time; all the others are sure.
    assert all(killed[:SURE_WRITES]), killed


class Trouble(Fault):
    """A fault that begins and ends. It counts how often it struck."""

    def __init__(self):
        self.strikes = 0
        self.over = threading.Event()

    def before(self):
        """What is in force until the trouble begins."""
        return Fault()

    def begin(self, proxy):
        proxy.fault = self
        proxy.cut()  # what is open would go on untouched

    def end(self, proxy):
        proxy.fault = Fault()
        self.over.set()

    def strike(self):
        self.strikes += 1


class Slow(Trouble):
    def request(self, exchange):
        self.strike()
        time.sleep(1)


class DropRequests(Trouble):
    def request(self, exchange):
        self.strike()
        raise Drop


class DropAnswers(Trouble):
    """All is done, and the program never learns of it."""

    def answer(self, exchange, answer):
        self.strike()
        raise Drop

    def line(self, exchange, line):
        self.strike()
        raise Drop


class Answers(Trouble):
    """Nothing is done; the same answer to all."""

    def __init__(self, *answer):
        super().__init__()
        self.same = failure(*answer)

    def request(self, exchange):
        self.strike()
        return self.same


class Expired(Trouble):
    """No watch can go on from where it was: said by the answer's status, or in the stream."""

    def request(self, exchange):
        if not exchange.is_watch:
            return None
        self.strike()
        gone = failure(410, "Expired", "too old resource version: 1 (2)")
        if self.strikes % 2:
            return gone
        return Answer(200, b'{"type":"ERROR","object":' + gone.body + b"}\n")


class CutWatches(Trouble):
    """Each watch ends in the middle of its first event."""

    def line(self, exchange, line):
        self.strike()
        raise Drop(line[: len(line) // 2])


class HoldWatches(Trouble):
    """Watches stay open, and nothing comes until the end."""

    def line(self, exchange, line):
        self.strike()
        self.over.wait()
        return line


class StaleLists(Trouble):
    """Watches have expired, and lists are answered as they were at first, from a cache that lags behind."""

    def __init__(self):
        super().__init__()
        self.recorded = Recorder()

    def before(self):
        return self.recorded

    def request(self, exchange):
        if exchange.is_list or "sendInitialEvents" in exchange.query:
            self.strike()
            return self.recorded.lists[exchange.path, exchange.is_watch]
        if exchange.is_watch:
            return failure(410, "Expired", "too old resource version: 1 (2)")
        return None


class Recorder(Fault):
    """Keeps the first answer to each list, in either of the two ways of listing."""

    INITIAL_END = b"k8s.io/initial-events-end"

    def __init__(self):
        self.lists = {}

    def answer(self, exchange, answer):
        if exchange.is_list and answer.status == 200:
            self.lists.setdefault((exchange.path, False), answer)
        return answer

    def line(self, exchange, line):
        if "sendInitialEvents" in exchange.query:
            known = self.lists.setdefault((exchange.path, True), Answer(200, b""))
            if self.INITIAL_END not in known.body:
                known.body += line + b"\n"
        return line


class Away(Trouble):
    """Nobody listens."""

    def begin(self, proxy):
        self.strike()
        self.away = proxy.away()
        self.away.__enter__()

    def end(self, proxy):
        self.away.__exit__(None, None, None)


TROUBLES = {
    "slow": Slow, "requests-dropped": DropRequests, "answers-dropped": DropAnswers,
    "failing": lambda: Answers(500, "InternalError", "etcdserver: leader changed"),
    "unavailable": lambda: Answers(503, "ServiceUnavailable", "apiserver is shutting down"),
    "throttling": lambda: Answers(429, "TooManyRequests", "too many requests", ("Retry-After", "1")),
    "expired": Expired, "watches-cut": CutWatches, "watches-held": HoldWatches, "stale-lists": StaleLists, "away": Away}


def live_in_trouble(cluster, paths, reference, folder, name):
    """One step happens in trouble, and one just before its end."""
    trouble = TROUBLES[name]()
    name = f"trouble-{name}"
    with scenario_in(cluster, paths, name) as scenario, Operator(cluster, folder / name, name) as operator:
        scenario.look_only_at(reference.kinds)
        scenario.create()
        wait_for(f"what is created in {name}", scenario.in_step, SETTLED, every=0.2)
        operator.kill_and_start(trouble.before())
        scenario.scale()
        wait_for(f"what is scaled in {name}", scenario.in_step, SETTLED, every=0.2)
        trouble.begin(operator.proxy)
        scenario.update()
        time.sleep(TROUBLE_LASTS)
        scenario.delete()
        trouble.end(operator.proxy)
        done = reference.states["delete"]
        wait_same(scenario, scenario.written(done), CONVERGED, lambda: scenario.written(scenario.state()))
        wait_same(scenario, done, SETTLED)
        assert trouble.strikes > 0
        assert operator.process.poll() is None, "the operator ended"


@pytest.fixture(scope="module")
def troubles(api_cluster, paths, reference, tmp_path_factory):
    """All of them side by side: what became of each."""
    folder = tmp_path_factory.mktemp("trouble")
    with concurrent.futures.ThreadPoolExecutor(4) as pool:  # few enough for the time that they have
        return {name: pool.submit(live_in_trouble, api_cluster, paths, reference, folder, name) for name in TROUBLES}


@pytest.mark.parametrize("name", TROUBLES)
def test_converges_soon_after(troubles, name):
    troubles[name].result()


@contextlib.contextmanager
def api_server_gone(cluster):
    """Its process ends, and comes back in the end."""
    components = pathlib.Path(cluster.kubeconfig).parent / "components.json"
    status = json.loads(subprocess.run([ROOT / "hack" / "cluster", "status", "--name", cluster.name, "--json"], check=True,
                                       capture_output=True, text=True).stdout)

    def run_only(text):
        temporary = components.with_suffix(".new")
        temporary.write_text(text)
        temporary.rename(components)
        os.kill(status["supervisorPid"], signal.SIGHUP)

    def ready():
        with contextlib.suppress(RuntimeError):
            return "ok" in cluster.kubectl("get", "--raw", "/readyz", "--request-timeout=2s")

    whole = components.read_text()
    try:
        run_only(json.dumps([c for c in json.loads(whole) if c["name"] != "kube-apiserver"]))
        os.kill(status["components"]["kube-apiserver"], signal.SIGKILL)  # it would take its time to end
        wait_for("the API server to be gone", lambda: not ready())
        yield
    finally:
        run_only(whole)
        wait_for("the API server to be back", ready, SETTLED)


def test_api_server_gone_for_long(api_cluster, paths, reference, own_namespace, tmp_path):  # noqa: F811
    """MCPFLEET_OUTAGE: for how many seconds."""
    with (scenario_in(api_cluster, paths, "faults-outage") as scenario,
          running_operator(api_cluster, tmp_path / "operator.log") as operator):
        for step in (scenario.create, scenario.scale):
            step()
            wait_for(f"the step {step.__name__}", scenario.in_step, SETTLED)
        with api_server_gone(api_cluster):
            with pytest.raises(subprocess.TimeoutExpired):  # it lives on
                operator.wait(float(os.environ.get("MCPFLEET_OUTAGE", "20")))
        scenario.update()
        wait_for("the update to be carried out", scenario.carried_out, CONVERGED)
        wait_same(scenario, scenario.written(reference.states["update"]), SETTLED,
                  lambda: scenario.written(scenario.state()))


class Cut(Fault):
    """The Lease cannot be renewed, and writes are on their way for as long as `arrive` is not set."""

    def __init__(self):
        self.held = []
        self.arrive = threading.Event()

    def request(self, exchange):
        if "/leases" in exchange.path:
            raise Drop
        if exchange.is_write:
            self.held.append(exchange)
            self.arrive.wait()
            if exchange.client_gone():
                raise Drop


class FirstWrite(Fault):
    """Looks, at the first write, whether anybody still waits for what `other` holds."""

    def __init__(self, other):
        self.other = other
        self.at = None
        self.given_up = None
        self._lock = threading.Lock()

    def request(self, exchange):
        with self._lock:
            if exchange.is_write and self.at is None:
                self.given_up = [held.client_gone() for held in self.other.held]
                self.at = exchange.received


def test_delayed_writes_of_a_deposed_leader_never_land(api_cluster, paths, own_namespace, tmp_path):  # noqa: F811
    lease = "/apis/coordination.k8s.io/v1/namespaces/mcpfleet-system/leases/mcp-operator"

    def election(name):
        return ["--lease-duration", "3s", "--lease-renew-deadline", "2s", "--lease-retry-period", "200ms", "--identity", name]

    with scenario_in(api_cluster, paths, "faults-deposed") as scenario, contextlib.ExitStack() as stack:
        def start(name):
            return stack.enter_context(Operator(api_cluster, tmp_path / name, scenario.namespace, *election(name)))

        def leads(name):
            return scenario.api.get(lease)["spec"].get("holderIdentity") == name
        first = start("first")
        wait_for("the first to lead", lambda: leads("first"))
        scenario.create()
        wait_for("what is created", scenario.in_step, SETTLED)
        second = start("second")
        cut = first.proxy.fault = Cut()
        took_over = second.proxy.fault = FirstWrite(cut)
        scenario.update()
        wait_for("a write of the first to be on its way", lambda: cut.held)
        wait_for("the second to lead", lambda: leads("second"))
        wait_for("the second to have done it", scenario.in_step, SETTLED)
        done = scenario.generations()
        cut.arrive.set()

        first.proxy.fault = Fault()
        wait_for("the first to ask for the Lease again", lambda: any(
            "/leases" in e.path and e.status == 200 for e in first.proxy.exchanges[-20:]))
        assert took_over.given_up and all(took_over.given_up), "the first still waits for a write when the second writes"
        assert [e for e in cut.held if e.forwarded] == []
        assert [e for e in first.proxy.writes() if e.received > took_over.at] == []
        assert scenario.generations() == done
        assert leads("second")
