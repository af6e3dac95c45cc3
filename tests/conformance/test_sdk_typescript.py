"""The official TypeScript SDK's client through a sidecar, or a gateway and a sidecar, to a server of the Python SDK."""

import json
import pathlib
import shutil
import subprocess

import pytest

from data_plane import WAYS
from test_sdk_python import in_front_of

CLIENT = pathlib.Path(__file__).parent / "client.mjs"


@pytest.mark.parametrize("mode", ["legacy", "auto"])
@pytest.mark.parametrize("kind", ["http", "perSession"])
@pytest.mark.parametrize("way", WAYS)
def test_client(tools, kind, mode, way, tmp_path):
    # It finds its packages from where it is.
    script = tools.packages / f"client-{tmp_path.name}.mjs"
    shutil.copyfile(CLIENT, script)
    try:
        with in_front_of(kind, way, tmp_path) as (one, _):
            done = subprocess.run([tools.node, script, one.url, mode], capture_output=True, text=True, timeout=60)
    finally:
        script.unlink()
    assert done.returncode == 0, done.stderr[-3000:]
    seen = json.loads(done.stdout)
    assert seen["greet"] == "hello Ada"
    assert seen["think"] == "it is 42"
    assert seen["progress"] == [1, 2, 3]
    assert seen["logged"] == ["listen"]
    assert seen["changed"] == ["test://thing"]
    assert seen["wait"] == "cancelled" and seen["cancelled"]
    assert {"greet", "think", "steps"} <= set(seen["tools"])
    assert (seen["version"] >= "2026-07-28") == (mode == "auto")
