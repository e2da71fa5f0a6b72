"""The clients: each kind comes, does what it is for, checks what it gets, leaves, and comes again."""

import asyncio
import itertools
import json
import random
import socket
import string

import websockets

from .journal import End

WAIT = 30.0  # seconds for anything that must come
WORDS = "order price stock ready parcel street number market window summer friend message again".split()


def text_of(chance, size):
    """Of words, so that it shrinks."""
    found = []
    while size > 0:
        found.append(chance.choice(WORDS))
        size -= len(found[-1]) + 1
    return " ".join(found)


class Visitor:
    """One client that goes on connecting; the subclass says what a connection is for."""

    kind = "visitor"
    app_restarts = False  # whether it talks to the app that is restarted
    _numbers = itertools.count()

    def __init__(self, world, seed):
        self.world, self.chance = world, random.Random(f"{seed} {self.kind}")
        self.connections = 0

    async def run(self):
        while not self.world.is_over:
            await self.visit()

    async def visit(self):
        self.end, self.cut, self.will_say = End(), False, 1000
        self.name = f"/{'flaky' if self.app_restarts else 'steady'}/{self.kind}/{next(self._numbers)}"
        try:
            self.peer = await self._connect()
        except websockets.InvalidStatusCode as refused:
            # while the app is away; the proxy waits for it for some seconds first
            if not self.app_restarts or refused.status_code not in (502, 503, 504):
                self.world.journal.fault(f"{self.name}: refused with {refused.status_code}")
            self.world.journal.count("handshakes refused while the app was away")
            return
        except (OSError, asyncio.TimeoutError, websockets.InvalidHandshake, websockets.ConnectionClosed) as odd:
            self.world.journal.fault(f"{self.name}: does not connect: {odd!r}")
            return await asyncio.sleep(0.5)
        self.connections += 1
        try:
            await self.talk()
            await self.peer.close(self.will_say, "done")
        except websockets.ConnectionClosed:
            pass
        except (asyncio.TimeoutError, OSError) as late:
            self.world.journal.fault(f"{self.name}: waits for ever: {late!r}")
            self.cut = True
            self.peer.transport.abort()
        await self._account()

    async def _connect(self):
        url, how = self.world.address(self.chance)
        return await websockets.connect(url + self.name, max_size=None, ping_interval=None, open_timeout=WAIT, close_timeout=WAIT,
                                        **{**how, **self.connects_how(int(url.rpartition(":")[2]))})

    def connects_how(self, port):
        return {}

    async def _account(self):
        journal = self.world.journal
        if not self.cut:
            # what came before the close frame and was not asked for is heard, too
            try:
                while True:
                    self.end.hears(await asyncio.wait_for(self.peer.recv(), WAIT))
            except websockets.ConnectionClosed:
                pass
        try:
            app_end, killed = await self.world.app_of(self).taken(self.name)
        except asyncio.TimeoutError:
            return journal.fault(f"{self.name}: the app was never told that it ended")
        self._check_codes(app_end, killed)
        stopped = self.peer.close_code == 1001
        journal.close(self.name, self.end, app_end, cut=self.cut or killed or stopped,
                      client_hears_all=stopped or not (self.cut or killed))

    def _check_codes(self, app_end, killed):
        journal, code = self.world.journal, self.peer.close_code
        if self.cut:
            expected = (None, 1005, 1006) if self.peer.transport.is_closing() else (1000,)
            return journal.fault(f"{self.name}: vanished, the app was told {app_end.code}") if app_end.code not in expected else None
        if killed:
            # it may have been saying goodbye itself
            fine = (1011,) if self.peer.close_rcvd_then_sent in (True, None) else (1011, 1006, self.will_say)
        elif code == 1001 and self.app_restarts:
            return journal.count("connections closed by an app that stopped")
        else:
            fine = (self.will_say,)
            if app_end.code != self.will_say:
                journal.fault(f"{self.name}: closed with {self.will_say}, the app was told {app_end.code}")
        if code not in fine:
            journal.fault(f"{self.name}: closed with {code} instead of {fine}{' by an app that was killed' if killed else ''}")
        if killed:
            journal.count("connections lost with an app that was killed")

    # what they do

    async def say(self, message):
        await asyncio.wait_for(self.peer.send(self.end.says(message)), WAIT)

    async def hear(self):
        return self.end.hears(await asyncio.wait_for(self.peer.recv(), WAIT))

    async def ask(self, message):
        """Says it and hears until the answer, which is the same or that it is done."""
        await self.say(message)
        answer = message.split()[0] + " done" if isinstance(message, str) and message.startswith("/") else message
        while await self.hear() != answer:
            pass

    async def pause(self, longest):
        """Nothing to say for a while; ends early with the soak."""
        await self.world.rest(self.chance.random() * longest)


class Chatter(Visitor):
    """Small texts, some in a row before their echoes are awaited; pings now and then."""

    kind = "chat"

    async def talk(self):
        for at in range(self.chance.randint(5, 40)):
            burst = [f"{at} {text_of(self.chance, self.chance.randint(10, 400))}" for _ in range(self.chance.choice((1, 1, 1, 3, 8)))]
            for message in burst:
                await self.say(message)
            for _ in burst:
                await self.hear()
            if self.chance.random() < 0.1:
                await asyncio.wait_for(await self.peer.ping(self.chance.randbytes(8)), WAIT)
            if self.chance.random() < 0.05:
                await self.ask("/ping")
            await self.pause(1.0)
            if self.world.is_over:
                return


class FlakyChatter(Chatter):
    kind = "flaky-chat"
    app_restarts = True


class Subscriber(Visitor):
    """Hears what is published in a room from joining to leaving."""

    kind = "room"

    async def talk(self):
        await self.ask(f"/join {self.chance.randrange(4)}")
        for _ in range(self.chance.randint(20, 300)):
            if self.world.is_over:
                break
            await self.hear()
        await self.ask("/leave")


class Writer(Visitor):
    """Documents up to some MB there and back, whole or in fragments, text that shrinks or bytes that do not."""

    kind = "document"

    async def talk(self):
        for _ in range(self.chance.randint(1, 4)):
            size = int(2 ** self.chance.uniform(14, self.world.plan.largest_document))
            document = text_of(self.chance, size) if self.chance.random() < 0.7 else self.chance.randbytes(size)
            if self.chance.random() < 0.5:
                step = self.chance.randint(4000, 200_000)
                parts = [document[at : at + step] for at in range(0, len(document), step)]
                self.end.says(document)
                await asyncio.wait_for(self.peer.send(parts), WAIT)
                await self.hear()
            else:
                await self.ask(document)
            await self.pause(4.0)


class SlowReader(Visitor):
    """Asks for more than all buffers hold, and reads it slowly."""

    kind = "slow"

    def connects_how(self, port):
        """With a small buffer in its kernel, so that what waits for it waits on the proxy's side, which then knows that it reads."""
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        sock.connect(("127.0.0.1", port))
        return {"max_queue": 1, "read_limit": 4096, "sock": sock}

    async def talk(self):
        await self.say(f"/feed {self.chance.randint(40, 120)} 32768")
        while await self.hear() != "/feed done":
            await asyncio.sleep(self.chance.random() * 0.04)  # that is its slowness
        await self.pause(2.0)


class Idler(Visitor):
    """Is there, answers the proxy's pings, and at the end still has its connection."""

    kind = "idle"

    async def talk(self):
        await self.pause(120.0)
        await self.ask("still here")


class FlakyIdler(Idler):
    """Hears from its restarted app at once, as it listens."""

    kind = "flaky-idle"
    app_restarts = True

    async def talk(self):
        rest = asyncio.create_task(self.pause(120.0))
        lost = asyncio.create_task(self.peer.wait_closed())
        await asyncio.wait((rest, lost), return_when=asyncio.FIRST_COMPLETED)
        rest.cancel()
        lost.cancel()
        await self.ask("still here")


class Passerby(Visitor):
    """Comes, says a word and goes: orderly, with a code of its own, or by vanishing."""

    kind = "passer-by"

    async def talk(self):
        if self.chance.random() < 0.8:
            await self.ask(text_of(self.chance, self.chance.randint(1, 200)))
        manner = self.chance.random()
        if manner < 0.2:
            self.cut = True
            await self.say(text_of(self.chance, 100))
            self.peer.transport.abort()
            await asyncio.wait_for(self.peer.wait_closed(), WAIT)
        elif manner < 0.5:
            self.will_say = self.chance.choice((3000, 3999, 4000, 4999))
        await self.pause(0.6)


class Browser(Visitor):
    """Plain HTTP requests on kept connections."""

    kind = "http"

    async def visit(self):
        journal, targets = self.world.journal, string.ascii_lowercase
        reader, writer = await asyncio.open_connection("127.0.0.1", self.world.port)
        try:
            for _ in range(self.chance.randint(1, 20)):
                target = "/plain/" + "".join(self.chance.choices(targets, k=12))
                body = self.chance.randbytes(self.chance.choice((0, 0, 100, 20_000, 300_000)))
                method = "POST" if body else "GET"
                writer.write(f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
                head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), WAIT)).decode("latin-1").lower()
                got = await asyncio.wait_for(reader.readexactly(int(head.split("content-length:")[1].split()[0])), WAIT)
                if not head.startswith("http/1.1 200") or got != (body or target.encode()):
                    journal.fault(f"{target}: a wrong answer: {head[:80]!r} and {len(got)} bytes")
                journal.count("plain requests")
                await self.pause(1.0)
                if self.world.is_over:
                    return
        except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError) as odd:
            journal.fault(f"a plain request failed: {odd!r}")
        finally:
            writer.close()


CROWD = {Chatter: 30, FlakyChatter: 12, Subscriber: 30, Writer: 3, SlowReader: 3, Idler: 25, FlakyIdler: 5, Passerby: 6, Browser: 4}


async def publish(world, seed):
    """Into every room, until the soak is over and no room has anybody."""
    chance = random.Random(f"{seed} rooms")
    for number in itertools.count():
        for room in world.steady.rooms():
            size = 20_000 if chance.random() < 0.01 else chance.randint(50, 600)
            world.steady.publish(room, json.dumps({"room": room, "number": number, "text": text_of(chance, size)}))
        await asyncio.sleep(0.15)  # the rooms' rhythm
