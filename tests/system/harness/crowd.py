"""Many clients of Python's websockets that talk to an app of the same library; each side notes what it sent and got."""

import asyncio
import contextlib
import time
import unittest

import websockets

from .case import SystemTest


class CrowdTest(SystemTest, unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)  # which unittest sets, and which takes most of the time
        self.counting = await self.enterAsyncContext(CountingApp())


class CountingApp:
    """Echoes what it gets, and says things of its own; `said` and `heard` are numbers by client."""

    def __init__(self):
        self.heard, self.echoed, self.codes, self.faults = {}, {}, {}, []

    async def __aenter__(self):
        self._server = await websockets.serve(self._serve, "127.0.0.1", 0, max_size=None, ping_interval=None, compression=None,
                                              backlog=1024)
        self.url = "ws://127.0.0.1:%d" % self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, peer):
        name = peer.path
        self.heard[name] = self.echoed[name] = 0
        with contextlib.suppress(websockets.ConnectionClosed):
            async for message in peer:
                at = int(message.split()[0])
                if at != self.heard[name]:
                    self.faults.append(f"the app heard {at} of {name} after {self.heard[name] - 1}")
                self.heard[name] = at + 1
                await peer.send(message)
                self.echoed[name] += 1
        self.codes[name] = peer.close_code


class Talker:
    """Sends numbered messages, each after `pause`, without waiting for their echoes."""

    def __init__(self, url, name, pause, text="news for everyone, again and again"):
        self._url, self.name, self._pause, self._text = url + name, name, pause, text
        self.sent = self.tried = self.got = 0
        self.code = self.closed_at = None
        self.faults = []
        self.wants_to_stop = False

    async def open(self, **how):
        self._peer = await websockets.connect(self._url, max_size=None, ping_interval=None, open_timeout=30, close_timeout=20, **how)
        self.compressed = bool(self._peer.extensions)
        self._tasks = [asyncio.create_task(self._send()), asyncio.create_task(self._receive())]
        return self

    async def _send(self):
        with contextlib.suppress(websockets.ConnectionClosed):
            while not self.wants_to_stop:
                self.tried += 1
                await self._peer.send(f"{self.sent} {self._text}")
                self.sent += 1
                await asyncio.sleep(self._pause)

    async def _receive(self):
        try:
            while True:
                message = await self._peer.recv()
                if message != f"{self.got} {self._text}":
                    self.faults.append(f"{self.name} got {message[:40]!r} instead of number {self.got}")
                self.got += 1
        except websockets.ConnectionClosed:
            self.closed_at = time.monotonic()
            self.code = self._peer.close_code

    async def wait_closed(self, deadline):
        await asyncio.wait_for(asyncio.gather(*self._tasks), deadline)

    async def leave(self, deadline=20):
        """Says no more, waits for the echoes that are under way, and closes."""
        self.wants_to_stop = True
        await asyncio.wait_for(self._tasks[0], deadline)
        end = time.monotonic() + deadline
        while self.got < self.sent and self.code is None and time.monotonic() < end:
            await asyncio.sleep(0.01)
        await self._peer.close()
        await asyncio.wait_for(self._tasks[1], deadline)


async def open_all(talkers, **how):
    """A few at a time, as the listener's queue is not endless."""
    gate = asyncio.Semaphore(50)

    async def one(talker):
        async with gate:
            return await talker.open(**how)
    return await asyncio.gather(*map(one, talkers))


async def until(condition, what, deadline=20):
    end = time.monotonic() + deadline
    while not condition():
        assert time.monotonic() < end, f"waited {deadline} s for {what}"
        await asyncio.sleep(0.01)
