"""The cgroup that holds a cluster's pods. Handles version 1, version 2 and both side by side."""

import os
import pathlib
import time

from .base import Failure

ROOT = pathlib.Path("/sys/fs/cgroup")


def _hierarchies():
    """The root of every hierarchy. Controllers mounted together have links beside them; skip those."""
    if (ROOT / "cgroup.controllers").exists():
        return [ROOT]
    return [p for p in sorted(ROOT.iterdir()) if p.is_dir() and not p.is_symlink() and (p / "cgroup.procs").exists()]


def create(name):
    for root in _hierarchies():
        group = root / name
        group.mkdir(exist_ok=True)
        for setting in ("cpuset.cpus", "cpuset.mems"):  # version 1: empty in a new group, and then nothing can run
            if (group / setting).exists() and not (group / "cgroup.controllers").exists():
                (group / setting).write_text((root / setting).read_text())
        if root == ROOT:
            _delegate(root)
            _delegate(group)


def _delegate(group):
    for controller in (group / "cgroup.controllers").read_text().split():
        try:
            (group / "cgroup.subtree_control").write_text(f"+{controller}")
        except OSError:
            pass  # the kubelet names what it lacks


def remove(name):
    """Removes the groups, whose processes have ended or are about to."""
    deadline = time.monotonic() + 10
    while True:
        left = [group for root in _hierarchies() if (root / name).exists() for group in _remove_tree(root / name)]
        if not left:
            return
        if time.monotonic() > deadline:
            raise Failure(f"cannot remove the cgroup {left[0]}: processes are still in it")
        time.sleep(0.05)


def _remove_tree(top):
    """Removes what can be removed and returns the rest."""
    left = []
    for folder, _, _ in os.walk(top, topdown=False):
        try:
            os.rmdir(folder)
        except OSError:
            left.append(folder)
    return left
