"""MCP traffic by the official Python SDK: steady calls, many sessions, always bounded in time."""

import asyncio
import contextlib
import time

from mcp import Client

# Sessions wait for a process or a turn on a busy machine; a call that takes longer than this is lost.
READ_TIMEOUT_SECONDS = 120


def text_of(result):
    return "".join(getattr(part, "text", "") for part in result.content)


class Steady:
    """Open-loop calls: `rate` calls per second over a few sessions, for at most `seconds`; stop() ends it before."""

    def __init__(self, url, tool, arguments, rate, sessions=4, seconds=300):
        self.url, self.tool, self.arguments = url, tool, arguments
        self.rate, self.sessions, self.seconds = rate, sessions, seconds
        self.done = 0
        self.failed = 0
        self.errors = []
        self._stop = asyncio.Event()

    def stop(self):
        self._stop.set()

    async def run(self):
        until = time.monotonic() + self.seconds
        await asyncio.gather(*(self._keep_session(until) for _ in range(self.sessions)))

    async def _keep_session(self, until):
        # A session may end (its pod went); a client then begins a new one, as the specification asks.
        while not self._over(until):
            try:
                async with Client(self.url, read_timeout_seconds=READ_TIMEOUT_SECONDS) as client:
                    await self._calls(client, until)
            except Exception as error:  # noqa: BLE001  whatever the SDK raises is a failed session, counted and kept
                self.failed += 1
                self.errors.append(error)
                await asyncio.sleep(0.5)

    async def _calls(self, client, until):
        interval = self.sessions / self.rate
        due = time.monotonic()
        running = set()
        while not self._over(until):
            task = asyncio.create_task(client.call_tool(self.tool, self.arguments))
            running.add(task)
            task.add_done_callback(running.discard)
            task.add_done_callback(self._count)
            due += interval
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stop.wait(), max(0, due - time.monotonic()))
            if any(t.done() and t.exception() for t in list(running)):
                break
        await asyncio.gather(*running, return_exceptions=True)

    def _count(self, task):
        if task.cancelled() or task.exception():
            self.failed += 1
            if not task.cancelled():
                self.errors.append(task.exception())
        else:
            self.done += 1

    def _over(self, until):
        return self._stop.is_set() or time.monotonic() >= until


async def in_sessions(url, count, use, concurrently_opening=20, mode="auto"):
    """Opens `count` sessions, keeps all of them open at once, then runs use(client, number) in each; returns the results
    and the errors. In mode "auto" a client talks without a session where the server can, in "legacy" it never does."""
    opened = asyncio.Semaphore(concurrently_opening)
    everybody = asyncio.Event()
    waiting = 0
    results, errors = [], []

    async def one(number):
        nonlocal waiting
        async with contextlib.AsyncExitStack() as stack:
            try:
                async with opened:
                    client = await stack.enter_async_context(Client(url, mode=mode, read_timeout_seconds=READ_TIMEOUT_SECONDS))
                    await client.list_tools()
            finally:
                waiting += 1
                if waiting == count:
                    everybody.set()
            await everybody.wait()
            results.append(await use(client, number))

    async def guarded(number):
        try:
            await one(number)
        except Exception as error:  # noqa: BLE001  a lost session is what the caller counts
            errors.append(error)

    await asyncio.gather(*(guarded(number) for number in range(count)))
    return results, errors
