"""Clients that others wrote, over wss:// with an authority of our own: each believes it when it is told to, and only then."""

import asyncio
import os
import ssl
import subprocess
import tempfile
import unittest

import aiohttp
import websockets
from browser_test import PAGE
from foreign_python_test import anything

from harness import EchoApp, http_message, main, run_command
from harness.browser import start_browser
from harness.foreign import CLIENTS, ForeignTest
from harness.tls import TlsTest


class Python(TlsTest, unittest.IsolatedAsyncioTestCase):
    @property
    def url(self):
        return f"wss://localhost:{self.proxy.port}/python"

    async def test_websockets(self):
        self.start_tls(EchoApp())
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.subTest(version):
                context = self.context(versions=[version], alpn=())
                async with websockets.connect(self.url, ssl=context, max_size=None, ping_interval=None, open_timeout=20) as client:
                    self.assertEqual([extension.name for extension in client.extensions], ["permessage-deflate"])
                    for sent in anything():
                        await client.send(sent)
                        self.assertEqual(await asyncio.wait_for(client.recv(), 20), sent)
                    await client.send("/close 4001 bye größe")
                    with self.assertRaises(websockets.ConnectionClosed):
                        await asyncio.wait_for(client.recv(), 20)
                    self.assertEqual((client.close_code, client.close_reason), (4001, "bye größe"))
        with self.assertRaises(ssl.SSLCertVerificationError):
            await websockets.connect(self.url, open_timeout=20)

    async def test_aiohttp(self):
        self.start_tls(EchoApp())
        async with aiohttp.ClientSession() as session:
            async with session.ws_connect(self.url, ssl=self.context(alpn=()), compress=15, max_msg_size=0) as client:
                self.assertGreater(client.compress, 0)
                for sent in anything():
                    await (client.send_str(sent) if isinstance(sent, str) else client.send_bytes(sent))
                    self.assertEqual((await client.receive(20)).data, sent)
            with self.assertRaises(aiohttp.ClientConnectorCertificateError):
                await session.ws_connect(self.url)


class Others(TlsTest, ForeignTest):
    def refused(self, command, why):
        result = subprocess.run(command, capture_output=True, text=True, timeout=60)
        self.assertNotEqual(result.returncode, 0)
        self.assertRegex(result.stdout + result.stderr, why)

    def test_node(self):
        self.start_tls(EchoApp())
        command = ["node", os.path.join(CLIENTS, "node", "client.cjs"), f"wss://localhost:{self.proxy.port}"]
        self.assertEqual(self.run_client(["env", f"NODE_EXTRA_CA_CERTS={self.ca.crt}", *command]).count(" got permessage-deflate"), 7)
        self.no_extension_reached_the_app()
        self.refused(command, "UNABLE_TO_VERIFY|unable to (get|verify)")  # it looks at our certificate after the handshake

    def test_go(self):
        self.start_tls(EchoApp())
        command = [os.path.join(CLIENTS, "go", "client"), f"wss://localhost:{self.proxy.port}"]
        self.assertIn("ok: gorilla got", self.run_client(["env", f"SSL_CERT_FILE={self.ca.crt}", *command]))
        self.no_extension_reached_the_app()
        self.refused(command, "certificate signed by unknown authority")
        self.wait_failure("alert")

    def test_wsproxy_connect(self):
        self.start_tls(EchoApp())
        for host in ("localhost", "127.0.0.1"):
            result = run_command("connect", f"wss://{host}:{self.proxy.port}", stdin="one\ntwo\nthree\n", SSL_CERT_FILE=self.ca.crt)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertRegex(result.stdout, r"one\n[\s\S]*two\n[\s\S]*three\n")
            self.assertIn("permessage-deflate", result.stdout + result.stderr)
        result = run_command("connect", f"wss://localhost:{self.proxy.port}", stdin="")
        self.assertEqual(result.returncode, 1)
        self.assertIn("certificate verify failed", result.stderr)
        self.wait_failure("alert")


class PageApp(EchoApp):
    """Answers a plain request with the page that is the browser's test."""

    def on_request(self, side):
        if side.request.get("Upgrade") is not None:
            return super().on_request(side)
        side.send_bytes(http_message.answer(fields=[("Content-Type", "text/html"), ("Connection", "close")], body=PAGE.encode()))
        side.close()


class Browser(TlsTest):
    """What HOME says is the browser's own store of authorities; nothing tells it to ignore errors."""

    believes = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        home = tempfile.mkdtemp(dir=cls.folder)
        store = os.path.join(home, ".pki", "nssdb")
        os.makedirs(store)
        subprocess.run(["certutil", "-N", "-d", f"sql:{store}", "--empty-password"], check=True, capture_output=True)
        if cls.believes:
            subprocess.run(["certutil", "-A", "-d", f"sql:{store}", "-t", "C,,", "-n", "test", "-i", cls.ca.crt], check=True, capture_output=True)
        cls.driver = start_browser(cls, HOME=home)

    def start_page(self):
        self.start_tls(PageApp(subprotocols=("chat.v1",)))
        return f"localhost:{self.proxy.port}"

    def test_a_page_and_its_messages_come_by_tls(self):
        at = self.start_page()
        self.driver.open(f"https://{at}/")
        result = self.driver.run("everything(arguments[0])", f"wss://{at}/page")
        self.assertEqual((result["wrong"], result["messages"], result["protocol"]), ([], 322, "chat.v1"))
        self.assertRegex(result["extensions"], r"^permessage-deflate\b")
        self.assertEqual(result["closedByApp"], {"code": 4001, "reason": "bye größe", "wasClean": True})
        self.assertEqual(result["closedByUs"], {"code": 3999, "reason": "enough", "wasClean": True})
        self.assertEqual(result["lost"]["code"], 1011)
        request = next(request for request in self.app.requests if request.target == "/page")
        self.assertEqual((request.get("Origin"), request.get("X-Forwarded-Proto")), (f"https://{at}", "https"))
        self.assertEqual(self.failures(reason="alert"), 0)


class StrangeBrowser(Browser):
    believes = False
    test_a_page_and_its_messages_come_by_tls = None

    def test_without_the_authority_it_refuses(self):
        at = self.start_page()
        self.driver.open(f"https://{at}/")
        self.assertIn("ERR_CERT_AUTHORITY_INVALID", self.driver.run("Promise.resolve(document.body.innerText)"))
        self.driver.open("data:text/html,nothing")
        with self.assertRaisesRegex(AssertionError, "refused"):
            self.driver.run("new Promise((opened, refused) => { const socket = new WebSocket(arguments[0]); "
                            "socket.onopen = () => opened(1); socket.onerror = () => refused(Error('refused')); })", f"wss://{at}/page")
        self.assertEqual(self.app.requests, [])
        self.wait_failure("alert")


if __name__ == "__main__":
    main()
