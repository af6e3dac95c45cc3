"""Process 1 of a cluster: starts its programs, starts them again when they end, reaps.

Usage: supervisor.py STATE_DIR READY_FD. It makes namespaces (mount, network, processes) of its own and
writes the process id that the host sees to STATE_DIR/supervisor.pid. When this one process is killed, the
kernel ends everything in its namespaces: programs, containers, mounts, the network link. So `down` cannot
leave anything of that behind, nor can a crash.

It waits for a byte on READY_FD (the network is connected), then runs what STATE_DIR/components.json says:
[{"name", "argv", "after": [condition…]}], read again at SIGHUP.
"""

import ctypes
import functools
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.request

CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET = 0x00020000, 0x20000000, 0x40000000
RESTART_PAUSE, LONGEST_PAUSE = 0.5, 16.0  # seconds; doubled while a program ends soon after its start

# What the kubelet would set for the whole machine. It finds these values in files of its own view of
# /proc instead, so that the machine stays as it was.
KERNEL_SETTINGS = {"vm/overcommit_memory": 1, "vm/panic_on_oom": 0, "kernel/panic": 10, "kernel/panic_on_oops": 1,
                   "kernel/keys/root_maxkeys": 1000000, "kernel/keys/root_maxbytes": 25000000}


def main():
    state, ready = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET) != 0:
        sys.exit(f"cannot make namespaces: {os.strerror(ctypes.get_errno())}")
    child = os.fork()
    if child:  # the first child of new process namespaces is process 1 there
        started = pathlib.Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split()[19]
        temporary = state / "supervisor.pid.new"
        temporary.write_text(f"{child} {started}\n")
        temporary.rename(state / "supervisor.pid")
        os._exit(0)
    prepare_mounts(state)
    if os.read(ready, 1) != b"1":
        sys.exit("the start was abandoned")
    os.close(ready)
    pathlib.Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    Supervisor(state).run()


def mount(*arguments):
    subprocess.run(["mount", *arguments], check=True)


def prepare_mounts(state):
    mount("--make-rprivate", "/")
    mount("-t", "proc", "proc", "/proc")
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")  # sockets, locks, CNI's leases: nobody else's
    mount("--bind", str(state / "var-log"), "/var/log")  # the kubelet insists on /var/log/pods
    cover_var_lib(state)
    for name, value in KERNEL_SETTINGS.items():
        if os.path.exists(f"/proc/sys/{name}"):
            stand_in = state / "sysctl" / name.replace("/", ".")
            stand_in.parent.mkdir(exist_ok=True)
            stand_in.write_text(f"{value}\n")
            mount("--bind", str(stand_in), f"/proc/sys/{name}")
    mount("--make-rshared", "/")  # what the kubelet mounts must reach the containers' runtime


def cover_var_lib(state):
    """The kubelet and CNI write to fixed places in /var/lib. What they write goes to the state folder."""
    upper, work = state / "var-lib", state / "var-lib-work"
    upper.mkdir(exist_ok=True)
    work.mkdir(exist_ok=True)
    below = os.open(state, os.O_PATH)
    try:
        mount("-t", "overlay", "-o", f"lowerdir=/var/lib,upperdir={upper},workdir={work}", "overlay", "/var/lib")
    except subprocess.CalledProcessError:
        print("what this cluster writes to /var/lib/kubelet and /var/lib/cni will stay there", flush=True)
    if state.is_relative_to("/var/lib"):
        mount("--bind", f"/proc/{os.getpid()}/fd/{below}", str(state))
    os.close(below)


class Supervisor:
    def __init__(self, state):
        self.state = state
        self.wanted = {}    # name → component
        self.running = {}   # name → (pid, the component as it was started)
        self.started = {}   # name → when
        self.pause = {}     # name → seconds to wait after its next end
        self.not_before = {}

    def run(self):
        signals = {signal.SIGCHLD, signal.SIGHUP}
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        self.read()
        while True:
            self.reap()
            waiting = self.start_missing()
            (self.state / "pids.json").write_text(json.dumps({n: pid for n, (pid, _) in self.running.items()}))
            received = signal.sigtimedwait(signals, 0.1 if waiting else 3600)
            if received and received.si_signo == signal.SIGHUP:
                self.read()

    def read(self):
        """Takes up the list; what is gone or changed is ended (and then started as it should be)."""
        self.wanted = {c["name"]: c for c in json.loads((self.state / "components.json").read_text())}
        self.pause.clear()
        self.not_before.clear()
        for name, (pid, component) in self.running.items():
            if self.wanted.get(name) != component:
                os.kill(pid, signal.SIGTERM)

    def reap(self):
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for name, (known, _) in list(self.running.items()):
                if known == pid:
                    del self.running[name]
                    self.back_off(name)
                    print(f"{time.strftime('%F %T')} {name} ended: {os.waitstatus_to_exitcode(status)}", flush=True)

    def back_off(self, name):
        now = time.monotonic()
        if now - self.started[name] > LONGEST_PAUSE:
            self.pause.pop(name, None)
        pause = self.pause.get(name, RESTART_PAUSE)
        self.not_before[name] = now + pause
        self.pause[name] = min(2 * pause, LONGEST_PAUSE)

    def start_missing(self):
        """Starts what may start now. Returns whether something still waits for its conditions."""
        waiting = False
        check = functools.cache(holds)  # several programs wait for the same; ask once a pass
        for name, component in self.wanted.items():
            if name in self.running:
                continue
            if time.monotonic() < self.not_before.get(name, 0) or not all(map(check, component["after"])):
                waiting = True
                continue
            self.running[name] = (self.start(component), component)
            self.started[name] = time.monotonic()
        return waiting

    def start(self, component):
        with open(self.state / "logs" / f"{component['name']}.log", "ab") as log:
            process = subprocess.Popen(component["argv"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       cwd="/", start_new_session=True, preexec_fn=unblock)
        process.returncode = 0  # reap() is who waits for it
        return process.pid


def unblock():
    signal.pthread_sigmask(signal.SIG_SETMASK, set())


def holds(condition):
    """A condition is a Unix socket that accepts, HOST:PORT that accepts, or `URL CA-FILE` that answers 200."""
    try:
        if condition.startswith("/"):
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(condition)
        elif condition.startswith("https://"):
            url, authority = condition.split(" ")
            trust = ssl.create_default_context(cafile=authority)
            urllib.request.urlopen(url, timeout=2, context=trust).close()
        else:
            host, port = condition.rsplit(":", 1)
            socket.create_connection((host, int(port)), timeout=1).close()
        return True
    except OSError:
        return False


if __name__ == "__main__":
    main()
