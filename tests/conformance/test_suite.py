"""The official conformance suite, for each revision: against the reference server itself, then through a sidecar. What
passes directly must pass through the sidecar, and no message on the wire may violate the specification's schema."""

import collections
import contextlib
import json
import re
import subprocess

import pytest

from conftest import sidecar

# What the suite asks of a server's surroundings for a revision. Up to 2025-11-25 the reference server keeps sessions.
REVISIONS = {"2025-11-25": False, "2026-07-28": True}
WIRE = "wire-schema-valid"
# A stdio server has no header fields to look at, and its sidecar does not know which parameters of which tool they mirror.
# The revision does not score this scenario.
NOT_OF_STDIO = "http-custom-header-server-validation: "


class Outcome:
    """What one run said: each check by "scenario: id", with how often it ended how."""

    def __init__(self, results):
        self.checks = collections.defaultdict(collections.Counter)
        self.reasons = {}
        for file in sorted(results.rglob("checks.json")):
            scenario = re.sub(r"^server-|-\d{4}-\d\d-\d\dT.*$", "", file.parent.name)
            for check in json.loads(file.read_text()):
                name = f"{scenario}: {check['id']}"
                self.checks[name][check["status"]] += 1
                if check["status"] == "FAILURE":
                    self.reasons[name] = check.get("errorMessage") or json.dumps(check.get("details"))[:600]

    def count(self, status):
        return sum(one[status] for one in self.checks.values())

    def violations(self):
        return [name for name, one in self.checks.items() if name.endswith(WIRE) and one["FAILURE"]]

    def __str__(self):
        return (f"{self.count('SUCCESS')} passed, {self.count('FAILURE')} failed, {self.count('WARNING')} warnings, "
                f"{len(self.violations())} wire violations")


def run_suite(tools, url, revision, folder):
    """All that a revision requires, and what it runs without scoring."""
    folder.mkdir()
    done = subprocess.run([tools.node, tools.suite, "server", "--url", url, "--requirements", revision, "-o", folder],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=400)
    (folder / "output.txt").write_text(done.stdout)
    outcome = Outcome(folder)
    assert outcome.count("SUCCESS") > 50, f"the suite did not run:\n{done.stdout[-3000:]}"
    return outcome


def compare(direct, through):
    """One line for each check that went another way through the sidecar."""
    lines = []
    for name in sorted(direct.checks.keys() | through.checks.keys()):
        here, there = direct.checks[name], through.checks[name]
        if here != there:
            lines.append(f"{name}: directly {dict(here)}, through the sidecar {dict(there)}: {through.reasons.get(name)}")
    return lines


def fails_through(direct, through):
    """As compare(), but only what fails there and not here: whether an answer is JSON or events is the sidecar's choice."""
    worse = {name for name in through.checks if through.checks[name]["FAILURE"] > direct.checks[name]["FAILURE"]}
    return [line for line in compare(direct, through)
            if line.split(": directly")[0] in worse and not line.startswith(NOT_OF_STDIO)]


@pytest.fixture(scope="module", params=REVISIONS)
def revision(request):
    return request.param


@pytest.fixture(scope="module")
def direct(tools, revision, tmp_path_factory):
    folder = tmp_path_factory.mktemp(f"direct-{revision}")
    with tools.http_server(folder, REVISIONS[revision]) as port:
        outcome = run_suite(tools, f"http://127.0.0.1:{port}/mcp", revision, folder / "results")
    print(f"{revision} directly: {outcome}")
    return outcome


@contextlib.contextmanager
def in_front_of_http(tools, revision, folder):
    with tools.http_server(folder, REVISIONS[revision]) as port:
        with sidecar(folder, "--upstream", f"http://127.0.0.1:{port}") as one:
            yield one


def test_http_server(tools, revision, direct, tmp_path):
    with in_front_of_http(tools, revision, tmp_path) as one:
        through = run_suite(tools, one.url, revision, tmp_path / "results")
    print(f"{revision} through the sidecar: {through}")
    assert not through.violations()
    assert compare(direct, through) == []


# The reference server over stdio has no HTTP face of its own: what it passes over HTTP must pass through the sidecar.
def test_stdio_server(tools, revision, direct, tmp_path):
    with sidecar(tmp_path, "--stdio", "--", tools.server) as one:
        through = run_suite(tools, one.url, revision, tmp_path / "results")
    print(f"{revision} through the sidecar, to a stdio server: {through}")
    assert not through.violations()
    assert fails_through(direct, through) == []
