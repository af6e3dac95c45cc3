"""A program under measurement: what it costs, as the kernel counts it."""

import os
import pathlib
import subprocess
import time

TICK = os.sysconf("SC_CLK_TCK")


class Process:
    """One that somebody else runs. An OSError says that it has ended."""

    def __init__(self, pid):
        self._proc = pathlib.Path("/proc") / str(pid)

    def cpu_seconds(self):
        """Of all its threads and of its children that have ended, since its start."""
        self._check()
        fields = (self._proc / "stat").read_text().rsplit(")", 1)[1].split()
        return sum(map(int, fields[11:15])) / TICK

    def rss_mib(self):
        return self._memory("VmRSS")

    def peak_mib(self):
        """The most that it ever had."""
        return self._memory("VmHWM")

    def _memory(self, name):
        self._check()
        line = next(line for line in (self._proc / "status").read_text().splitlines() if line.startswith(name + ":"))
        return int(line.split()[1]) / 1024

    def _check(self):
        pass


class Measured(Process):
    """Runs a program until stop(). Not for programs that leave children behind."""

    def __init__(self, argv, env, log):
        self.begun = time.time()
        self._child = subprocess.Popen([str(word) for word in argv], env={**os.environ, **env}, stdin=subprocess.DEVNULL,
                                       stdout=log, stderr=log)
        super().__init__(self._child.pid)

    def stop(self):
        """By SIGTERM, and by SIGKILL where that takes longer than 30 s."""
        self._child.terminate()
        try:
            self._child.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def _check(self):
        if self._child.poll() is not None:
            raise RuntimeError(f"{self._child.args[0]} ended by itself with {self._child.returncode}")
