"""The official Python SDK's client and server with a sidecar between them, or a gateway and a sidecar: all transports, both
eras, all modes."""

import contextlib
import pathlib
import sys
from typing import NamedTuple

import anyio
import pytest
from mcp import Client
from mcp.types import CreateMessageResult, ElicitResult, TextContent

from data_plane import Program, by_way_of, free_port, listens, running, wait_for

SERVER = pathlib.Path(__file__).parent / "sdk_server.py"
THING = "test://thing"
STDIO = ["--stdio", "--", sys.executable, SERVER, "stdio"]


# What the server is started with and how the sidecar is told of it, where it is over HTTP.
UPSTREAMS = {"http": ([], ["--upstream"]), "sse": (["legacy-sse"], ["--sse-upstream"]),
             "sse-shared": (["legacy-sse"], ["--sse-mode", "shared", "--sse-upstream"])}


@contextlib.contextmanager
def in_front_of(kind, way, folder):
    """Before the SDK's server, over HTTP, over HTTP+SSE, or over stdio in one of its modes: who clients talk to, and the
    sidecar."""
    with contextlib.ExitStack() as stack:
        if kind in UPSTREAMS:
            words, flags = UPSTREAMS[kind]
            port = free_port()
            stack.enter_context(running([sys.executable, SERVER, port, *words], folder / "server.log"))
            wait_for("the server", lambda: listens(port))
            arguments = [*flags, f"http://127.0.0.1:{port}"]
        else:
            arguments = ["--stdio-mode", kind, *STDIO]
        yield stack.enter_context(by_way_of(way, folder, *arguments))


async def elicit(context, params):
    return ElicitResult(action="accept", content={"name": "Ada"})


async def sample(context, params):
    return CreateMessageResult(role="assistant", content=TextContent(type="text", text="42"), model="m")


def client(one, mode, **more):
    return Client(one.url, mode=mode, read_timeout_seconds=20, elicitation_callback=elicit, sampling_callback=sample, **more)


def text(result):
    return result.content[0].text


# What a gateway sees does not depend on how a sidecar shares its processes.
CASES = [(kind, mode, "sidecar") for kind in ("http", "perSession", "pooled") for mode in ("legacy", "auto")]
CASES += [("shared", "auto", "sidecar"), ("sse", "legacy", "sidecar"), ("sse", "auto", "sidecar"), ("sse-shared", "auto", "sidecar")]
CASES += [(kind, mode, "gateway") for kind in ("http", "perSession") for mode in ("legacy", "auto")]


class Case(NamedTuple):
    front: Program
    mode: str
    sidecar: Program


@pytest.fixture(scope="module", params=CASES, ids=lambda case: "-".join(case))
def case(request, tmp_path_factory):
    kind, mode, way = request.param
    with in_front_of(kind, way, tmp_path_factory.mktemp(kind)) as (front, behind):
        yield Case(front, mode, behind)


def run(body):
    async def limited():
        with anyio.fail_after(60):
            await body()

    anyio.run(limited)


def test_era(case):
    one, mode, _ = case

    async def body():
        async with client(one, mode) as c:
            assert (c.protocol_version >= "2026-07-28") == (mode == "auto")
            assert {tool.name for tool in (await c.list_tools()).tools} >= {"greet", "think"}
    run(body)


def test_elicitation_and_sampling(case):
    one, mode, _ = case

    async def body():
        async with client(one, mode) as c:
            assert text(await c.call_tool("greet")) == "hello Ada"
            assert text(await c.call_tool("think")) == "it is 42"
    run(body)


def test_progress(case):
    one, mode, _ = case
    seen = []

    async def on_progress(progress, total, message):
        seen.append((progress, total, message))

    async def body():
        async with client(one, mode) as c:
            assert text(await c.call_tool("steps", progress_callback=on_progress)) == "done"
    run(body)
    assert seen == [(step, 3, f"step {step}") for step in (1, 2, 3)]


def test_logging(case):
    one, mode, _ = case
    seen = []

    async def on_log(params):
        seen.append((params.level, params.data))

    async def body():
        async with client(one, mode, logging_callback=on_log, log_level="info") as c:
            assert text(await c.call_tool("tell")) == "told"
    run(body)
    assert seen == [("info", "listen")]


def test_cancellation(case):
    one, mode, behind = case
    name = f"{mode}-caller"

    async def body():
        async with client(one, mode) as c:
            with anyio.move_on_after(1):
                await c.call_tool("wait", {"name": name})
            with anyio.fail_after(20):
                while name not in str((await c.call_tool("was_cancelled")).content):
                    await anyio.sleep(0.05)
                while behind.health()["inFlight"] > 0:  # a server need not answer what was cancelled: that takes 5 s
                    await anyio.sleep(0.1)
    run(body)


def test_subscription(case):
    one, mode, _ = case

    async def modern():
        async with client(one, mode) as c, c.listen(resource_subscriptions=[THING]) as changes:
            await c.call_tool("touch")
            async for event in changes:
                assert event.uri == THING
                break

    async def legacy():
        changed = anyio.Event()

        async def on_message(message):
            if "ResourceUpdated" in type(message).__name__ or "ResourceUpdated" in str(type(getattr(message, "root", 0))):
                changed.set()

        async with client(one, mode, message_handler=on_message) as c:
            await c.call_tool("touch")
            with anyio.fail_after(20):
                await changed.wait()
    run(modern if mode == "auto" else legacy)


def test_many_clients_of_one_process_get_their_own(case):
    one, mode, _ = case

    async def one_client(number):
        async with client(one, mode) as c:
            for _ in range(5):
                assert text(await c.call_tool("greet")) == "hello Ada"

    async def body():
        async with anyio.create_task_group() as group:
            for number in range(8):
                group.start_soon(one_client, number)
    run(body)
