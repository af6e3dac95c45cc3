"""Gateways and sidecars that end, by SIGKILL and by SIGTERM, under live sessions: what is lost by that."""

import asyncio
import contextlib
import dataclasses
import signal
import time

from .fleet import data_plane
from .front import Gateways
from .live_sessions import LiveSessions

HTTP_PODS, STDIO_PODS = 3, 2
SPREAD = 1.0     # seconds from SIGTERM until nobody is sent to that gateway any more
BEFORE = 6.0     # seconds of calls before something happens
ENDED_IN = 45    # seconds: a drain takes 30 at most


@dataclasses.dataclass
class Event:
    """What came of the end of one program."""
    name: str
    sessions: int          # that lived before
    at_stake: int          # of them those whose server ended with it: they may be lost
    lost: int = 0          # answer nothing any more
    in_flight: int = 0     # calls, when it began
    broken: int = 0        # of them those that got no answer
    later_failed: int = 0  # calls that began after it and failed, of sessions that live
    late_s: float = 0      # how late our own clients were at most
    reasons: list = dataclasses.field(default_factory=list)

    @property
    def lost_beyond(self):
        """Sessions that should have gone on."""
        return max(0, self.lost - self.at_stake)

    def __str__(self):
        reasons = "".join(f"\n    {reason}" for reason in self.reasons)
        return (f"{self.name}: {self.lost} of {self.sessions} sessions lost, {self.at_stake} at stake; {self.broken} of "
                f"{self.in_flight} calls in flight broken, {self.later_failed} later ones failed; clients late by "
                f"{self.late_s:.1f} s{reasons}")


class Scene:
    """Two gateways before five pods of one MCPServer: three HTTP servers that keep sessions themselves, and two stdio servers
    with a process for each session. All of them are the suite's reference server."""

    def __init__(self, stack, tools, folder):
        self.pods = {}
        for number in range(HTTP_PODS):
            name = f"http-{number}"
            port = stack.enter_context(tools.http_server(folder, stateless=False, name=f"{name}-server"))
            upstream = ["--upstream", f"http://127.0.0.1:{port}"]
            self.pods[name] = stack.enter_context(data_plane.sidecar(folder, *upstream, name=name, drain=()))
        for number in range(STDIO_PODS):
            name = f"stdio-{number}"
            command = ["--max-processes", "1000", "--stdio", "--", tools.server]
            self.pods[name] = stack.enter_context(data_plane.sidecar(folder, *command, name=name, drain=()))
        ports = {name: pod.port for name, pod in self.pods.items()}
        self.gateways = [stack.enter_context(data_plane.gateway(folder, ports, name=f"gateway-{number}", drain=()))
                         for number in range(2)]


class Trial:
    """Live sessions in a scene, and one event after the other."""

    def __init__(self, scene, sessions, front, tell):
        self._scene, self._sessions, self._front, self._tell = scene, sessions, front, tell
        self.events = []

    async def run(self):
        one, other = self._scene.gateways
        http = [pod for name, pod in self._scene.pods.items() if name.startswith("http")]
        stdio = [pod for name, pod in self._scene.pods.items() if name.startswith("stdio")]
        await self._event("SIGKILL of a gateway", self._killed(one))
        await asyncio.to_thread(one.start)
        await self._event("SIGTERM of a gateway", self._ended_gateway(other))
        await asyncio.to_thread(other.start)
        self._front.leaving.clear()
        # Its server lives, and the pod's sidecar is started again, as a kubelet does.
        await self._event("SIGKILL of a sidecar before an HTTP server", self._killed(http[0], again=True))
        await self._event("SIGTERM of a sidecar before an HTTP server", self._ended(http[1]), http[1])
        await self._event("SIGKILL of a sidecar with stdio servers", self._killed(stdio[0]), stdio[0])

    async def _event(self, name, happen, stake=None):
        """`stake`: the pod whose sessions may be lost."""
        await asyncio.sleep(BEFORE)
        sessions = self._sessions
        event = Event(name, len(sessions.alive), stake.health()["sessions"] if stake else 0)
        sessions.late = 0.0
        in_flight = set(sessions.open)
        begun = time.monotonic()
        await happen
        lost = await sessions.lost()
        calls = await sessions.results(in_flight)
        broken = [call.error for call in calls if call.error]
        sessions.alive -= lost.keys()
        later = [call.error for call in sessions.calls
                 if call.begun >= begun and call.error and call.session in sessions.alive]
        event.lost, event.in_flight, event.broken, event.later_failed = len(lost), len(calls), len(broken), len(later)
        event.late_s = sessions.late
        event.reasons = sorted({*broken, *later, *lost.values()})[:5]
        self.events.append(event)
        self._tell(str(event))

    async def _killed(self, program, again=False):
        await asyncio.to_thread(program.stop, signal.SIGKILL)
        if again:
            await asyncio.to_thread(program.start)

    async def _ended(self, program):
        await asyncio.to_thread(program.stop, signal.SIGTERM, ENDED_IN)

    async def _ended_gateway(self, gateway):
        ending = asyncio.create_task(self._ended(gateway))
        await asyncio.sleep(SPREAD)
        self._front.leaving.add(gateway.port)
        await ending


def measure(tools, folder, count, seed, tell):
    """The events, and how many calls there were."""
    with contextlib.ExitStack() as stack:
        scene = Scene(stack, tools, folder)
        front = Gateways([gateway.port for gateway in scene.gateways])
        sessions = LiveSessions(scene.gateways[0].url, front, count, seed)

        async def run():
            async with sessions.running():
                tell(f"{count} sessions are open")
                trial = Trial(scene, sessions, front, tell)
                await trial.run()
            return trial.events

        events = asyncio.run(run())
    return events, len(sessions.calls)
