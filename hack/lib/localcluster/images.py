"""Brings images into a cluster, and makes the one image that every pod needs."""

import hashlib
import io
import json
import platform
import tarfile

from .base import Failure, run
from .components import CONTAINERD_SOCKET, PAUSE_IMAGE


def load(cluster, archive):
    """Imports a docker-archive or OCI archive. Returns False when this same file was loaded before."""
    archive = archive.resolve()
    if not archive.is_file():
        raise Failure(f"no such image archive: {archive}")
    record = cluster.state / "loaded-images.json"
    loaded = json.loads(record.read_text()) if record.exists() else {}
    facts = archive.stat()
    seen = [facts.st_size, facts.st_mtime_ns]
    if loaded.get(str(archive)) == seen:
        return False
    with open(archive, "rb") as source:  # through stdin: the cluster does not see all the host's mounts
        run(cluster.inside(["ctr", "--address", CONTAINERD_SOCKET, "--namespace", "k8s.io", "images", "import", "-"]),
            stdin=source)
    loaded[str(archive)] = seen
    record.write_text(json.dumps(loaded))
    return True


def write_pause_archive(path, program):
    """A docker-archive with one static program."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        entry = tarfile.TarInfo("pause")
        data = program.read_bytes()
        entry.size, entry.mode = len(data), 0o755
        tar.addfile(entry, io.BytesIO(data))
    digest = hashlib.sha256(layer.getvalue()).hexdigest()
    machine = {"aarch64": "arm64"}.get(platform.machine(), "amd64")
    config = json.dumps({"architecture": machine, "os": "linux", "config": {"Entrypoint": ["/pause"], "User": "65535"},
                         "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]}}).encode()
    manifest = json.dumps([{"Config": "config.json", "RepoTags": [PAUSE_IMAGE], "Layers": ["layer.tar"]}]).encode()
    with tarfile.open(path, "w") as tar:
        for name, content in (("config.json", config), ("layer.tar", layer.getvalue()), ("manifest.json", manifest)):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
