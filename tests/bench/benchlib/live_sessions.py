"""Sessions of the official Python SDK through gateways, each of which calls tools of the suite's reference server without an
end: short calls, and calls that last while the client thinks about a question of the server's."""

import asyncio
import contextlib
import random
import time
from typing import NamedTuple

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import ElicitResult

from .front import Front

SHORT, HELD = "test_simple_text", "test_elicitation"
PAUSE = (2.0, 12.0)   # seconds between the calls of a session
HOLD = (0.5, 8.0)     # how long a question is thought about: also longer than a drain's grace
HELD_SHARE = 0.2      # of calls
LAST_TRY = 10         # seconds in which a session that lives has to answer a call
ANSWER_LIMIT = 60     # seconds for one answer
LOOK = 0.1            # seconds between looks at our own lateness
AT_ONCE = 20          # sessions that are opened, or asked for a last word


class Call(NamedTuple):
    session: int
    begun: float  # by time.monotonic()
    ended: float
    error: str    # "": it was answered


class LiveSessions:
    """`count` sessions at `url`, at the host of which `gateways` are."""

    def __init__(self, url, gateways, count, seed):
        self.url, self._gateways, self.count = url, gateways, count
        self.calls = []
        self.alive = set(range(count))  # who is not in it calls no more
        self.open = set()  # in flight: session, and when it began
        self.late = 0.0  # seconds that this process itself was late at most: calls that waited for it tell nothing
        self._random = random.Random(seed)
        self._clients = {}
        self._stop = asyncio.Event()

    @contextlib.asynccontextmanager
    async def running(self):
        """All sessions are open, and their calls run until the end of the block."""
        opened = asyncio.Semaphore(AT_ONCE)
        async with asyncio.TaskGroup() as group:
            everybody = [asyncio.Event() for _ in range(self.count)]
            group.create_task(self._watch_ourselves())
            for number in range(self.count):
                group.create_task(self._live(number, opened, everybody[number]))
            try:
                for event in everybody:
                    await event.wait()
                yield
            finally:
                self._stop.set()

    async def _watch_ourselves(self):
        while not self._stop.is_set():
            due = time.monotonic() + LOOK
            await asyncio.sleep(LOOK)
            self.late = max(self.late, time.monotonic() - due)

    async def _live(self, number, opened, ready):
        async with contextlib.AsyncExitStack() as stack:
            async with opened:
                http = httpx2.AsyncClient(transport=Front(self._gateways, number), timeout=httpx2.Timeout(ANSWER_LIMIT))
                await stack.enter_async_context(http)
                transport = streamable_http_client(self.url, http_client=http)
                client = Client(transport, mode="legacy", read_timeout_seconds=ANSWER_LIMIT,
                                elicitation_callback=self._think)
                await stack.enter_async_context(client)
                await client.list_tools()
            self._clients[number] = client
            ready.set()
            while not self._stop.is_set() and number in self.alive:
                held = self._random.random() < HELD_SHARE
                await self._call(number, HELD if held else SHORT)
                await asyncio.sleep(self._random.uniform(*PAUSE))

    async def _think(self, context, params):
        await asyncio.sleep(self._random.uniform(*HOLD))
        return ElicitResult(action="accept", content={"username": "Ada"})

    async def _call(self, number, tool):
        begun = time.monotonic()
        self.open.add((number, begun))
        error = ""
        try:
            result = await self._clients[number].call_tool(tool, {"message": "?"} if tool == HELD else {})
            if result.is_error:
                error = str(result.content)
        except Exception as fault:  # noqa: BLE001  whatever the SDK raises is a call without an answer
            error = repr(fault)
        self.open.remove((number, begun))
        self.calls.append(Call(number, begun, time.monotonic(), error))
        return error

    async def results(self, keys):
        """The calls with these keys, which were in `open`, when all of them are over."""
        while self.open & keys:
            await asyncio.sleep(0.1)
        return [call for call in self.calls if (call.session, call.begun) in keys]

    async def lost(self):
        """Those of the sessions alive that answer no call any more, and why."""
        asked = asyncio.Semaphore(AT_ONCE)

        async def last_word(number):
            async with asked:
                error = await self._call(number, SHORT)
            deadline = time.monotonic() + LAST_TRY
            while error and time.monotonic() < deadline:
                await asyncio.sleep(0.5)
                error = await self._call(number, SHORT)
            return error

        numbers = sorted(self.alive)
        words = await asyncio.gather(*(last_word(number) for number in numbers))
        return {number: word for number, word in zip(numbers, words) if word}
