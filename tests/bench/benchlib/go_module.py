"""Go programs of others: their sources by a pinned version and digest, built once into the cache."""

import json
import os
import pathlib

from .fleet import ROOT, base

from localcluster import binaries  # noqa: E402  hack/lib is on the path since .fleet

PINS = ROOT / "tests" / "bench"


class GoModule:
    """The module that the file tests/bench/NAME.version names."""

    def __init__(self, name, tell):
        self.name, self._tell = name, tell
        pin = PINS / f"{name}.version"
        self.module, self.version, digest = pin.read_text().split()
        self._go = binaries.find_go(tell)
        (base.cache_dir() / "bin").mkdir(parents=True, exist_ok=True)
        said = json.loads(self.go("mod", "download", "-json", f"{self.module}@{self.version}"))
        if said["Sum"] != digest:
            raise RuntimeError(f"{self.module} {self.version} is not what {pin.name} says: {said['Sum']}")
        self.sources = pathlib.Path(said["Dir"])

    def go(self, *argv, cwd=None, **environment):
        # Its go.mod may ask for a newer Go than the machine's.
        wanted = {"CGO_ENABLED": "0", "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "auto", "GOWORK": "off", **environment}
        return base.run([self._go, *argv], cwd=cwd or base.cache_dir() / "bin", env={**os.environ, **wanted})

    def program(self, build):
        """The path of the program with the module's name; build(folder) makes it there, the first time."""
        folder = base.cache_dir() / "bin" / f"{self.name}-{self.version}"
        with base.locked(base.cache_dir() / "build.lock"):
            if not (folder / self.name).exists():
                self._tell(f"building {self.name} {self.version}")
                build(folder)
        return folder / self.name
