"""Where things are, and the one exception that ends the program with a sentence."""

import contextlib
import fcntl
import os
import pathlib
import subprocess
import time

REPO = pathlib.Path(__file__).resolve().parents[3]


class Failure(Exception):
    """Ends the program; its text is what the person reads."""


def cache_dir():
    """What may be deleted at any time and is only slow to make again."""
    if os.environ.get("MCPFLEET_CACHE"):
        return pathlib.Path(os.environ["MCPFLEET_CACHE"])
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(base) / "mcpfleet"


def clusters_dir():
    base = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return pathlib.Path(base) / "mcpfleet" / "clusters"


@contextlib.contextmanager
def locked(path):
    """Holds an exclusive lock; another run of ours on the same path waits. Whoever holds it may delete the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with open(path, "w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if path.exists() and os.path.samestat(os.fstat(handle.fileno()), path.stat()):
                yield
                return


class Steps:
    """Progress for people: one line a step, with the seconds since the start."""

    def __init__(self):
        self.start = time.monotonic()

    def say(self, text):
        print(f"[{time.monotonic() - self.start:6.1f} s] {text}", flush=True)


def run(argv, **options):
    """Runs a command to its end. A failure carries what the command printed."""
    if "input" not in options:
        options.setdefault("stdin", subprocess.DEVNULL)
    done = subprocess.run([str(a) for a in argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, **options)
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip())[-2000:]
        raise Failure(f"'{' '.join(str(a) for a in argv[:6])} …' failed with {done.returncode}: {said}")
    return done.stdout


def wait_until(what, seconds, check, pause=0.1):
    """Polls `check` until it returns something true. `check` may raise OSError or Failure meanwhile."""
    deadline = time.monotonic() + seconds
    reason = ""
    while time.monotonic() < deadline:
        try:
            value = check()
            if value:
                return value
        except (OSError, Failure) as error:
            reason = f" (last: {error})"
        time.sleep(pause)
    raise Failure(f"waited {seconds} s for {what}, in vain{reason}")
