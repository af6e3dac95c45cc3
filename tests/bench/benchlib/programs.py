"""The benchmarks' own programs and those under test, built at -O2, and children that end with the benchmark."""

import contextlib
import os
import pathlib
import socket
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[3]
OWN = ["latency_probe", "tcp_relay", "stub_server", "pod_metrics", "metrics_load"]


def build(*programs):
    """Builds programs at -O2 in a build directory of the benchmarks' own; returns where they are."""
    directory = pathlib.Path(os.environ.get("MCPFLEET_BENCH_BUILD", ROOT / "build" / "release-bench"))
    _quiet("cmake", "--preset", "release", "-B", directory, "-DBUILD_TESTING=ON")
    _quiet("cmake", "--build", directory, "-j", str(os.cpu_count() or 1), "--target", *OWN, *programs)
    return directory / "bin"


def _quiet(*argv):
    done = subprocess.run(argv, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, argv))} failed:\n{done.stdout[-4000:]}")


@contextlib.contextmanager
def running(argv, env=None, log=subprocess.DEVNULL):
    """A child process for the length of a block."""
    child = subprocess.Popen([str(word) for word in argv], stdout=subprocess.PIPE, stderr=log, text=True,
                             env={**os.environ, **(env or {})})
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def listening(child):
    """Waits for the line in which our small servers say where they listen; returns the address."""
    words = child.stdout.readline().split()
    if words[:1] != ["listening"]:
        raise RuntimeError(f"{child.args[0]} does not listen")
    return words[1]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def pinned(core, argv):
    """The command on one core, where there are at least two."""
    return ["taskset", "-c", str(core), *argv] if (os.cpu_count() or 1) >= 2 else argv
