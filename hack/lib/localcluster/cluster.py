"""One cluster: up, down, status."""

import json
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import urllib.request

from . import binaries, cgroups, images, network
from .base import Failure, Steps, clusters_dir, locked, run, wait_until
from .components import (CAP_NET_ADMIN, CAP_SYS_ADMIN, CNI_PLUGINS, CONTAINERD_SOCKET, Components, fake_node,
                         has_capability)
from .pki import Pki

LEVELS = ("api", "kwok", "full")
TOOLS = {"api": {"ip": "iproute2", "nsenter": "util-linux", "mount": "mount", "openssl": "openssl"}}
TOOLS["kwok"] = TOOLS["api"]
TOOLS["full"] = {**TOOLS["api"], "containerd": "containerd", "ctr": "containerd", "runc": "runc",
                 "iptables": "iptables", "conntrack": "conntrack",
                 f"{CNI_PLUGINS}/bridge": "containernetworking-plugins"}
START_SECONDS = 120
# What stays as it is unless `up` is told otherwise, and what a new cluster starts with.
DEFAULTS = {"hpaSyncPeriod": "15s", "audit": False, "nodes": 10}


class Cluster:
    def __init__(self, name):
        if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?", name):
            raise Failure(f"--name '{name}': at most 32 lower-case letters, digits and dashes, please")
        self.name = name
        self.state = clusters_dir() / name
        self.lock = clusters_dir() / f".{name}.lock"
        self.cgroup = f"mcpfleet-{name}"
        self.node_name = f"mcpfleet-{name}"
        self.pki = Pki(self.state / "pki")
        self.kubeconfig = self.state / "kubeconfig"
        self.audit_log = self.state / "audit.log"
        self.settings = self._read_settings()

    @property
    def exists(self):
        return self.settings is not None

    @property
    def plan(self):
        return network.Plan(self.settings["slot"])

    # -- up

    def up(self, level, **wishes):
        """Makes the cluster run with at least `level`; a wish (see DEFAULTS) of None keeps what is, or the default."""
        steps = Steps()
        check_machine(level or "api")
        with locked(self.lock):
            self.settings = self._read_settings()
            before = dict(self.settings) if self.exists else None
            wanted_level = self._higher(level or "api", before["level"] if before else "api")
            programs = binaries.ensure(binaries.LEVELS[wanted_level], steps.say)
            self._settle(wanted_level, wishes)
            if self.settings == before and self._healthy():
                self._finish(programs)
                steps.say(f"cluster {self.name} is up already ({wanted_level})")
                return
            components = Components(self, programs)
            self._start(components, steps)
            try:
                self._await_api(steps)
                if wanted_level == "kwok":
                    self._bring_up_fake_nodes(components, before, steps)
                if wanted_level == "full":
                    self._bring_up_node(components, programs, steps)
            except Failure as failure:
                raise Failure(f"{failure}{self._what_does_not_run()}") from failure
            self._finish(programs)
            steps.say(f"cluster {self.name} is up ({wanted_level})")

    def _higher(self, level, present):
        if {level, present} == {"kwok", "full"}:
            raise Failure(f"cluster {self.name} is of level {present}, and fake and real nodes do not mix; "
                          "take another --name")
        return max(level, present, key=LEVELS.index)

    def _settle(self, level, wishes):
        """Decides the settings; those of a cluster that is there already stay, unless asked otherwise."""
        self.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        settings = {**DEFAULTS, **(self.settings or {}), "level": level}
        settings.update({key: wish for key, wish in wishes.items() if wish is not None})
        with locked(clusters_dir() / ".slots.lock"):
            if "slot" not in settings:
                settings["slot"] = network.free_slot(_taken_slots())
            self.settings = settings
            temporary = self.state / "cluster.json.new"
            temporary.write_text(json.dumps(settings))
            temporary.rename(self.state / "cluster.json")

    def _start(self, components, steps):
        self.pki.ensure(self.plan, self.node_name)
        self.kubeconfig.touch(mode=0o600)
        self.kubeconfig.write_text(
            self.pki.kubeconfig(f"https://{self.plan.node_ip}:6443", "admin", f"mcpfleet-{self.name}"))
        components.write()
        if self.supervisor_pid():
            os.kill(self.supervisor_pid(), signal.SIGHUP)
            return
        self._clear_leftovers()
        cgroups.create(self.cgroup)
        steps.say(f"starting cluster {self.name}: API server https://{self.plan.node_ip}:6443")
        self._spawn_supervisor()

    def _clear_leftovers(self):
        """What a cluster that died (a reboot, an out-of-memory kill) could not take along."""
        network.disconnect(self.plan)
        cgroups.remove(self.cgroup)
        for name in ("supervisor.pid", "pids.json"):
            (self.state / name).unlink(missing_ok=True)

    def _spawn_supervisor(self):
        reading, writing = os.pipe()
        environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root",
                       "PYTHONDONTWRITEBYTECODE": "1"}
        program = pathlib.Path(__file__).with_name("supervisor.py")
        with open(self.state / "logs" / "supervisor.log", "ab") as log:
            first = subprocess.Popen([sys.executable, program, self.state, str(reading)], pass_fds=[reading],
                                     stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", env=environment,
                                     start_new_session=True)
        os.close(reading)
        try:
            if first.wait() != 0 or not self.supervisor_pid():
                raise Failure(f"the cluster's first process did not start: {self._log_tail('supervisor')}")
            network.connect(self.plan, self.supervisor_pid())
            os.write(writing, b"1")
        finally:
            os.close(writing)

    def _await_api(self, steps):
        wait_until("the API server", START_SECONDS, self._alive_and(self._api_ready))
        steps.say("API server ready")
        wait_until("the controllers", START_SECONDS, self._alive_and(
            lambda: self.kubectl("get", "serviceaccount", "default", "--namespace=default", "--output=name")))

    def _bring_up_fake_nodes(self, components, before, steps):
        number = self.settings["nodes"]
        self.kubectl("apply", "--server-side", "--filename=-", input=components.fake_nodes(number))
        surplus = [fake_node(i) for i in range(number, before.get("nodes", 0) if before else 0)]
        if surplus:
            self.kubectl("delete", "node", "--ignore-not-found", *surplus)
        wait_until("the nodes", START_SECONDS, self._alive_and(lambda: self.kubectl(
            "wait", "--for=condition=Ready", "node", "--all", "--timeout=10s")))
        steps.say(f"{number} nodes ready")

    def _bring_up_node(self, components, programs, steps):
        wait_until("containerd", START_SECONDS, self._alive_and(lambda: self.inside_path(CONTAINERD_SOCKET).exists()))
        archive = self.state / "pause.tar"
        if not archive.exists():
            images.write_pause_archive(archive, programs["pause"])
        wait_until("containerd", START_SECONDS, lambda: images.load(self, archive) or True)
        self.kubectl("apply", "--server-side", "--filename=-", input=components.addon_objects())
        wait_until("the node", START_SECONDS, self._alive_and(lambda: self.kubectl(
            "wait", "--for=condition=Ready", f"node/{self.node_name}", "--timeout=10s")))
        steps.say("node ready")
        wait_until("the cluster's DNS", START_SECONDS, self._alive_and(lambda: _resolves(self.plan)))
        wait_until("the metrics API", START_SECONDS, self._alive_and(lambda: self.kubectl(
            "wait", "--for=condition=Available", "apiservice/v1beta1.metrics.k8s.io", "--timeout=10s")))

    def _finish(self, programs):
        """Writes what scripts need; `status --json` prints the same."""
        facts = {"MCPFLEET_CLUSTER": self.name, "MCPFLEET_LEVEL": self.settings["level"],
                 "MCPFLEET_STATE_DIR": self.state, "MCPFLEET_API_SERVER": f"https://{self.plan.node_ip}:6443",
                 "MCPFLEET_HOST_IP": self.plan.host_ip, "MCPFLEET_NODE_IP": self.plan.node_ip,
                 "MCPFLEET_NODE_NAME": self.node_name, "MCPFLEET_POD_CIDR": self.plan.pod_cidr,
                 "MCPFLEET_SERVICE_CIDR": self.plan.service_cidr, "MCPFLEET_DNS_IP": self.plan.dns_ip,
                 "KUBECONFIG": self.kubeconfig, "KUBECTL": programs["kubectl"]}
        if self.settings["audit"]:
            facts["MCPFLEET_AUDIT_LOG"] = self.audit_log
        if "helm" in programs:
            facts["HELM"] = programs["helm"]
        (self.state / "env").write_text("".join(f"export {key}='{value}'\n" for key, value in facts.items()))

    # -- down

    def down(self):
        """Ends and removes everything of this cluster. Returns whether there was anything."""
        require_root()
        with locked(self.lock):
            self.settings = self._read_settings()
            if not self.state.exists():
                self.lock.unlink()
                return False
            if self.exists:
                network.disconnect(self.plan)
            self._kill_supervisor()
            cgroups.remove(self.cgroup)
            wait_until(f"the removal of {self.state}", 20, lambda: _removed(self.state))
            self.lock.unlink()
            return True

    def _kill_supervisor(self):
        pid = self.supervisor_pid()
        if not pid:
            return
        handle = os.pidfd_open(pid)
        try:
            if self.supervisor_pid() == pid:  # still ours, now that the handle holds it
                signal.pidfd_send_signal(handle, signal.SIGKILL)
                if not select.select([handle], [], [], 60)[0]:
                    raise Failure(f"process {pid} of cluster {self.name} does not end")
        finally:
            os.close(handle)

    # -- status

    def status(self):
        if not self.exists:
            return {"name": self.name, "state": "absent"}
        running = bool(self.supervisor_pid())
        return {"name": self.name, "state": ("up" if self._healthy() else "degraded") if running else "stopped",
                **self.settings, "stateDir": str(self.state), "kubeconfig": str(self.kubeconfig),
                "apiServer": f"https://{self.plan.node_ip}:6443", "hostIP": self.plan.host_ip,
                "nodeIP": self.plan.node_ip, "nodeName": self.node_name, "podCIDR": self.plan.pod_cidr,
                "serviceCIDR": self.plan.service_cidr, "dnsIP": self.plan.dns_ip, "env": self._read_env(),
                "supervisorPid": self.supervisor_pid(), "components": self._components()}

    def _components(self):
        """name → process id as the host sees it, None for what does not run."""
        wanted = [c["name"] for c in json.loads(_read(self.state / "components.json") or "[]")]
        pids = json.loads(_read(self.state / "pids.json") or "{}")
        outside = _host_pids(self.supervisor_pid()) if self.supervisor_pid() else {}
        return {name: outside.get(pids.get(name)) for name in wanted}

    def _healthy(self):
        if not self.supervisor_pid() or None in self._components().values():
            return False
        try:
            return self._api_ready()
        except OSError:
            return False

    # -- parts

    def supervisor_pid(self):
        """The host's id of the cluster's first process, or None. The start time tells it from a stranger."""
        try:
            pid, started = (self.state / "supervisor.pid").read_text().split()
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            return int(pid) if fields[19] == started and fields[0] != "Z" else None
        except (OSError, ValueError, IndexError):
            return None

    def inside(self, argv):
        """The command line that runs `argv` among the cluster's processes, mounts and network."""
        return ["nsenter", f"--target={self._running_pid()}", "--mount", "--net", "--pid", "--", *argv]

    def inside_path(self, path):
        return pathlib.Path(f"/proc/{self._running_pid()}/root{path}")

    def kubectl(self, *arguments, **options):
        program = binaries.ensure(["kubectl"], print)["kubectl"]
        return run([program, f"--kubeconfig={self.kubeconfig}", *arguments], **options)

    def _running_pid(self):
        pid = self.supervisor_pid()
        if not pid:
            raise Failure(f"cluster {self.name} does not run; see: hack/cluster up --name {self.name}")
        return pid

    def _api_ready(self):
        trust = ssl.create_default_context(cafile=self.pki.path("ca.crt"))
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}),  # past any proxy of the environment
                                             urllib.request.HTTPSHandler(context=trust))
        with direct.open(f"https://{self.plan.node_ip}:6443/readyz", timeout=5) as answer:
            return answer.status == 200

    def _alive_and(self, check):
        """`check`, but a supervisor that ended is no reason to wait on."""
        def checked():
            if not self.supervisor_pid():
                raise SystemExit(f"hack/cluster: the cluster's first process ended: {self._log_tail('supervisor')}")
            return check()
        return checked

    def _log_tail(self, name):
        return "\n".join((_read(self.state / "logs" / f"{name}.log") or "(no log)").splitlines()[-5:])

    def _what_does_not_run(self):
        dead = [name for name, pid in self._components().items() if not pid]
        return "".join(f"\n{name} does not run; the end of {self.state}/logs/{name}.log:\n{self._log_tail(name)}"
                       for name in dead)

    def _read_settings(self):
        return json.loads(_read(self.state / "cluster.json") or "null")

    def _read_env(self):
        lines = (_read(self.state / "env") or "").splitlines()
        return {key: value.strip("'") for key, value in (line.removeprefix("export ").split("=", 1) for line in lines)}


def all_clusters():
    if not clusters_dir().is_dir():
        return []
    return [Cluster(path.name) for path in sorted(clusters_dir().iterdir()) if (path / "cluster.json").exists()]


def require_root():
    if os.geteuid() != 0:
        raise Failure("run as root: a cluster needs network namespaces, mounts and cgroups")


def check_machine(level):
    require_root()
    for name, number in (("CAP_SYS_ADMIN", CAP_SYS_ADMIN), ("CAP_NET_ADMIN", CAP_NET_ADMIN)):
        if not has_capability(number):
            raise Failure(f"this process lacks {name}, so it cannot make namespaces or links "
                          "(in a container, run it privileged)")
    missing = sorted({package for tool, package in TOOLS[level].items() if not shutil.which(tool)})
    if missing:
        raise Failure(f"missing Debian packages: {' '.join(missing)}; see: hack/deps install cluster")


def _taken_slots():
    return {json.loads(path.read_text())["slot"] for path in clusters_dir().glob("*/cluster.json")}


def _host_pids(supervisor):
    """Process id inside the namespace → outside, of all the cluster's processes."""
    namespace = os.readlink(f"/proc/{supervisor}/ns/pid")
    found = {}
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(folder / "ns/pid") == namespace:
                inner = re.search(r"^NSpid:.*\s(\d+)$", (folder / "status").read_text(), re.MULTILINE).group(1)
                found[int(inner)] = int(folder.name)
        except OSError:
            continue  # it ended meanwhile
    return found


def _resolves(plan):
    """Asks the cluster's DNS Service for the API server's name: kube-proxy and CoreDNS must both work."""
    name = b"".join(bytes([len(part)]) + part.encode() for part in "kubernetes.default.svc.cluster.local".split("."))
    question = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + name + b"\x00\x00\x01\x00\x01"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(1)
        probe.sendto(question, (plan.dns_ip, 53))
        return probe.recv(512).endswith(socket.inet_aton(plan.kubernetes_ip))


def _removed(folder):
    shutil.rmtree(folder)
    return True


def _read(path):
    try:
        return path.read_text()
    except FileNotFoundError:
        return None
