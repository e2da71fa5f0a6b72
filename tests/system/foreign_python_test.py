"""Python's websockets and aiohttp, as clients and as apps behind the proxy."""

import asyncio
import contextlib
import os
import unittest

import aiohttp
import aiohttp.web
import websockets
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from harness import EchoApp, SystemTest, main
from harness.foreign import SETTINGS

SIZES = (0, 1, 31, 32, 125, 126, 1000, 65535, 65536, 200_000, 1 << 20)


def text_of(size):
    return ('order größe 日本 🙂 {"type":"chat","id":12} ' * (size // 30 + 1))[:size]


def anything():
    for size in SIZES:
        yield text_of(size)
        yield os.urandom(size)
    for turn in range(300):
        yield f'{{"turn":{turn},"text":"{text_of(20 + turn * 37 % 400)}"}}'


class ForeignPython(SystemTest, unittest.IsolatedAsyncioTestCase):
    pass


class WebsocketsClient(ForeignPython):
    def connect(self, **how):
        return websockets.connect(f"{self.proxy.url}/python", max_size=None, ping_interval=None, open_timeout=20, **how)

    async def talk(self, **how):
        async with self.connect(**how) as client:
            for sent in anything():
                await client.send(sent)
                self.assertEqual(await asyncio.wait_for(client.recv(), 20), sent)
            await client.send(iter(["first, ", "second, " * 100, "last"]))
            self.assertEqual(await client.recv(), "first, " + "second, " * 100 + "last")
            await client.send("/feed 300 news for everyone, again and again")
            for turn in range(300):
                self.assertEqual(await client.recv(), f"{turn} news for everyone, again and again")
            await asyncio.wait_for(await client.ping(b"there?"), 20)
            return client.response_headers.get("Sec-WebSocket-Extensions"), [extension.name for extension in client.extensions]

    async def test_its_own_offer(self):
        for name, compression in SETTINGS.items():
            with self.subTest(name):
                self.start_echo(compression=compression)
                header, extensions = await self.talk()
                self.assertEqual(extensions, ["permessage-deflate"])
                self.assertIn("client_max_window_bits", header)
                self.assertTrue(all(not request.all("Sec-WebSocket-Extensions") for request in self.app.requests))

    async def test_every_window_and_takeover_it_can_ask_for(self):
        self.start_echo()
        for server_bits in (None, 9, 12, 15):
            for client_bits in (None, 9, 12, 15):
                for forget in ({}, {"server_no_context_takeover": True}, {"client_no_context_takeover": True},
                               {"server_no_context_takeover": True, "client_no_context_takeover": True}):
                    offer = ClientPerMessageDeflateFactory(server_max_window_bits=server_bits,
                                                           client_max_window_bits=client_bits or True, **forget)
                    with self.subTest(server_bits=server_bits, client_bits=client_bits, **forget):
                        async with self.connect(extensions=[offer], compression=None) as client:
                            self.assertEqual(len(client.extensions), 1)
                            for turn in range(30):
                                sent = f"{turn} {text_of(20 + turn * 97)}"
                                await client.send(sent)
                                self.assertEqual(await asyncio.wait_for(client.recv(), 20), sent)

    async def test_without_compression(self):
        self.start_echo()
        header, extensions = await self.talk(compression=None)
        self.assertEqual((header, extensions), (None, []))

    async def test_subprotocol_headers_and_cookies(self):
        self.start(EchoApp(subprotocols=("ocpp2.0.1",)))
        async with self.connect(subprotocols=["soap", "ocpp2.0.1"], extra_headers={"Cookie": "a=1", "X-Mine": "yes"}) as client:
            self.assertEqual(client.subprotocol, "ocpp2.0.1")
        self.assertEqual((self.app.requests[0].get("Cookie"), self.app.requests[0].get("X-Mine")), ("a=1", "yes"))

    async def test_close_codes(self):
        self.start_echo()
        async with self.connect() as client:
            await client.send("/close 4001 bye größe")
            with self.assertRaises(websockets.ConnectionClosed):
                await asyncio.wait_for(client.recv(), 20)
            self.assertEqual((client.close_code, client.close_reason), (4001, "bye größe"))
        async with self.connect() as client:
            await client.close(3999, "enough")
            self.assertEqual(client.close_code, 3999)
        async with self.connect() as client:
            await client.send("/vanish")
            with self.assertRaises(websockets.ConnectionClosed):
                await asyncio.wait_for(client.recv(), 20)
            self.assertEqual(client.close_code, 1011)


class AiohttpClient(ForeignPython):
    async def talk(self, **how):
        async with aiohttp.ClientSession() as session:
            async with session.ws_connect(f"{self.proxy.url}/aiohttp", max_msg_size=0, **how) as client:
                for sent in anything():
                    await (client.send_str(sent) if isinstance(sent, str) else client.send_bytes(sent))
                    got = await client.receive(20)
                    self.assertEqual(got.data, sent)
                await client.send_str("/close 4001 bye")
                got = await client.receive(20)
                self.assertEqual((client.close_code, got.extra), (4001, "bye"))
                return client.compress

    async def test_with_every_window(self):
        self.start_echo()
        for bits in (9, 10, 12, 15):
            with self.subTest(bits=bits):
                self.assertGreater(await self.talk(compress=bits), 0)

    async def test_without_compression(self):
        self.start_echo()
        self.assertEqual(await self.talk(compress=0), 0)

    async def test_the_app_s_refusal_with_its_body(self):
        app = aiohttp.web.Application()

        async def refuse(request):
            return aiohttp.web.json_response({"why": "no token"}, status=401, headers={"WWW-Authenticate": "Bearer"})

        app.router.add_get("/aiohttp", refuse)
        async with served(app) as url:
            await asyncio.to_thread(self.start, app_url=url)
            async with aiohttp.ClientSession() as session:
                with self.assertRaises(aiohttp.WSServerHandshakeError) as refused:
                    await session.ws_connect(f"{self.proxy.url}/aiohttp", compress=15)
                self.assertEqual(refused.exception.status, 401)
                self.assertEqual(refused.exception.headers["WWW-Authenticate"], "Bearer")


class Apps(ForeignPython):
    """These would compress if they were asked to: the proxy does not ask."""

    async def through(self, url):
        await asyncio.to_thread(self.start, app_url=url)
        async with websockets.connect(f"{self.proxy.url}/app", max_size=None, ping_interval=None) as client:
            self.assertEqual([extension.name for extension in client.extensions], ["permessage-deflate"])
            for sent in anything():
                await client.send(sent)
                self.assertEqual(await asyncio.wait_for(client.recv(), 20), sent)
            await client.close(4000, "done")

    async def test_an_app_on_websockets(self):
        seen = []

        async def echo(peer):
            seen.append((peer.extensions, peer.request_headers.get("Sec-WebSocket-Extensions")))
            with contextlib.suppress(websockets.ConnectionClosedError):  # any close but 1000 and 1001 is one
                async for message in peer:
                    await peer.send(message)
            seen.append((peer.close_code, peer.close_reason))

        async with websockets.serve(echo, "127.0.0.1", 0, max_size=None) as server:
            await self.through("ws://127.0.0.1:%d" % server.sockets[0].getsockname()[1])
            await wait_for(lambda: len(seen) == 2)
        self.assertEqual(seen, [([], None), (4000, "done")])

    async def test_an_app_on_aiohttp(self):
        seen = []

        async def echo(request):
            peer = aiohttp.web.WebSocketResponse(max_msg_size=0)
            await peer.prepare(request)
            seen.append((bool(peer.compress), request.headers.get("Sec-WebSocket-Extensions")))
            async for message in peer:
                await (peer.send_str(message.data) if message.type == aiohttp.WSMsgType.TEXT else peer.send_bytes(message.data))
            seen.append(peer.close_code)
            return peer

        app = aiohttp.web.Application()
        app.router.add_get("/app", echo)
        async with served(app) as url:
            await self.through(url)
            await wait_for(lambda: len(seen) == 2)
        self.assertEqual(seen, [(False, None), 4000])


class served:
    """An aiohttp application on a free port, as its URL."""

    def __init__(self, app):
        self._runner = aiohttp.web.AppRunner(app)

    async def __aenter__(self):
        await self._runner.setup()
        site = aiohttp.web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        return "ws://127.0.0.1:%d" % self._runner.addresses[0][1]

    async def __aexit__(self, *_):
        await self._runner.cleanup()


async def wait_for(condition):
    for _ in range(2000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("waited in vain")


if __name__ == "__main__":
    main()
