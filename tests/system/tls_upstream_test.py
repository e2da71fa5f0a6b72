"""Apps behind wss://: what is believed of them, what ends in a 502, and messages and requests through their records."""

import contextlib
import os
import ssl
import struct
import subprocess
import time

from harness import Cut, EchoApp, Ended, HttpClient, HttpWire, NamedApp, free_port, http_message, main
from harness.app import ListeningApp
from harness.frames import BINARY
from harness.tls import Authority, TlsEchoApp, TlsListener, TlsManualApp, TlsTest

MIB = 1 << 20


class Named(TlsListener, NamedApp):
    """Knows what name its clients asked for, and their certificates."""

    def __init__(self, certificate, name="secure", **how):
        self.names, self.shown = [], []
        super().__init__(certificate, address=name, **how)
        self._context.sni_callback = lambda sock, asked, context: self.names.append(asked)

    def on_request(self, side):
        self.shown.append(side.sock.getpeercert(binary_form=True))
        super().on_request(side)


class Announced(TlsListener, NamedApp):
    """A PROXY header comes before TLS; `headers` keeps what came."""

    def __init__(self, certificate):
        self.headers = []
        super().__init__(certificate, address="announced")

    def _read_request(self, sock):
        header = b""
        while not (len(header) >= 16 and len(header) == 16 + header[15] if header[:1] == b"\r" else header.endswith(b"\r\n")):
            byte = sock.recv(1)
            if not byte:
                return sock.close()
            header += byte
        self.headers.append(header)
        super()._read_request(sock)


class UpstreamTls(TlsTest):
    def start_with(self, app, *, host="localhost", upstream=None, **tls):
        return self.start(app, app_url=app.url_as(host), upstream={**(upstream or {}), "tls": tls})

    def believing(self, app, **tls):
        return self.start_with(app, ca=self.ca.crt, **tls)

    def http(self):
        return self.closing(HttpClient(("127.0.0.1", self.proxy.port)))

    def assert_works(self, path="/works"):
        client = self.echo_client(path)
        client.send("hello")
        self.assertEqual(client.read_message().text, "hello")
        answer = self.http().ask(path).read_answer()
        self.assertEqual((answer.status, answer.data), (200, path.encode()))

    def assert_refused(self, why, path="/refused"):
        """502 for an upgrade and for a plain request; metric and warning say why."""
        before, lines = self.proxy.metrics().sum("wsproxy_upstream_errors_total", reason="tls"), len(self.proxy.lines)
        client = self.closing(self.proxy.client())
        client.ask(path)
        self.assertEqual(client.read_answer().status, 502)
        self.assertEqual(self.http().ask(path).read_answer().status, 502)
        self.proxy.wait_metric("wsproxy_upstream_errors_total", before + 2, reason="tls")
        line = self.proxy.wait_for_line('"level":"warning","message":"upstream error".*', after=lines)[0]
        self.assertRegex(line, f'"reason":"[^"]*({why})')

    def side(self, app):
        """The app's end of a plain request, with the request's head."""
        side = app.next()
        wire = self.closing(HttpWire(side.sock, bytes(side.buffer)))
        wire.request = side.request
        return wire


class Believing(UpstreamTls):
    def test_a_private_authority_is_believed_when_it_is_named_and_not_otherwise(self):
        app = Named(self.certificate)
        self.believing(app)
        self.assert_works()
        self.assertEqual(set(app.names), {"localhost"})
        self.start_with(Named(self.certificate))
        self.assert_refused("certificate verify failed: unable to get local issuer certificate")
        self.start_with(Named(self.certificate), ca=Authority(self.folder, "another").crt)
        self.assert_refused("certificate verify failed: ")

    def test_another_name_is_refused_and_server_name_makes_it_right(self):
        certificate = self.ca.issue("app.internal", dns=["app.internal"], ips=[])
        self.believing(Named(certificate))
        self.assert_refused("certificate verify failed: .*(?i:host ?name)")
        app = Named(certificate)
        self.believing(app, server_name="app.internal")
        self.assert_works()
        self.assertEqual(set(app.names), {"app.internal"})
        self.believing(Named(certificate), server_name="other.internal")
        self.assert_refused("certificate verify failed: .*(?i:host ?name)")

    def test_an_address_is_verified_as_one(self):
        app = Named(self.ca.issue("by address", dns=[], ips=["127.0.0.1"]))
        self.start_with(app, host="127.0.0.1", ca=self.ca.crt)
        self.assert_works()
        self.assertEqual(set(app.names), {None})  # RFC 6066: an address is no server name
        self.start_with(Named(self.ca.issue("elsewhere", dns=["127.0.0.1"], ips=["127.0.0.2"])), host="127.0.0.1", ca=self.ca.crt)
        self.assert_refused("certificate verify failed: .*(?i:ip address)")

    def test_an_expired_certificate_is_refused(self):
        self.believing(Named(self.ca.issue("old", begins=-10, ends=-1)))
        self.assert_refused("certificate verify failed: certificate has expired")

    def test_verify_false_believes_everybody_and_warns_at_the_start(self):
        self.start_with(Named(self.ca.issue("old", dns=["elsewhere"], ips=[], begins=-10, ends=-1)), verify=False)
        self.proxy.wait_for_line(r'"level":"warning".*upstream\.tls\.verify')
        self.assert_works()
        self.believing(Named(self.certificate))
        self.assertFalse([line for line in self.proxy.lines if "tls.verify" in line])

    def test_an_app_that_wants_a_certificate_gets_ours(self):
        ours = self.ca.issue("the proxy", rsa=True)
        app = Named(self.certificate, client_ca=self.ca.crt)
        self.believing(app, certificate=ours.crt, private_key=ours.key)
        self.assert_works()
        self.assertEqual(set(app.shown), {ours.der})

    def test_an_app_that_misses_our_certificate_is_a_bad_gateway(self):
        self.believing(Named(self.certificate, client_ca=self.ca.crt))
        self.assert_refused("(?i:alert|certificate)")

    def test_routes_have_settings_of_their_own(self):
        other = Authority(self.folder, "other")
        certificate = other.issue("localhost")
        apps = {"one": Named(self.certificate, "one"), "two": Named(certificate, "two"), "wrong": Named(certificate, "wrong"),
                "plain": NamedApp("plain")}
        for app in apps.values():
            self.addCleanup(app.stop)
        settings = {"one": {"tls": {"ca": self.ca.crt}}, "two": {"tls": {"ca": other.crt}}, "wrong": {"tls": {"ca": self.ca.crt}}, "plain": {}}
        self.start(NamedApp("default"), routes=[{"match": {"path": f"/{name}"}, "upstream": {"url": apps[name].url, **own}}
                                                for name, own in settings.items()])
        for name in (*apps, "default"):
            with self.subTest(name):
                if name == "wrong":
                    self.assert_refused("certificate verify failed", "/wrong")
                else:
                    self.assert_works(f"/{name}")
                    self.assertEqual(self.http().ask(f"/{name}").read_answer().head.get("X-App"), name)


class NoTls(UpstreamTls):
    def test_a_plain_app_is_a_bad_gateway(self):
        app = EchoApp()
        self.start(app, app_url=f"wss://localhost:{app.port}", upstream={"tls": {"ca": self.ca.crt}})
        app._read_request = lambda sock: (sock.recv(10), sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"), sock.close())
        self.assert_refused("wrong version number")

    def test_an_app_that_never_answers_the_handshake_is_a_bad_gateway_after_connect_timeout(self):
        app = ListeningApp()
        self.start(app, app_url=f"wss://localhost:{app.port}", upstream={"connect_timeout": "300ms", "tls": {"ca": self.ca.crt}})
        for client in (self.closing(self.proxy.client()), self.http()):
            began = time.monotonic()
            client.ask("/silent")
            answer = client.read_answer()
            self.assertEqual(answer.status, 502)
            self.assertTrue(0.25 < time.monotonic() - began < 5)
            self.proxy.wait_for_line('"message":"upstream error".*in time"')
        self.proxy.wait_metric("wsproxy_upstream_errors_total", 2, reason="tls")

    def test_an_app_that_hangs_up_in_mid_handshake_is_a_bad_gateway(self):
        app = TlsManualApp(self.certificate)
        self.believing(app)
        app._read_request = lambda sock: (sock.recv(10), sock.close())
        self.assert_refused(".+")


class Messages(UpstreamTls):
    def test_large_messages_both_ways_and_compressed_ones(self):
        app = TlsEchoApp(self.certificate)
        self.believing(app)
        for offer in (None, "permessage-deflate"):
            client = self.closing(self.proxy.client()).open(extensions=offer)
            self.assertEqual(client.agreed is None, offer is None)
            for data in (os.urandom(5 * MIB), b"again and again " * (MIB // 16), b"", b"x"):
                if offer is None or len(data) < 2 * MIB:
                    client.send(data)
                    self.assertTrue(client.read_message().data == data, len(data))
        self.assertEqual([request.all("Sec-WebSocket-Extensions") for request in app.requests], [[], []])

    def test_wss_on_both_sides(self):
        self.start_tls(TlsEchoApp(self.certificate), upstream={"tls": {"ca": self.ca.crt}})
        client = self.tls_client().open(extensions="permessage-deflate")
        for data in (b"all the way " * 50_000, os.urandom(70_000), b""):
            client.send(data)
            self.assertEqual(client.read_message().data, data)
        self.assertEqual(client.finish(), (1000, ""))

    def test_an_app_that_dies_in_mid_message_is_1011_for_the_client(self):
        self.believing(TlsManualApp(self.certificate))
        for leave in ("reset", "close", "say_close"):
            with self.subTest(leave):
                client, app = self.pair(f"/{leave}")
                app.send("whole")
                app.send_bytes(app.frame_bytes(BINARY, bytes(1000))[:300])
                if leave == "say_close":
                    say_close(app)
                else:
                    getattr(app, leave)()
                self.assertEqual(client.read_message().text, "whole")
                self.assertEqual(client.read_close()[0], 1011)
                client.close()
                line = self.proxy.access_line(f"/{leave}")
                self.assertEqual(line["closed_by"], "app")
                self.assertEqual("close_notify" in line["cause"], leave == "close", line["cause"])
        self.proxy.wait_metric("wsproxy_upstream_errors_total", 3, reason="lost")


def say_close(wire):
    """close_notify, then the end."""
    wire.sock.settimeout(0)
    with contextlib.suppress(ssl.SSLWantReadError):
        wire.sock.unwrap()
    wire.close()


class Plain(UpstreamTls):
    def test_requests_share_a_connection_to_the_app(self):
        self.start(app := TlsManualApp(self.certificate), workers=1, upstream={"tls": {"ca": self.ca.crt}})
        client = self.http()
        client.send_bytes(http_message.request("/one"))
        side = self.side(app)
        self.assertEqual(side.request.first_line, "GET /one HTTP/1.1")
        side.send_bytes(http_message.answer(body=b"first"))
        self.assertEqual(client.read_answer().data, b"first")
        client.send_bytes(http_message.request("/two"))
        self.assertEqual(side.read_head().first_line, "GET /two HTTP/1.1")  # on the same connection
        side.send_bytes(http_message.answer(chunks=[b"sec", b"ond"]))
        self.assertEqual(client.read_answer().data, b"second")
        body = os.urandom(300_000)
        client.send_bytes(http_message.request("/three", "POST", body=body))
        other = self.side(app)
        self.assertEqual(other.request.first_line, "POST /three HTTP/1.1")
        self.assertTrue(other.read_body(other.request).data == body)
        other.send_bytes(http_message.answer("201 Created", body=body))
        answer = client.read_answer("POST")
        self.assertEqual((answer.status, answer.data == body), (201, True))

    def test_the_end_of_an_answer_without_a_length_is_believed_only_with_close_notify(self):
        self.believing(app := TlsManualApp(self.certificate))
        for version in ("HTTP/1.1", "HTTP/1.0"):
            for is_said in (True, False):
                with self.subTest(version, is_said=is_said):
                    client = self.http()
                    client.send_bytes(http_message.request("/", version=version))
                    side = self.side(app)
                    side.send_bytes(http_message.answer(fields=[("Connection", "close")]) + b"some of it")
                    say_close(side) if is_said else side.close()
                    if is_said:
                        self.assertEqual(client.read_answer().data, b"some of it")
                    else:
                        with self.assertRaises((Cut, Ended)):
                            client.read_answer()

    def test_openssl_s_server_is_an_app(self):
        port = free_port()
        server = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", self.certificate.crt, "-key", self.certificate.key,
                                   "-www", "-quiet"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        self.start(app_url=f"wss://localhost:{port}", upstream={"tls": {"ca": self.ca.crt}})
        answer = self.http().ask("/").read_answer()
        self.assertEqual(answer.status, 200)
        self.assertIn(b"s_server", answer.data)
        self.assertRegex(answer.data, rb"Protocol *: TLSv1\.3")


class Announcing(UpstreamTls):
    def test_a_proxy_header_comes_ahead_of_tls(self):
        for version in ("v1", "v2"):
            with self.subTest(version):
                app = Announced(self.certificate)
                self.start(app, upstream={"proxy_protocol": version, "tls": {"ca": self.ca.crt}})
                client = self.echo_client("/")
                port = client.sock.getsockname()[1]
                client.send("hello")
                self.assertEqual(client.read_message().text, "hello")
                if version == "v1":
                    self.assertIn(f"PROXY TCP4 127.0.0.1 127.0.0.1 {port} {self.proxy.port}\r\n".encode(), app.headers)
                else:
                    self.assertTrue(any(header[12:14] == b"\x21\x11" and struct.unpack("!H", header[24:26])[0] == port for header in app.headers))
                self.assertEqual(self.http().ask("/plain").read_answer().data, b"/plain")


if __name__ == "__main__":
    main()
