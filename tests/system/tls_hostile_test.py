"""Peers that break TLS, stop in the middle of it or leave: each has its reason in metrics and log, and nobody else notices."""

import contextlib
import os
import random
import socket
import ssl
import struct

from harness import DEADLINE, SANITIZED, EchoApp, connect_tcp, main, wait_until
from harness.authority import Authority
from harness.tls import SharedTlsTest, TlsClient, in_background

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
SEED = int(os.environ.get("WSPROXY_TEST_SEED", random.randrange(1 << 32)))


def hello_of(context):
    """The bytes with which a real client begins."""
    outgoing = ssl.MemoryBIO()
    machine = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    try:
        machine.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def record(kind, data, length=None, version=0x0303):
    return struct.pack("!BHH", kind, version, len(data) if length is None else length) + data


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


class Hostile(SharedTlsTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.hello = hello_of(cls.context(cls))

    def tearDown(self):
        self.assert_all_is_well()
        super().tearDown()

    def raw(self, data=b""):
        sock = connect_tcp(("127.0.0.1", self.proxy.port))
        self.addCleanup(sock.close)
        sock.sendall(data)
        return sock

    def read_to_end(self, sock):
        with contextlib.suppress(ConnectionResetError):
            while sock.recv(65536):
                pass

    def failure_of(self, port, reasons):
        """The reason in the debug line about that client's handshake."""
        line = self.proxy.wait_for_line(rf'"level":"debug","message":"TLS handshake failed","client":"127\.0\.0\.1:{port}","listener":"public",'
                                        r'"reason":"([^"]*)","detail":"([^"]+)"', after=self.first_line)
        self.assertRegex(line[1], f"^({reasons})$")
        return line[1]

    def assert_fails(self, data, reasons, *, hang_up=False):
        """These bytes are no handshake: the proxy ends it, counts it once and says why."""
        before = self.failures()
        sock = self.raw()
        port = sock.getsockname()[1]
        with contextlib.suppress(OSError):  # it may be refused before we are done
            sock.sendall(data)
            if hang_up:
                sock.shutdown(socket.SHUT_WR)
        self.read_to_end(sock)
        reason = self.failure_of(port, reasons)
        wait_until(lambda: self.failures() == before + 1, f"one more failure ({reason})")


class Handshakes(Hostile):
    app_kind = EchoApp
    settings = {"timeouts": {"handshake": "1m"}}

    def test_a_hello_cut_anywhere_is_closed(self):
        before = self.failures(reason="closed")
        cuts = [1, 2, 3, 4, 5, 6, 9, 11, 42, 43, 76, len(self.hello) // 2, len(self.hello) - 1, len(self.hello)]
        for cut in cuts:
            with self.subTest(cut=cut):
                self.assert_fails(self.hello[:cut], "closed", hang_up=True)
        self.assertEqual(self.failures(reason="closed"), before + len(cuts))
        metrics = self.proxy.metrics()
        self.assertEqual(metrics.sum("wsproxy_rejected_total", reason="tls"), self.failures())
        self.assertEqual(metrics.sum("wsproxy_connections_total", result="rejected"), self.failures())

    def test_what_is_no_tls(self):
        rest = random.Random(SEED)
        cases = {
            "zeros": bytes(100), "ones": b"\xff" * 100, "something in words": b"hello?\r\n\r\n",
            "a record of a kind that is none": record(99, b"x" * 50), "data before the handshake": record(23, b"x" * 50),
            "an absurd length": record(22, self.hello[5:], 0xFFFF), "a length just over the limit": record(22, self.hello[5:], 16384 + 2049),
            "no client hello but a finished": record(22, b"\x14\x00\x00\x0c" + bytes(12)),
            "a message of 16 MB": record(22, b"\x01\xff\xff\xff" + bytes(100)), "a hello without a body": record(22, b"\x01\x00\x00\x00"),
            "change cipher spec first": record(20, b"\x01"), "rubbish in a record": record(22, b"\x01\x00\x00\xc8" + rest.randbytes(200)),
            "random": b"\x80" + rest.randbytes(1000), "a hello of SSL 2": b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10" + bytes(40),
        }
        for what, data in cases.items():
            with self.subTest(what, seed=SEED):
                self.assert_fails(data, "garbage|protocol_version|other|no_shared_cipher", hang_up=False)

    def test_mutations_of_a_hello_end_somehow(self):
        print(f"mutations with WSPROXY_TEST_SEED={SEED}")
        chance, before, count = random.Random(SEED), self.failures(), 300
        for at in range(count):
            data = bytearray(self.hello)
            for _ in range(chance.randint(1, 5)):
                where = chance.randrange(len(data))
                match chance.randrange(4):
                    case 0:
                        data[where] = chance.randrange(256)
                    case 1:
                        del data[where : where + chance.randint(1, 20)]
                    case 2:
                        data[where:where] = chance.randbytes(chance.randint(1, 20))
                    case 3:
                        data[where : where + 2] = chance.choice([b"\xff\xff", b"\0\0", b"\x7f\xff"])
            with self.subTest(mutation=at, seed=SEED):
                sock = self.raw(data)
                with contextlib.suppress(OSError):  # it may be refused before we are done
                    sock.shutdown(socket.SHUT_WR)
                self.read_to_end(sock)
        wait_until(lambda: self.failures() == before + count, "all of them to be counted")

    def test_a_handshake_byte_by_byte_succeeds(self):
        here, there = socket.socketpair()
        proxy = self.raw()
        proxy.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def push():
            while data := there.recv(65536):
                for byte in data:
                    proxy.sendall(bytes([byte]))
            proxy.shutdown(socket.SHUT_WR)

        def pull():
            with contextlib.suppress(BrokenPipeError):
                while data := proxy.recv(65536):
                    there.sendall(data)
            there.close()

        pumps = [in_background(work) for work in (push, pull)]
        client = self.closing(TlsClient(here, self.context())).open()
        client.send("slowly")
        self.assertEqual(client.read_message().text, "slowly")
        client.close()
        for pump in pumps:
            pump.join(DEADLINE)

    def test_who_leaves_without_a_byte_is_no_error(self):
        count = "wsproxy_connection_duration_seconds_count"
        before, ended = self.failures(), self.proxy.metrics().sum(count)
        for at in range(20):
            sock = self.raw()
            reset(sock) if at % 2 else sock.close()
        self.proxy.wait_metric(count, ended + 20)
        self.assertEqual(self.failures(), before)

    def test_fragments_without_an_end(self):
        body = b"\x01" + (120_000).to_bytes(3, "big") + b"\x03\x03" + bytes(70_000)
        self.assert_fails(b"".join(record(22, body[at : at + 100]) for at in range(0, len(body), 100)), "closed|garbage", hang_up=True)
        self.assert_fails(b"".join(record(22, body[at : at + 1]) for at in range(5000)), "closed|garbage", hang_up=True)
        self.assert_fails(record(22, b"") * 1000, "closed|garbage|other", hang_up=True)

    def test_alerts_of_the_client(self):
        for version in (V12, V13):
            hello = hello_of(self.context(versions=[version]))
            for number in (40, 42, 48, 70, 80):
                with self.subTest(version, number=number):
                    self.assert_fails(hello + record(21, bytes([2, number])), "alert", hang_up=True)
                    self.assert_fails(record(21, bytes([2, number])), "alert|garbage", hang_up=True)
        self.assert_fails(record(21, b"\x01\x5a") * 100, "alert|closed|garbage|other", hang_up=True)
        self.assert_fails(record(21, b"\x07\x07\x07"), "alert|garbage|other", hang_up=True)

    def test_a_client_that_does_not_believe_our_certificate_says_so(self):
        stranger = Authority(self.folder, "a stranger")
        for version in (V12, V13):
            before = self.failures(reason="alert")
            with self.assertRaises(ssl.SSLCertVerificationError):
                self.tls_client(ca=stranger.crt, versions=[version])
            self.wait_failure("alert", before + 1)
            with self.assertRaises(ssl.SSLCertVerificationError):
                self.tls_client(name="elsewhere.example", versions=[version])
            self.wait_failure("alert", before + 2)
        self.proxy.wait_for_line('"reason":"alert","detail":"[^"]*unknown ca', after=self.first_line)

    def test_a_reset_in_mid_handshake(self):
        for cut in (3, 100, len(self.hello)):
            before = self.failures(reason="closed")
            sock = self.raw(self.hello[:cut])
            port = sock.getsockname()[1]
            if cut == len(self.hello):
                self.assertTrue(sock.recv(100))  # the proxy's answer has come
            reset(sock)
            self.wait_failure("closed", before + 1)
            self.failure_of(port, "closed")

    def test_300_half_open_handshakes_disturb_nobody(self):
        before = self.failures(reason="closed")
        client = self.tls_client().open()
        crowd = [self.raw(self.hello[: 1 + at * 7 % len(self.hello)]) for at in range(300)]
        for at in range(100):
            client.send(f"message {at}")
            self.assertEqual(client.read_message(DEADLINE / 10).text, f"message {at}")
        late = self.tls_client().open()
        late.send("me too")
        self.assertEqual(late.read_message(DEADLINE / 10).text, "me too")
        self.assertEqual(self.proxy.metrics().sum("wsproxy_connections_active"), 302)
        for sock in crowd:
            sock.close()
        self.wait_failure("closed", before + 300)
        client.send("still here")
        self.assertEqual(client.read_message().text, "still here")


class Silence(Hostile):
    app_kind = EchoApp
    settings = {"timeouts": {"handshake": "2s" if SANITIZED else "500ms"}}

    def test_who_stops_in_mid_handshake_is_let_go(self):
        socks = [self.raw(self.hello[:cut]) for cut in (1, 5, 6, 100, len(self.hello) - 1, len(self.hello))]
        for sock in socks:
            port = sock.getsockname()[1]
            self.read_to_end(sock)
            self.failure_of(port, "timeout")
        self.wait_failure("timeout", len(socks))

    def test_who_says_nothing_is_let_go(self):
        self.assertEqual(self.raw().recv(100), b"")

    def test_drops_do_not_keep_a_handshake_alive(self):
        sock = self.raw()
        sock.settimeout(0.01)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for byte in self.hello:  # one byte every 10 ms: all of it would take longer than the timeout
                sock.sendall(bytes([byte]))
                with contextlib.suppress(TimeoutError):
                    if not sock.recv(1):
                        break
            else:
                self.fail("it waited for all of the hello")
        self.wait_failure("timeout")


if __name__ == "__main__":
    main()
