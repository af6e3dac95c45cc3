"""The official conformance suite, for each revision: against the reference server itself, then through a sidecar, and
through a gateway and a sidecar. What passes directly must pass there, and no message on the wire may violate the
specification's schema."""

import pytest

import suite
from data_plane import WAYS, by_way_of

# A stdio server has no header fields to look at, and its sidecar does not know which parameters of which tool they mirror.
# The revision does not score this scenario.
NOT_OF_STDIO = "http-custom-header-server-validation: "


@pytest.fixture(scope="module", params=suite.REVISIONS)
def revision(request):
    return request.param


@pytest.fixture(scope="module")
def direct(tools, revision, tmp_path_factory):
    folder = tmp_path_factory.mktemp(f"direct-{revision}")
    with tools.http_server(folder, suite.REVISIONS[revision]) as port:
        outcome = suite.run(tools, f"http://127.0.0.1:{port}/mcp", revision, folder / "results")
    print(f"{revision} directly: {outcome}")
    return outcome


@pytest.fixture(params=WAYS)
def way(request):
    return request.param


def run_through(tools, way, revision, folder, *arguments):
    with by_way_of(way, folder, *arguments) as (front, _):
        through = suite.run(tools, front.url, revision, folder / "results")
    print(f"{revision} through the {way}, {arguments[0]}: {through}")
    assert not through.violations()
    assert through.exit_code == 0, "something fails that the revision scores"
    return through


def test_http_server(tools, revision, direct, way, tmp_path):
    with tools.http_server(tmp_path, suite.REVISIONS[revision]) as port:
        through = run_through(tools, way, revision, tmp_path, "--upstream", f"http://127.0.0.1:{port}")
    assert suite.compare(direct, through) == {}


# The reference server over stdio has no HTTP face of its own: what it passes over HTTP must pass through the sidecar.
def test_stdio_server(tools, revision, direct, way, tmp_path):
    through = run_through(tools, way, revision, tmp_path, "--stdio", "--", tools.server)
    worse = suite.fails_through(direct, through)
    assert {name: how for name, how in worse.items() if not name.startswith(NOT_OF_STDIO)} == {}
