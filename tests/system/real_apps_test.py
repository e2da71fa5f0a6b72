"""Apps as people write them, plain HTTP and WebSocket on one port: everything is as it is without the proxy."""

import hashlib
import http.client
import json
import os
import shutil
import subprocess
import sys
import unittest

from harness import DEADLINE, Client, Proxy, SystemTest, main
from harness.browser import start_browser
from harness.foreign import CLIENTS

HERE = os.path.dirname(os.path.abspath(__file__))
NODE = os.path.join(CLIENTS, "node", "app.cjs")
HAS_EXPRESS = os.path.isdir(os.path.join(CLIENTS, "node", "node_modules", "express"))
UPLOAD = bytes(at * at % 251 for at in range(300_000))
JSON = {"Content-Type": "application/json"}
TEXT = {"Content-Type": "text/plain"}

# Method, target, body (a list goes in chunks), headers, and the status it must have.
REQUESTS = [
    ("GET", "/text", None, {}, 200),
    ("HEAD", "/text", None, {}, 200),
    ("GET", "/json?a=b%20c&d=%C3%9F", None, {"Accept": "application/json", "Cookie": "a=b"}, 200),
    ("POST", "/json", '{"name":"größe","list":[1,2,{"x":null}]}'.encode(), JSON, 201),
    ("POST", "/json", b'{"broken', JSON, 400),
    ("POST", "/upload", UPLOAD, {}, 200),
    ("POST", "/upload", b"", {}, 200),
    ("POST", "/upload", [UPLOAD[at: at + 10_007] for at in range(0, len(UPLOAD), 10_007)], {}, 200),
    ("PUT", "/item", "größer".encode(), TEXT, 200),
    ("DELETE", "/item", None, {}, 204),
    ("GET", "/stream", None, {}, 200),
    ("GET", "/big", None, {}, 200),
    ("HEAD", "/big", None, {}, 200),
    ("GET", "/redirect", None, {}, 302),
    ("GET", "/missing", None, {}, 404),
    ("GET", "/text", None, {"Connection": "close"}, 200),
]
OF_THE_HOP = {"connection", "keep-alive", "upgrade", "date"}  # and what two clocks tell apart


class App:
    """Another process that prints the port it chose."""

    def __init__(self, *command):
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "NODE_ENV": "production"})
        said = self._process.stdout.readline()
        assert said.startswith("port "), f"{command} said {said!r}"
        self.port = int(said.split()[1])

    def stop(self):
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()


class AppTest(SystemTest):
    @classmethod
    def start_app(cls, *command):
        cls.app = App(*command)
        cls.addClassCleanup(cls.app.stop)
        cls.proxy = Proxy(f"ws://127.0.0.1:{cls.app.port}", {"compression": {"min_size": 0}})
        cls.addClassCleanup(cls.proxy.stop)

    def setUp(self):
        super().setUp()
        self.processes = [self.proxy]

    def http(self, port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
        self.addCleanup(connection.close)
        return connection

    def each(self):
        """The app itself, then the proxy."""
        return (self.app.port, self.proxy.port)


class RealApp:
    """What holds for every app."""

    def answered(self, connection, method, target, body, headers, _):
        how = {"encode_chunked": True} if isinstance(body, list) else {}
        extra = {"Transfer-Encoding": "chunked"} if isinstance(body, list) else {}
        connection.request(method, target, iter(body) if isinstance(body, list) else body, {"Host": "shop.example", **headers, **extra}, **how)
        answer = connection.getresponse()
        fields = [field for field in answer.getheaders() if field[0].lower() not in OF_THE_HOP]
        return answer.version, answer.status, answer.reason, fields, answer.read()

    def test_requests_on_one_connection_are_answered_the_same(self):
        direct, through = (self.http(port) for port in self.each())
        for request in REQUESTS * 2:
            with self.subTest(request[:2]):
                wanted, got = self.answered(direct, *request), self.answered(through, *request)
                self.assertEqual(got[1], request[-1])
                self.assertEqual(got, wanted)
                if request[1] == "/upload" and request[2]:
                    self.assertEqual(json.loads(got[-1]), {"size": len(UPLOAD), "sha256": hashlib.sha256(UPLOAD).hexdigest()})
                if request[:2] == ("GET", "/stream"):
                    self.assertEqual(got[-1], b"".join(b"line %d\n" % at for at in range(200)))

    def socket(self, port, **how):
        return self.closing(Client(("127.0.0.1", port))).open("/ws", host="shop.example", fields=[("Origin", "http://shop.example")], **how)

    def test_a_websocket_is_answered_the_same_and_gets_compressed(self):
        direct, through = (self.socket(port) for port in self.each())
        heads = [[field for field in client.answer.fields if field[0].lower() not in OF_THE_HOP] for client in (direct, through)]
        self.assertEqual(sorted(heads[1]), sorted(heads[0]))
        through = self.socket(self.proxy.port, extensions="permessage-deflate; client_max_window_bits")
        self.assertIsNotNone(through.agreed)
        for message in ("größe " * 20, "", b"\0\xff" * 1000, "x" * 200_000):
            for client in (direct, through):
                client.send(message)
            wanted, got = direct.read_message(), through.read_message()
            self.assertEqual((got.opcode, got.data), (wanted.opcode, wanted.data))
            self.assertTrue(got.compressed or not message)
        self.assertEqual([client.finish(1000, "bye")[0] for client in (direct, through)], [1000, 1000])

    def test_events_and_websockets_get_what_is_published(self):
        for port in self.each():
            with self.subTest("direct" if port == self.app.port else "through the proxy"):
                listener = self.http(port)
                listener.request("GET", "/events")
                events = listener.getresponse()
                self.assertEqual((events.status, events.getheader("Content-Type").partition(";")[0]), (200, "text/event-stream"))
                self.assertEqual(events.readline() + events.readline(), b"data: hello\n\n")
                socket = self.socket(port, extensions="permessage-deflate")
                socket.send("are you there?")
                self.assertEqual(socket.read_message().text, "are you there?")
                publisher = self.http(port)
                for at in range(20):  # each is there before the next is published
                    publisher.request("POST", "/publish", f"news {at}", TEXT)
                    self.assertEqual(publisher.getresponse().read(), b"")
                    self.assertEqual(events.readline() + events.readline(), f"data: news {at}\n\n".encode())
                    self.assertEqual(socket.read_message().text, f"news {at}")


@unittest.skipUnless(HAS_EXPRESS, "no Express: node/prepare could not get it")
class Node(RealApp, AppTest):
    @classmethod
    def setUpClass(cls):
        cls.start_app("node", NODE)


class Aiohttp(RealApp, AppTest):
    @classmethod
    def setUpClass(cls):
        cls.start_app(sys.executable, "-B", os.path.join(HERE, "python", "app.py"))


class Go(RealApp, AppTest):
    @classmethod
    def setUpClass(cls):
        cls.start_app(os.path.join(CLIENTS, "go", "app"))


@unittest.skipUnless(HAS_EXPRESS and shutil.which("chromedriver"), "no Express or no chromedriver")
class Browser(AppTest):
    @classmethod
    def setUpClass(cls):
        cls.start_app("node", NODE)
        cls.driver = start_browser(cls)

    def test_a_page_uses_fetch_events_and_a_websocket_at_once(self):
        self.driver.open(f"http://127.0.0.1:{self.proxy.port}/page")
        got = self.driver.run("everything()")
        self.assertRegex(got.pop("extensions"), "^permessage-deflate")
        self.assertEqual(got.pop("news"), [[f"news {at}"] * 2 for at in range(20)])
        self.assertEqual(got, {
            "hello": "hello", "get": {"query": {"a": "b c"}}, "post": {"status": 201, "body": {"got": {"name": "größe"}}}, "missing": 404,
            "redirected": "hello größe", "together": {"upload": True, "lines": 200, "echo": "while others ask", "inOrder": True},
            "closed": {"code": 4000, "reason": "done", "wasClean": True}})
        self.assertEqual(self.proxy.access_line("/ws")["close_code"], 4000)


if __name__ == "__main__":
    main()
