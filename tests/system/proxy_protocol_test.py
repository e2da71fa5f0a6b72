"""The PROXY protocol on both sides (HAProxy's doc/proxy-protocol.txt): what a load balancer says of a client
is who the client is, and an app that wants such a header gets one."""

import socket
import time

from harness import DEADLINE, Client, SystemTest, free_port, http_head, main, wait_until
from harness.app import ListeningApp

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
LOCAL, PROXY = 0x20, 0x21
TCP4, UDP4, TCP6, UNIX = 0x11, 0x12, 0x21, 0x31


def v1(source, port=4711, to="198.51.100.2", to_port=443):
    family = "TCP6" if ":" in source else "TCP4"
    return f"PROXY {family} {source} {to} {port} {to_port}\r\n".encode()


def v2(command, family, block=b""):
    return SIGNATURE + bytes([command, family]) + len(block).to_bytes(2, "big") + block


def block(source, port=4711, to="198.51.100.2", to_port=443):
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    addresses = socket.inet_pton(family, source) + socket.inet_pton(family, to)
    return addresses + port.to_bytes(2, "big") + to_port.to_bytes(2, "big")


def tlv(kind, value):
    return bytes([kind]) + len(value).to_bytes(2, "big") + value


TLVS = tlv(1, b"http/1.1") + tlv(2, b"example.org") + tlv(4, bytes(3)) + tlv(0xE0, b"x" * 5000)


class ProxyProtocolTest(SystemTest):
    def start_behind_a_balancer(self, **settings):
        self.port = free_port()
        address = f"127.0.0.1:{self.port}"
        self.start(listeners=[{"name": "balanced", "address": address, "proxy_protocol": True}], **settings)

    def balancer(self):
        return self.closing(Client(("127.0.0.1", self.port)))

    def refused(self):
        return self.proxy.metrics().sum("wsproxy_rejected_total", reason="proxy_protocol")


class Told(ProxyProtocolTest):
    """Shares one proxy."""

    @classmethod
    def setUpClass(cls):
        cls.shared = ProxyProtocolTest()
        cls.shared.setUp()
        cls.addClassCleanup(cls.shared.doCleanups)
        cls.shared.start_behind_a_balancer()

    def setUp(self):
        super().setUp()
        self.app, self.proxy, self.port = self.shared.app, self.shared.proxy, self.shared.port
        self.processes = [self.proxy]

    def hear_of(self, header, path, *, pieces=1):
        """What app and access line say of a client whose connection began with that header."""
        client = self.balancer()
        bytes_ = header + http_head.request(path)
        size = len(bytes_) if pieces == 1 else 1
        for at in range(0, len(bytes_), size):
            client.send_bytes(bytes_[at:at + size])
        side = self.closing(self.app.next())
        self.assertEqual(side.request.target, path)
        side.accept()
        self.assertEqual(client.read_answer().status, 101)
        client.send("hello")
        self.assertEqual(side.read_message().text, "hello")
        client.close()
        side.close()
        line = self.proxy.access_line(path)
        self.assertEqual(line["listener"], "balanced")
        return side.request.get("X-Forwarded-For"), side.request.get("X-Forwarded-Port"), line["client"]

    def test_version_1(self):
        self.assertEqual(self.hear_of(v1("192.0.2.1"), "/v1"), ("192.0.2.1", "443", "192.0.2.1:4711"))
        self.assertEqual(self.hear_of(v1("2001:db8:0::1", to="2001:db8::2", to_port=80), "/v1-6"),
                         ("2001:db8::1", "80", "[2001:db8::1]:4711"))

    def test_version_2(self):
        self.assertEqual(self.hear_of(v2(PROXY, TCP4, block("192.0.2.1")), "/v2"), ("192.0.2.1", "443", "192.0.2.1:4711"))
        self.assertEqual(self.hear_of(v2(PROXY, TCP6, block("2001:db8::1", to="2001:db8::2")), "/v2-6"),
                         ("2001:db8::1", "443", "[2001:db8::1]:4711"))

    def test_tlvs_are_skipped(self):
        self.assertEqual(self.hear_of(v2(PROXY, TCP4, block("192.0.2.1") + TLVS), "/tlv"), ("192.0.2.1", "443", "192.0.2.1:4711"))
        longest = block("192.0.2.1") + tlv(4, bytes(65535 - 12 - 3))
        self.assertEqual(self.hear_of(v2(PROXY, TCP4, longest), "/longest")[0], "192.0.2.1")

    def test_a_header_and_a_request_that_come_byte_by_byte(self):
        for at, header in enumerate((v1("192.0.2.1"), v2(PROXY, TCP4, block("192.0.2.1") + tlv(1, b"x")))):
            with self.subTest(header):
                self.assertEqual(self.hear_of(header, f"/slow/{at}", pieces=0), ("192.0.2.1", "443", "192.0.2.1:4711"))

    def test_what_says_nothing_keeps_the_address_of_the_connection(self):
        for at, header in enumerate((b"PROXY UNKNOWN\r\n", b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", v2(LOCAL, 0),
                                     v2(LOCAL, TCP4, block("192.0.2.1")), v2(PROXY, 0, TLVS), v2(PROXY, UDP4, block("192.0.2.1")))):
            with self.subTest(header):
                address, port, client = self.hear_of(header, f"/local/{at}")
                self.assertEqual((address, port), ("127.0.0.1", str(self.port)))
                self.assertRegex(client, r"^127\.0\.0\.1:\d+$")

    def test_a_client_of_a_unix_socket_has_no_address(self):
        self.assertEqual(self.hear_of(v2(PROXY, UNIX, b"/run/a".ljust(108, b"\0") * 2), "/unix"), (None, None, "unix"))

    def test_a_wrong_header_is_closed_without_an_answer_counted_and_logged(self):
        for header, reason in (
            (http_head.request("/none"), "begins like no PROXY"),
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "begins like no PROXY"),
            (b"PROXY TCP4 192.0.2.1 198.51.100.2 4711 443\n" + http_head.request("/lf"), "does not end with CRLF"),
            (b"PROXY TCP4 192.0.2.01 198.51.100.2 4711 443\r\n" + http_head.request("/zero"), "address is not one"),
            (b"PROXY UNKNOWN " + b"x" * 200, "longer than 107 bytes"),
            (v2(PROXY, TCP4, block("192.0.2.1")[:-1]) + http_head.request("/short"), "shorter than their family"),
            (v2(0x11, TCP4, block("192.0.2.1")), "version is not 2"),
            (v2(0x22, TCP4, block("192.0.2.1")), "command is not"),
            (v2(PROXY, 0x41, bytes(20)), "not a known one"),
        ):
            with self.subTest(header):
                before, first = self.refused(), len(self.proxy.lines)
                client = self.balancer()
                client.send_bytes(header)
                self.assertEqual(client.read_to_end(), b"")
                self.proxy.wait_for_line(f"PROXY protocol header refused.*{reason}", after=first)
                self.assertEqual(self.refused(), before + 1)
        self.assertTrue(self.app.nobody_came())

    def test_a_header_that_ends_too_early_is_counted(self):
        before = self.refused()
        client = self.balancer()
        client.send_bytes(b"PROXY TCP4 192.0.2.1")
        client.sock.shutdown(socket.SHUT_WR)
        self.assertEqual(client.read_to_end(), b"")
        wait_until(lambda: self.refused() == before + 1, "the cut header to be counted")

    def test_a_health_check_that_says_nothing_is_no_fault(self):
        refused, first = self.refused(), len(self.proxy.lines)
        done = self.proxy.metrics().sum("wsproxy_connection_duration_seconds_count")
        self.balancer().close()
        self.balancer().reset()
        self.proxy.wait_metric("wsproxy_connection_duration_seconds_count", done + 2)
        self.assertEqual(self.refused(), refused)
        self.assertEqual(self.proxy.lines[first:], [])

    def test_a_second_header_is_no_request(self):
        client = self.balancer()
        client.send_bytes(v1("192.0.2.1") + v1("192.0.2.2") + http_head.request("/two"))
        self.assertEqual(client.read_answer().status, 400)
        self.assertTrue(self.app.nobody_came())


class Bounded(ProxyProtocolTest):
    def test_whoever_is_silent_is_closed_after_timeouts_handshake(self):
        self.start_behind_a_balancer(timeouts={"handshake": "300ms"})
        for header in (b"", b"PROXY TCP4 ", v2(PROXY, TCP4, block("192.0.2.1") + TLVS)[:100]):
            with self.subTest(header):
                before, begin = self.refused(), time.monotonic()
                client = self.balancer()
                client.send_bytes(header)
                self.assertEqual(client.read_to_end(), b"")
                self.assertGreaterEqual(time.monotonic() - begin, 0.29)
                self.assertEqual(self.refused(), before + 1)

    def test_header_and_request_share_one_deadline(self):
        self.start_behind_a_balancer(timeouts={"handshake": "1s"})
        begin = time.monotonic()
        client = self.balancer()
        client.sock.settimeout(0.7)
        with self.assertRaises(TimeoutError):
            client.sock.recv(1)
        client.send_bytes(v1("192.0.2.1") + b"GET / HTTP/1.1\r\n")
        self.assertEqual(client.read_answer().status, 408)
        self.assertLess(time.monotonic() - begin, 1.6)

    def test_connections_are_counted_by_the_address_in_the_header(self):
        self.start_behind_a_balancer(limits={"max_connections_per_ip": 1})
        for address in ("192.0.2.1", "192.0.2.2"):
            first = self.balancer()
            first.send_bytes(v1(address) + http_head.request())
            self.closing(self.app.next()).accept()
            self.assertEqual(first.read_answer().status, 101)
        second = self.balancer()
        second.send_bytes(v2(PROXY, TCP4, block("192.0.2.2", port=4712)) + http_head.request())
        self.assertEqual(second.read_answer().status, 429)

    def test_the_address_in_the_header_decides_who_is_trusted(self):
        self.start_behind_a_balancer(headers={"trusted_proxies": ["192.0.2.1"]})
        for source, chain in (("192.0.2.1", "203.0.113.9, 192.0.2.1"), ("192.0.2.2", "192.0.2.2")):
            client = self.balancer()
            client.send_bytes(v1(source) + http_head.request(fields=[("X-Forwarded-For", "203.0.113.9")]))
            self.assertEqual(self.closing(self.app.next()).request.get("X-Forwarded-For"), chain)


    def test_whoever_is_in_mid_header_does_not_hold_up_the_end(self):
        self.start_behind_a_balancer()
        client = self.balancer()
        client.send_bytes(b"PROXY TCP4 ")
        self.proxy.wait_metric("wsproxy_connections_active", 1)
        self.proxy.terminate()
        self.assertEqual(client.read_to_end(), b"")
        self.assertEqual(self.proxy.wait_exit(), 0)


class RawApp(ListeningApp):
    """Gives each connection's bytes as they come, from the first one on."""

    def next(self):
        self._listener.settimeout(DEADLINE)
        while True:
            sock, _ = self._listener.accept()
            sock.settimeout(DEADLINE)
            if sock.recv(1, socket.MSG_PEEK):
                return sock
            sock.close()  # a readiness check


class ToTheApp(SystemTest):
    """upstream.proxy_protocol: the header is ahead of everything else on each connection to the app."""

    def start_with(self, version, **settings):
        self.start(RawApp(), upstream={"proxy_protocol": version}, **settings)

    def begin(self, client, request):
        """The app's socket, and what the first read on it brought."""
        client.send_bytes(request)
        app = self.app.next()
        self.addCleanup(app.close)
        return app, app.recv(65536)

    def plain(self, path):
        return f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode()

    def test_version_1_names_client_and_listener(self):
        self.start_with("v1")
        for request in (http_head.request("/x"), self.plain("/x")):
            client = self.closing(self.proxy.client(source="127.0.0.9"))
            _, first = self.begin(client, request)
            line = f"PROXY TCP4 127.0.0.9 127.0.0.1 {client.sock.getsockname()[1]} {self.proxy.port}\r\n"
            self.assertTrue(first.startswith(line.encode() + b"GET /x HTTP/1.1\r\n"), first)

    def test_version_2_names_client_and_listener(self):
        self.start_with("v2")
        for request in (http_head.request("/x"), self.plain("/x")):
            client = self.closing(self.proxy.client(source="127.0.0.9"))
            _, first = self.begin(client, request)
            header = v2(PROXY, TCP4, block("127.0.0.9", client.sock.getsockname()[1], "127.0.0.1", self.proxy.port))
            self.assertTrue(first.startswith(header + b"GET /x HTTP/1.1\r\n"), first)

    def test_what_a_balancer_told_is_told_on(self):
        port = free_port()
        self.start_with("v1", listeners=[{"name": "b", "address": f"127.0.0.1:{port}", "proxy_protocol": True}])
        for header, line in ((v2(PROXY, TCP4, block("192.0.2.1")), v1("192.0.2.1")),
                             (v2(PROXY, UNIX, bytes(216)), b"PROXY UNKNOWN\r\n")):
            _, first = self.begin(self.closing(Client(("127.0.0.1", port))), header + http_head.request("/x"))
            self.assertTrue(first.startswith(line + b"GET /x"), first)

    def test_each_plain_request_of_another_client_has_a_connection_and_header_of_its_own(self):
        self.start_with("v1")
        for _ in range(2):
            client = self.closing(self.proxy.client())
            app, first = self.begin(client, self.plain("/x"))
            self.assertTrue(first.startswith(b"PROXY TCP4 127.0.0.1 127.0.0.1 %d " % client.sock.getsockname()[1]), first)
            app.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
            self.assertEqual(client.read_answer().status, 204)

    def test_off_writes_nothing(self):
        self.start_with("off")
        _, first = self.begin(self.closing(self.proxy.client()), http_head.request("/x"))
        self.assertTrue(first.startswith(b"GET /x HTTP/1.1\r\n"), first)


if __name__ == "__main__":
    main()
