"""The official conformance suite directly, and through gateway and sidecar, over HTTP and over stdio."""

from typing import NamedTuple

from .fleet import data_plane, suite


class Path(NamedTuple):
    """What came of one revision on one path; `failed` counts what fails there and not directly."""
    revision: str
    name: str
    passed: int
    failed: int
    fails: int  # also directly
    violations: int
    exit_code: int

    def __str__(self):
        return (f"{self.revision}, {self.name}: {self.passed} passed, {self.fails} failed, {self.failed} of them not directly; "
                f"{self.violations} wire violations, exit code {self.exit_code}")


def measure(tools, folder, tell):
    """All revisions and paths, the direct one first."""
    paths = []
    for revision, stateless in suite.REVISIONS.items():
        place = new(folder / revision)
        with tools.http_server(place, stateless) as port:
            upstream = f"http://127.0.0.1:{port}"
            direct = suite.run(tools, f"{upstream}/mcp", revision, place / "direct")
            paths.append(path_of(revision, "directly", direct, direct))
            tell(str(paths[-1]))
            ways = {"http": ["--upstream", upstream], "stdio": ["--stdio", "--", tools.server]}
            for name, arguments in ways.items():
                with data_plane.by_way_of("gateway", new(place / name), *arguments) as (front, _):
                    through = suite.run(tools, front.url, revision, place / name / "results")
                paths.append(path_of(revision, f"gateway and sidecar, {name}", through, direct))
                tell(str(paths[-1]))
                for check, how in suite.fails_through(direct, through).items():
                    tell(f"    {check}: {how}")
    return paths


def new(folder):
    folder.mkdir()
    return folder


def path_of(revision, name, through, direct):
    worse = sum(max(0, found["FAILURE"] - direct.checks[check]["FAILURE"]) for check, found in through.checks.items())
    return Path(revision, name, through.count("SUCCESS"), worse, through.count("FAILURE"), len(through.violations()),
                through.exit_code)
