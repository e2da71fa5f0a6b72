"""A wss:// listener: versions, ALPN, and messages of every size through its records. Ciphers are in tls_ciphers_test.py,
sessions in tls_resumption_test.py."""

import os
import random
import ssl
import subprocess
import unittest

from harness import DEADLINE, EchoApp, Ended, connect_tcp, deflate, free_port, has_ipv6, main
from harness.tls import V12, V13, SharedTlsTest, TlsClient, TlsTest

SIZES = (0, 1, 125, 126, 1368, 1369, 1370, 13690, 13691, 16383, 16384, 16385, 65535, 65536, 1 << 20, 5 << 20)


def s_client(port, *words, stdin=b""):
    """What `openssl s_client` says, and whether it got a connection."""
    result = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost", *words],
                            input=stdin, capture_output=True, timeout=DEADLINE)
    return (result.stdout + result.stderr).decode(errors="replace")


class Listener(SharedTlsTest):
    def test_versions_1_2_and_1_3_are_spoken(self):
        for version in (V12, V13):
            client = self.tls_client(versions=[version]).open()
            self.assertEqual(client.sock.version(), "TLSv1.2" if version == V12 else "TLSv1.3")
            client.send("hello")
            self.assertEqual(client.read_message().text, "hello")

    def test_older_versions_are_refused_with_the_alert_protocol_version(self):
        for version in ("-tls1", "-tls1_1"):
            said = s_client(self.proxy.port, version, "-cipher", "DEFAULT:@SECLEVEL=0")
            self.assertRegex(said, r"alert protocol version|SSL alert number 70", version)
        self.wait_failure("protocol_version", 2)

    def test_http_1_1_is_chosen_by_alpn_and_whoever_offers_others_only_is_told_so(self):
        self.assertEqual(self.tls_client(alpn=["h2", "http/1.1"]).sock.selected_alpn_protocol(), "http/1.1")
        self.assertIsNone(self.tls_client(alpn=()).sock.selected_alpn_protocol())
        with self.assertRaisesRegex(ssl.SSLError, "(?i)no.application.protocol"):
            self.tls_client(alpn=["h2"])
        self.wait_failure("alpn")

    def test_renegotiation_is_refused_and_nothing_is_compressed(self):
        said = s_client(self.proxy.port, "-tls1_2", stdin=b"R\n")
        self.assertRegex(said, r"RENEGOTIATING[\s\S]*(no renegotiation|alert|error)")
        self.assertIn("Compression: NONE", said)

    def test_plain_http_gets_a_readable_400(self):
        sock = connect_tcp(("127.0.0.1", self.proxy.port))
        self.addCleanup(sock.close)
        sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        said = b"".join(iter(lambda: sock.recv(65536), b"")).decode()
        self.assertRegex(said, r"^HTTP/1\.1 400 Bad Request\r\n[\s\S]*TLS")
        self.wait_failure("plain_http")

    def test_the_app_learns_that_its_client_came_by_tls(self):
        self.tls_client().open("/origin")
        request = next(one for one in self.app.requests if one.target == "/origin")
        self.assertEqual(request.get("X-Forwarded-Proto"), "https")
        self.assertIn("proto=https", request.get("Forwarded"))
        self.assertEqual(request.get("X-Forwarded-Port"), str(self.proxy.port))

    def test_messages_of_every_size_come_back(self):
        for version in (V12, V13):
            client = self.tls_client(versions=[version]).open()
            for size in SIZES:
                with self.subTest(size, version=version.name):
                    sent = random.Random(size).randbytes(size)
                    client.send(sent)
                    self.assertEqual(client.read_message().data, sent)

    def test_compressed_messages_of_every_size_come_back(self):
        for version in (V12, V13):
            client = self.tls_client(versions=[version]).open(extensions="permessage-deflate; client_max_window_bits")
            client.inflater = deflate.FastInflater(client.agreed.server_bits, client.agreed.server_takeover)
            for size in SIZES:
                with self.subTest(size, version=version.name):
                    words = f'{{"turn":{size},"text":"words and more words, große"}} ' * (size // 40 + 1)
                    client.send(words[:size])
                    got = client.read_message()
                    self.assertEqual(got.text, words[:size])
                    self.assertEqual(got.compressed, size >= 32)

    def test_many_messages_in_one_record_and_one_message_in_many(self):
        client = self.tls_client().open()
        client.send_bytes(b"".join(client.message_bytes(f"message {at}") for at in range(500)))
        self.assertEqual([client.read_message().text for _ in range(500)], [f"message {at}" for at in range(500)])
        for byte in client.message_bytes("byte by byte"):  # each write is a record
            client.send_bytes(bytes([byte]))
        self.assertEqual(client.read_message().text, "byte by byte")

    def test_the_end_is_said_with_close_notify(self):
        client = self.tls_client().open()
        client.send_close(1000)
        self.assertEqual(client.read_close()[0], 1000)
        with self.assertRaisesRegex(Ended, "end of file"):  # and not SSLEOFError
            client.receive_some()


class Addresses(TlsTest):
    def assert_speaks_tls(self, address):
        client = self.closing(TlsClient(address, self.context())).open("/where")
        client.send("hello")
        self.assertEqual(client.read_message().text, "hello")
        self.assertEqual(self.app.requests[-1].get("X-Forwarded-Proto"), "https")

    def test_a_unix_socket(self):
        path = os.path.join(self.folder, "proxy.sock")
        self.start_tls(EchoApp(), listener={"address": f"unix:{path}"})
        self.assert_speaks_tls(path)

    @unittest.skipUnless(has_ipv6(), "no IPv6 here")
    def test_an_ipv6_address(self):
        port = free_port()
        self.start_tls(EchoApp(), listener={"address": f"[::1]:{port}"})
        self.assert_speaks_tls(("::1", port))


class Settings(TlsTest):
    def test_min_version_1_3_refuses_1_2(self):
        self.start_tls(tls={"min_version": "1.3"})
        self.assertEqual(self.tls_client().sock.version(), "TLSv1.3")
        with self.assertRaisesRegex(ssl.SSLError, "(?i)protocol.version"):
            self.tls_client(versions=[V12])
        self.wait_failure("protocol_version")

    def test_a_proxy_protocol_header_comes_ahead_of_tls(self):
        self.start_tls(listener={"proxy_protocol": True})
        context = self.context()
        sock = connect_tcp(("127.0.0.1", self.proxy.port))
        self.addCleanup(sock.close)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        machine = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
        with self.assertRaises(ssl.SSLWantReadError):
            machine.do_handshake()
        # Header and ClientHello in one segment.
        sock.sendall(b"PROXY TCP4 203.0.113.7 127.0.0.1 4711 443\r\n" + outgoing.read())
        done = False
        while not done:
            incoming.write(sock.recv(65536))
            try:
                machine.do_handshake()
                done = True
            except ssl.SSLWantReadError:
                pass
            sock.sendall(outgoing.read())
        machine.write(b"GET /behind HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                      b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        sock.sendall(outgoing.read())
        side = self.closing(self.app.next())
        self.assertEqual(side.request.get("X-Forwarded-For"), "203.0.113.7")
        self.assertEqual(side.request.get("X-Forwarded-Proto"), "https")

    def test_drain_closes_over_tls(self):
        self.start_tls()
        client, side = self.secure_pair()
        self.proxy.terminate()
        self.assertEqual(client.read_close()[0], 1001)
        client.send_close(1001)
        client.close()
        self.assertEqual(side.read_close()[0], 1001)
        side.send_close(1001)
        side.close()
        self.assertEqual(self.proxy.wait_exit(), 0)


if __name__ == "__main__":
    main()
