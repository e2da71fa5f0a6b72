"""The app behind the proxy: echoes, rooms, feeds; can be restarted while clients are connected. Knows no compression.

A text that begins with `/` is a command:
    /join ROOM       the room's messages come from now on; answered
    /leave           no more of them; answered
    /feed N SIZE     sends N binary messages of that size
    /ping            the app pings and says when the pong came
"""

import asyncio
import contextlib
import random

import websockets

from .journal import End

PIECE = 50_000  # bytes a fragment, of the documents that go back in fragments


class SoakApp:
    def __init__(self):
        self.ends = {}  # name: End, until it is taken
        self._done = {}  # name: set when the app's side of it is over
        self._rooms = {}
        self._killed = set()
        self._server = self.port = None
        self._chance = random.Random("app")

    async def start(self):
        self._server = await websockets.serve(self._serve, "127.0.0.1", self.port or 0, max_size=None, ping_interval=None, compression=None,
                                              backlog=1024, close_timeout=5)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self):
        self._server.close()
        await self._server.wait_closed()

    async def restart(self, kind, away):
        """`killed`: connections end without a close frame, as with the process; `stopped`: with 1001. Back after `away` seconds."""
        if kind == "killed":
            self._server.server.close()
            for name, peer in [*self._peers()]:
                self._killed.add(name)
                peer.transport.abort()
        await self.stop()
        await asyncio.sleep(away)
        await self.start()

    def _peers(self):
        return ((peer.path, peer) for peer in self._server.websockets)

    async def taken(self, name, deadline=20):
        """(the app's end, whether it was killed under it) of a connection that is over on the client's side."""
        if name in self._done:
            await asyncio.wait_for(self._done[name].wait(), deadline)
            del self._done[name]
        killed = name in self._killed
        self._killed.discard(name)
        return self.ends.pop(name, None) or End(), killed

    def publish(self, room, message):
        """To everybody in the room at once; returns to how many."""
        members = self._rooms.get(room, {})
        present = {name: peer for name, peer in members.items() if peer.open}
        for name in present:
            self.ends[name].says(message)
        websockets.broadcast(present.values(), message)
        return len(present)

    def rooms(self):
        return [*self._rooms]

    async def _serve(self, peer):
        name = peer.path
        end, self._done[name] = End(), asyncio.Event()
        self.ends[name] = end
        try:
            async for message in peer:
                end.hears(message)
                await self._answer(name, peer, end, message)
        except websockets.ConnectionClosed:
            pass
        finally:
            for members in self._rooms.values():
                members.pop(name, None)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(peer.wait_closed(), 5)
            end.code = peer.close_code
            self._done[name].set()

    async def _answer(self, name, peer, end, message):
        if isinstance(message, str) and message.startswith("/"):
            return await self._obey(name, peer, end, message.split())
        await self._may_say(peer)
        end.says(message)
        if len(message) > 2 * PIECE and self._chance.random() < 0.5:
            return await peer.send([message[at : at + PIECE] for at in range(0, len(message), PIECE)])
        await peer.send(message)

    async def _obey(self, name, peer, end, words):
        if words[0] == "/join":
            self._rooms.setdefault(words[1], {})[name] = peer
        elif words[0] == "/leave":
            for members in self._rooms.values():
                members.pop(name, None)
        elif words[0] == "/feed":
            chance = random.Random(name)
            for _ in range(int(words[1])):
                await self._may_say(peer)
                await peer.send(end.says(chance.randbytes(int(words[2]))))
        elif words[0] == "/ping":
            await asyncio.wait_for(await peer.ping(), 20)
        await self._may_say(peer)
        await peer.send(end.says(words[0] + " done"))

    @staticmethod
    async def _may_say(peer):
        """Raises when it has begun to close: what would be said then is not. Nothing comes between this and the sending."""
        await peer.ensure_open()


class PlainApp:
    """Answers plain HTTP requests with what they say, on kept connections."""

    async def start(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=256)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self):
        self._server.close()

    @staticmethod
    async def _serve(reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:])}
                body = await reader.readexactly(int(fields.get("content-length", 0))) or head.split(" ")[1].encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()
