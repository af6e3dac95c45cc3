"""What conformance tests share: the official suite and reference server that hack/conformance gets."""

import pytest

import suite


@pytest.fixture(scope="session")
def tools():
    return suite.tools()
