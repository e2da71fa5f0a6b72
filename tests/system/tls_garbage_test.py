"""What is no TLS, or broken TLS, on a TLS port: the right alert, counted and logged once with its reason, and nobody else
notices. Peers that stop are in tls_stall_test.py."""

import errno
import os
import random
import socket
import struct

from harness import HttpClient, connect_tcp, main, wait_until
from harness.bystander import bystander
from harness.tls import SharedTlsTest
from harness.tls_hello import hello_message, record
from harness.tls_raw import Machine, RawTlsClient, alerts, records

UNEXPECTED_MESSAGE, BAD_RECORD_MAC, RECORD_OVERFLOW, HANDSHAKE_FAILURE, DECODE_ERROR, PROTOCOL_VERSION = 10, 20, 22, 40, 50, 70
SEED = int(os.environ.get("WSPROXY_TEST_SEED", random.randrange(1 << 32)))


class GarbageTest(SharedTlsTest):
    def tearDown(self):
        # Whatever a test did: everybody has been let go, and the next client is served.
        self.doCleanups()
        self.assertTrue(self.proxy.running(), "the proxy died")
        wait_until(lambda: self.proxy.metrics().sum("wsproxy_connections_active") == 0, "all connections to be gone")
        self.bystander_client().finish()
        super().tearDown()

    def hello_of(self, context):
        """The bytes with which a real client begins: one record."""
        unused = socket.socket()
        self.addCleanup(unused.close)
        return Machine(unused, context).first_flight()

    def bystander_client(self):
        client = self.tls_client().open()
        client.send("next, please")
        self.assertEqual(client.read_message().text, "next, please")
        return client

    def answer_to(self, *pieces, ends=True):
        """All that comes back until the connection ends."""
        sock = connect_tcp(("127.0.0.1", self.proxy.port))
        self.addCleanup(sock.close)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        said = b""
        try:
            for piece in pieces:
                sock.sendall(piece)
            if ends:
                sock.shutdown(socket.SHUT_WR)
            while data := sock.recv(65536):
                said += data
        except (ConnectionResetError, BrokenPipeError):
            pass
        except OSError as gone:
            if gone.errno != errno.ENOTCONN:  # of the shutdown, after a reset
                raise
        return said

    def assert_fails(self, reason, *pieces, alert=None, ends=False):
        """Counted once, under that reason, as a rejected connection, and logged; the alert comes back if one is given."""
        before, total, first = self.failures(reason=reason), self.failures(), len(self.proxy.lines)
        metrics = self.proxy.metrics()
        rejected, connections = metrics.sum("wsproxy_rejected_total", reason="tls"), metrics.sum("wsproxy_connections_total", result="rejected")
        said = self.answer_to(*pieces, ends=ends)
        self.proxy.wait_metric("wsproxy_tls_handshake_errors_total", total + 1)
        self.assertEqual(self.failures(reason=reason), before + 1, self.proxy.lines[first:])
        if alert is not None:
            self.assertEqual(alerts(said), [alert], said)
        line = self.proxy.wait_for_line('"TLS handshake failed"', after=first).string
        for word in ('"level":"debug"', f'"reason":"{reason}"', '"listener":"public"', '"client":"127.0.0.1:'):
            self.assertIn(word, line)
        self.assertRegex(line, r'"detail":"[^"]+')
        self.proxy.wait_metric("wsproxy_connections_total", connections + 1, result="rejected")
        self.assertEqual(self.proxy.metrics().sum("wsproxy_rejected_total", reason="tls"), rejected + 1)
        return said


class NoTls(GarbageTest):
    def test_plain_http_of_any_method_gets_a_400_that_says_why(self):
        for line in ("GET / HTTP/1.1", "HEAD / HTTP/1.1", "POST /x HTTP/1.1", "PUT /x HTTP/1.0", "OPTIONS * HTTP/1.1", "DELETE /x HTTP/1.1",
                     "PATCH /x HTTP/1.1", "CONNECT a:443 HTTP/1.1"):
            with self.subTest(line):
                said = self.assert_fails("plain_http", f"{line}\r\nHost: localhost\r\n\r\n".encode()).decode()
                self.assertRegex(said, r"^HTTP/1\.1 400 Bad Request\r\n[\s\S]*(?i:connection: close)\r\n")
                if not line.startswith("HEAD"):
                    self.assertRegex(said.partition("\r\n\r\n")[2], r"TLS")

    def test_plain_http_byte_by_byte_and_with_a_body(self):
        request = b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n"
        said = self.assert_fails("plain_http", *(bytes([byte]) for byte in request))
        self.assertTrue(said.startswith(b"HTTP/1.1 400 "), said)
        client = self.closing(HttpClient(("127.0.0.1", self.proxy.port)))
        client.send_bytes(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000)
        self.assertEqual(client.read_head().status, 400)

    def test_other_protocols_are_garbage(self):
        mqtt = b"\x10\x20\x00\x04MQTT\x04\x02\x00\x3c\x00\x14" + b"x" * 20
        for first in (b"\x00" * 200, b"\xff" * 200, b"*1\r\n$4\r\nPING\r\n", bytes(range(1, 200)), mqtt):
            with self.subTest(first[:12]):
                self.assert_fails("garbage", first)


class Broken(GarbageTest):
    def setUp(self):
        super().setUp()
        self.hello = self.hello_of(self.context())

    def test_versions_that_are_too_old(self):
        for version in (0x0301, 0x0302, 0x0200):
            with self.subTest(hex(version)):
                self.assert_fails("protocol_version", record(hello_message(version)), alert=PROTOCOL_VERSION)
        self.assert_fails("protocol_version", record(hello_message(0x0300)), alert=HANDSHAKE_FAILURE)  # SSL 3 has no other

    def test_a_hello_of_ssl_2_is_refused(self):
        before = self.failures()
        old = struct.pack("!BHHHH", 1, 2, 3, 0, 16) + b"\x01\x00\x80" + bytes(16)
        self.answer_to(struct.pack("!H", 0x8000 | len(old)) + old, ends=False)
        self.proxy.wait_metric("wsproxy_tls_handshake_errors_total", before + 1)

    def test_no_cipher_that_both_have(self):
        for ciphers in ((0x000A,), (0x002F, 0x0035), (0x1301 + 0x700,), (0xC013, 0xC014), (0x0000,)):
            with self.subTest(ciphers):
                self.assert_fails("no_shared_cipher", record(hello_message(ciphers=ciphers)), alert=HANDSHAKE_FAILURE)

    def test_a_record_of_absurd_length(self):
        for length in (0xFFFF, 0x4001 + 2048):
            with self.subTest(length):
                self.assert_fails("garbage", record(b"\1" + bytes(600), length=length), alert=RECORD_OVERFLOW)

    def test_a_message_of_absurd_length(self):
        said = self.assert_fails("garbage", record(b"\1\xff\xff\xff" + bytes(600)))
        self.assertEqual(len(alerts(said)), 1)

    def test_a_hello_whose_inside_is_cut(self):
        body = self.hello[5 + 4:]
        for size in (0, 1, 2, 33, 34, 36, 60, len(body) - 1):
            with self.subTest(size):
                inside = b"\1" + size.to_bytes(3, "big") + body[:size]
                self.assert_fails("garbage", record(inside), alert=DECODE_ERROR)

    def test_other_messages_than_a_hello(self):
        for kind in (0, 2, 4, 11, 16, 20, 24, 0xFE):
            with self.subTest(kind):
                self.assert_fails("garbage", record(bytes([kind]) + b"\0\0\4abcd"), alert=UNEXPECTED_MESSAGE)

    def test_other_records_than_a_handshake(self):
        for kind in (23, 24):
            with self.subTest(kind):
                self.assert_fails("garbage", record(b"\1" * 8, kind=kind))

    def test_an_alert_instead_of_a_hello(self):
        self.assert_fails("garbage", record(bytes([2, 40]), kind=21))

    def test_a_second_hello(self):
        self.assert_fails("garbage", self.hello, self.hello)

    def test_floods_of_empty_records_and_warnings_are_ended(self):
        for what, flood in (("empty", record(b"") * 3000), ("warnings", record(bytes([1, 90]), kind=21) * 3000)):
            with self.subTest(what):
                before = self.failures()
                self.answer_to(flood, ends=False)
                self.proxy.wait_metric("wsproxy_tls_handshake_errors_total", before + 1)

    def test_a_hello_in_records_of_a_byte_is_fine(self):
        raw = connect_tcp(("127.0.0.1", self.proxy.port))
        machine = Machine(raw, self.context())
        [(_, body)] = records(machine.first_flight())
        machine.push(b"".join(record(bytes([byte])) for byte in body))
        machine.shake_hands()
        machine.close()

    def test_a_spoiled_record_later_on_ends_that_connection_only(self):
        client = self.closing(RawTlsClient(("127.0.0.1", self.proxy.port), self.context())).open("/spoiled")
        with bystander(self.bystander_client()):
            sealed = bytearray(client.sock.seal(client.message_bytes("hello")))
            sealed[-1] ^= 1
            client.sock.push(bytes(sealed))
            with self.assertRaisesRegex(OSError, "(?i)bad.record.mac"):
                client.read_frame()
        line = self.proxy.access_line("/spoiled")
        self.assertEqual((line["messages_to_app"], line["closed_by"]), (0, "client"))


class Mutated(GarbageTest):
    ROUNDS = 400

    def test_a_spoiled_hello_is_counted_once_and_hurts_nobody(self):
        dice = random.Random(SEED)
        hello = self.hello_of(self.context())
        before = self.failures()
        with bystander(self.bystander_client()):
            for at in range(self.ROUNDS):
                with self.subTest(seed=SEED, at=at):
                    self.answer_to(spoiled(hello, dice))
        self.proxy.wait_metric("wsproxy_tls_handshake_errors_total", before + self.ROUNDS)
        self.assertEqual(self.failures(), before + self.ROUNDS, f"seed {SEED}")

    def test_a_spoiled_second_flight_as_well(self):
        dice = random.Random(SEED)
        rounds = self.ROUNDS // 4
        with bystander(self.bystander_client()):
            metrics = self.proxy.metrics()
            before = self.failures()
            for at in range(rounds):
                with self.subTest(seed=SEED, at=at):
                    raw = connect_tcp(("127.0.0.1", self.proxy.port))
                    self.addCleanup(raw.close)
                    machine = Machine(raw, self.context())
                    raw.sendall(machine.first_flight())
                    raw.sendall(spoiled(machine.second_flight(), dice))
                    raw.shutdown(socket.SHUT_WR)
                    read_to_end(raw)
        # a change of the middlebox record that is only for show does no harm: such a handshake is done
        done = self.proxy.metrics().sum("wsproxy_tls_handshakes_total") - metrics.sum("wsproxy_tls_handshakes_total")
        self.assertEqual(self.failures() - before + done, rounds, f"seed {SEED}")


def read_to_end(sock):
    try:
        while sock.recv(65536):
            pass
    except (ConnectionResetError, BrokenPipeError):
        pass


def spoiled(data, dice):
    """Bytes changed, cut out, doubled, put in, or the end cut off; never empty and never the same."""
    result = bytearray(data)
    while bytes(result) == data or not result:
        result = bytearray(data)
        for _ in range(dice.choice((1, 1, 2, 5, 20))):
            at = dice.randrange(len(result)) if result else 0
            kind = dice.randrange(5)
            if kind == 0 and result:
                result[at] = dice.randrange(256)
            elif kind == 1 and result:
                result[at] ^= 1 << dice.randrange(8)
            elif kind == 2:
                del result[at : at + dice.randrange(1, 20)]
            elif kind == 3:
                result[at:at] = dice.randbytes(dice.randrange(1, 20))
            else:
                result[at:at] = result[at : at + dice.randrange(1, 40)]
        if dice.randrange(4) == 0:
            del result[dice.randrange(len(result) + 1) :]
    return bytes(result)


if __name__ == "__main__":
    main()
