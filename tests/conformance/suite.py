"""The official conformance suite against a URL, and what it says."""

import collections
import contextlib
import json
import pathlib
import re
import subprocess

from data_plane import ROOT, free_port, listens, running, wait_for

# What the suite asks of a server's surroundings for a revision. Up to 2025-11-25 the reference server keeps sessions.
REVISIONS = {"2025-11-25": False, "2026-07-28": True}
WIRE = "wire-schema-valid"
# Longer than any run: without anything in between it takes some seconds.
TIMEOUT_SECONDS = 400


class Tools:
    """The pinned suite, reference server and Node."""

    def __init__(self, facts):
        self.node = facts["node"]
        self.packages = pathlib.Path(facts["packages"])
        self.server = facts["server"]
        self.suite = self.packages / "node_modules" / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"

    @contextlib.contextmanager
    def http_server(self, folder, stateless, name="server"):
        """The reference server over Streamable HTTP. Yields its port."""
        port = free_port()
        argv = [self.server, f"-http=127.0.0.1:{port}", f"-stateless={str(stateless).lower()}"]
        with running(argv, folder / f"{name}.log"):
            wait_for("the reference server", lambda: listens(port))
            yield port


def tools():
    """Gets them, where that was not done before."""
    got = subprocess.run([ROOT / "hack" / "conformance"], check=True, stdout=subprocess.PIPE, text=True)
    return Tools(json.loads(got.stdout))


class Outcome:
    """What one run said: each check by "scenario: id", with how often it ended how. `exit_code` is 0 where no scenario that
    the revision scores has failed."""

    def __init__(self, results, exit_code):
        self.exit_code = exit_code
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
                f"{len(self.violations())} wire violations, exit code {self.exit_code}")


def run(tools, url, revision, folder):
    """All that a revision requires, and what it runs without scoring. RuntimeError where the suite itself does not run."""
    folder.mkdir()
    done = subprocess.run([tools.node, tools.suite, "server", "--url", url, "--requirements", revision, "-o", folder],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=TIMEOUT_SECONDS)
    (folder / "output.txt").write_text(done.stdout)
    outcome = Outcome(folder, done.returncode)
    if outcome.count("SUCCESS") <= 50:
        raise RuntimeError(f"the suite did not run:\n{done.stdout[-3000:]}")
    return outcome


def compare(direct, through):
    """The names of checks that went another way than directly, and how."""
    lines = {}
    for name in sorted(direct.checks.keys() | through.checks.keys()):
        here, there = direct.checks[name], through.checks[name]
        if here != there:
            lines[name] = f"directly {dict(here)}, through {dict(there)}: {through.reasons.get(name)}"
    return lines


def fails_through(direct, through):
    """As compare(), but only what fails there and not here: in front of a stdio server, whether an answer is JSON or events
    is the sidecar's choice."""
    return {name: how for name, how in compare(direct, through).items()
            if through.checks[name]["FAILURE"] > direct.checks[name]["FAILURE"]}
