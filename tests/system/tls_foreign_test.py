"""Other implementations of TLS and WebSocket in front of a wss:// listener: Python, Node and Go; and as wss:// apps. Each
believes the test's authority and nobody else."""

import asyncio
import contextlib
import logging
import os
import ssl
import subprocess
import unittest

import aiohttp
import websockets

from harness import DEADLINE, EchoApp, main
from harness.authority import Authority
from harness.foreign import CLIENTS, ForeignTest
from harness.tls import TlsTest

SIZES = (0, 1, 125, 126, 1369, 1370, 16383, 16384, 16385, 65535, 65536, 200_000, 1 << 20)


def anything():
    for size in SIZES:
        yield ('order größe 日本 🙂 {"type":"chat","id":12} ' * (size // 30 + 1))[:size]
        yield os.urandom(size)
    for turn in range(100):
        yield f'{{"turn":{turn},"text":"{"words and more words " * (turn % 9)}"}}'


class Python(TlsTest, unittest.IsolatedAsyncioTestCase):
    async def test_websockets(self):
        self.start_tls(EchoApp())
        context = ssl.create_default_context(cafile=self.ca.crt)
        async with websockets.connect(f"{self.secure_url}/python", ssl=context, max_size=None, ping_interval=None, open_timeout=20) as client:
            self.assertEqual([extension.name for extension in client.extensions], ["permessage-deflate"])
            for sent in anything():
                await client.send(sent)
                self.assertEqual(await asyncio.wait_for(client.recv(), 20), sent)
            await client.send("/feed 300 news for everyone, again and again")
            for turn in range(300):
                self.assertEqual(await client.recv(), f"{turn} news for everyone, again and again")
            await client.close(3999, "enough")
            self.assertEqual(client.close_code, 3999)

    async def test_websockets_with_a_certificate_of_its_own(self):
        clients = Authority(self.folder, "clients")
        mine = clients.issue("python")
        self.start_tls(EchoApp(), tls={"client_ca": clients.crt})
        context = ssl.create_default_context(cafile=self.ca.crt)
        context.load_cert_chain(mine.crt, mine.key)
        async with websockets.connect(f"{self.secure_url}/mine", ssl=context) as client:
            await client.send("hello")
            self.assertEqual(await asyncio.wait_for(client.recv(), 20), "hello")
        self.assertIn(f"Hash={mine.fingerprint};", self.app.requests[0].get("X-Forwarded-Client-Cert"))

    async def test_aiohttp(self):
        self.start_tls(EchoApp())
        context = ssl.create_default_context(cafile=self.ca.crt)
        async with aiohttp.ClientSession() as session:
            async with session.ws_connect(f"{self.secure_url}/aiohttp", max_msg_size=0, compress=15, ssl=context) as client:
                self.assertGreater(client.compress, 0)
                for sent in anything():
                    await (client.send_str(sent) if isinstance(sent, str) else client.send_bytes(sent))
                    self.assertEqual((await client.receive(20)).data, sent)
                await client.send_str("/close 4001 bye")
                self.assertEqual((await client.receive(20)).extra, "bye")

    async def test_websockets_as_an_app_behind_wss(self):
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # it complains of readiness checks
        async def echo(peer):
            with contextlib.suppress(websockets.ConnectionClosedError):
                async for message in peer:
                    await peer.send(message)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate.crt, self.certificate.key)
        async with websockets.serve(echo, "127.0.0.1", 0, max_size=None, ssl=context) as server:
            port = server.sockets[0].getsockname()[1]
            await asyncio.to_thread(self.start_tls, app_url=f"wss://localhost:{port}", upstream={"tls": {"ca": self.ca.crt}})
            context = ssl.create_default_context(cafile=self.ca.crt)
            async with websockets.connect(f"{self.secure_url}/app", ssl=context, max_size=None, ping_interval=None) as client:
                for sent in anything():
                    await client.send(sent)
                    self.assertEqual(await asyncio.wait_for(client.recv(), 20), sent)


class Others(TlsTest, ForeignTest):
    def test_node(self):
        self.start_tls(EchoApp())
        said = self.run_client(["node", "client.cjs", self.secure_url], os.path.join(CLIENTS, "node"), NODE_EXTRA_CA_CERTS=self.ca.crt)
        self.assertEqual(said.count(" got permessage-deflate"), 7)
        self.no_extension_reached_the_app()

    def test_go(self):
        self.start_tls(EchoApp())
        said = self.run_client([os.path.join(CLIENTS, "go", "client"), self.secure_url], SSL_CERT_FILE=self.ca.crt, SSL_CERT_DIR=self.folder)
        self.assertIn("ok: gorilla got", said)
        self.no_extension_reached_the_app()

    def test_none_of_them_believes_a_stranger(self):
        self.start_tls(EchoApp())
        stranger = Authority(self.folder, "stranger").crt
        for command, directory, env in (
            (["node", "client.cjs", self.secure_url], os.path.join(CLIENTS, "node"), {"NODE_EXTRA_CA_CERTS": stranger}),
            ([os.path.join(CLIENTS, "go", "client"), self.secure_url], None, {"SSL_CERT_FILE": stranger, "SSL_CERT_DIR": self.folder}),
        ):
            with self.subTest(command[0]):
                result = subprocess.run(command, cwd=directory, env={**os.environ, **env}, capture_output=True, text=True, timeout=DEADLINE)
                self.assertNotEqual(result.returncode, 0)
                self.assertRegex(result.stdout + result.stderr, r"unable to (get local issuer|verify)|unknown authority")
        self.wait_failure("alert", 2)
        self.assertEqual(self.app.requests, [])

    def test_wsproxy_connect(self):
        self.start_tls(EchoApp())
        for ca, is_let_in in ((self.ca.crt, True), (Authority(self.folder, "stranger").crt, False)):
            client = self.command("connect", f"{self.secure_url}/connect", SSL_CERT_FILE=ca, SSL_CERT_DIR=self.folder)
            client.exit_code_matters = False
            client.wait_exit()
            self.assertEqual(len(self.app.requests), int(is_let_in), client.lines)
            self.app.requests.clear()


if __name__ == "__main__":
    main()
