"""The command line of hack/cluster."""

import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys

from . import binaries, images
from .base import Failure, Steps
from .cluster import LEVELS, Cluster, all_clusters

DESCRIPTION = """A real Kubernetes on this machine. Its programs are official releases where those can be reached
(MCPFLEET_BUILD=source: never), else built from Go modules, once, into a cache.
Level api: etcd, API server, controllers (with the real HPA controller).
Level kwok: also a scheduler, and nodes that only say that their pods run, thousands of them.
Level full: also a scheduler, a node that runs pods, DNS and metrics-server.
Clusters of different names run side by side. Run as root."""

EPILOG = """From the host, pods and Services are reached by their addresses. From the cluster, the host is at
the address that `status` shows as hostIP. Nothing in the cluster reaches further than the host.
Files of a cluster: ${XDG_STATE_HOME:-~/.local/state}/mcpfleet/clusters/NAME; its file `env` can be sourced.
Cache: ${MCPFLEET_CACHE:-${XDG_CACHE_HOME:-~/.cache}/mcpfleet}."""


def main():
    arguments = parser().parse_args()
    try:
        status = arguments.run(arguments) or 0
        sys.stdout.flush()
        return status
    except Failure as failure:
        print(f"hack/cluster: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader has what it wanted, as in `… | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE


def parser():
    top = argparse.ArgumentParser(prog="hack/cluster", description=DESCRIPTION, epilog=EPILOG,
                                  formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(name, run, text):
        added = verbs.add_parser(name, help=text, description=text)
        added.set_defaults(run=run)
        return added

    def named(added):
        added.add_argument("--name", default="mcpfleet", help="which cluster (default: %(default)s)")
        return added

    up = named(verb("up", _up, "start a cluster, or bring a running one to the level asked for"))
    up.add_argument("--level", choices=LEVELS, default="full")
    up.add_argument("--hpa-sync-period", metavar="DURATION",
                    help="how often the HPA controller decides (Kubernetes' default: 15s)")
    up.add_argument("--nodes", type=_count, metavar="N", help="how many nodes of level kwok (default: 10)")
    up.add_argument("--audit", action=argparse.BooleanOptionalAction,
                    help="whether each API request leaves a line in the file $MCPFLEET_AUDIT_LOG of `env`")
    named(verb("down", _down, "end a cluster and remove all of it"))
    status = named(verb("status", _status, "show a cluster"))
    status.add_argument("--json", action="store_true")
    verb("list", _list, "names and states of all clusters")
    named(verb("kubeconfig", _kubeconfig, "print the path of the kubeconfig file"))
    load = named(verb("load-image", _load_image, "import image archives (docker-archive or OCI)"))
    load.add_argument("archives", nargs="+", metavar="TAR", type=pathlib.Path)
    for name, run, text in (("kubectl", _kubectl, "run kubectl against a cluster"),
                            ("exec", _exec, "run a command among the cluster's processes, mounts and network")):
        named(verb(name, run, text)).add_argument("arguments", nargs=argparse.REMAINDER, metavar="-- ARGUMENT")
    build = verb("build", _build, "bring the programs into the cache and print their paths")
    build.add_argument("--level", choices=LEVELS)
    build.add_argument("programs", nargs="*", metavar="PROGRAM", help=", ".join(binaries.PROGRAMS))
    return top


def _count(text):
    if not text.isdecimal() or not 1 <= int(text) <= 5000:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number from 1 to 5000")
    return int(text)


def _up(arguments):
    Cluster(arguments.name).up(arguments.level, hpaSyncPeriod=arguments.hpa_sync_period, nodes=arguments.nodes,
                               audit=arguments.audit)
    cluster = Cluster(arguments.name)
    print(f"export KUBECONFIG={cluster.kubeconfig}")


def _down(arguments):
    steps = Steps()
    there_was = Cluster(arguments.name).down()
    steps.say(f"cluster {arguments.name} {'is removed' if there_was else 'does not exist'}")


def _status(arguments):
    status = Cluster(arguments.name).status()
    if arguments.json:
        print(json.dumps(status, indent=1))
    else:
        components = status.pop("components", {})
        status.pop("env", None)
        for key, value in status.items():
            print(f"{key:14} {value}")
        for name, pid in components.items():
            print(f"  {name:24} {f'pid {pid}' if pid else 'not running'}")
    return 0 if status["state"] == "up" else 3


def _list(_):
    """All in one write, so that the program succeeds before `| grep -q` with pipefail."""
    statuses = [cluster.status() for cluster in all_clusters()]
    print("".join(f"{s['name']:20} {s['state']:10} {s['level']:6} {s['apiServer']}\n" for s in statuses), end="")


def _existing(name):
    cluster = Cluster(name)
    if not cluster.exists:
        raise Failure(f"there is no cluster {name}; see: hack/cluster up --name {name}")
    return cluster


def _kubeconfig(arguments):
    print(_existing(arguments.name).kubeconfig)


def _load_image(arguments):
    cluster = _existing(arguments.name)
    steps = Steps()
    for archive in arguments.archives:
        news = images.load(cluster, archive)
        steps.say(f"{archive} {'loaded' if news else 'was loaded before'}")


def _kubectl(arguments):
    cluster = _existing(arguments.name)
    program = str(binaries.ensure(["kubectl"], _to_stderr)["kubectl"])
    os.execv(program, [program, f"--kubeconfig={cluster.kubeconfig}", *_after_dashes(arguments.arguments)])


def _exec(arguments):
    command = _existing(arguments.name).inside(_after_dashes(arguments.arguments))
    return subprocess.run(command).returncode


def _after_dashes(arguments):
    return arguments[1:] if arguments[:1] == ["--"] else arguments


def _build(arguments):
    unknown = set(arguments.programs) - set(binaries.PROGRAMS)
    if unknown:
        raise Failure(f"no such program: {', '.join(sorted(unknown))}; have: {', '.join(binaries.PROGRAMS)}")
    names = arguments.programs + binaries.LEVELS.get(arguments.level, [])
    if not names:
        raise Failure("say what to build: --level api|kwok|full, or programs by name")
    for name, path in binaries.ensure(names, _to_stderr).items():
        print(f"{name} {path}")


def _to_stderr(text):
    print(text, file=sys.stderr, flush=True)
