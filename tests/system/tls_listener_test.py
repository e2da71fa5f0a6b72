"""A wss:// listener: versions, ciphers, ALPN, resumption, and messages of every size through its records."""

import concurrent.futures
import re
import socket
import ssl
import subprocess

from harness import DEADLINE, Ended, connect_tcp, main
from harness.tls import SharedTlsTest, TlsTest

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


def s_client(port, *words, stdin=b""):
    """What `openssl s_client` says, and whether it got a connection."""
    result = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost", *words],
                            input=stdin, capture_output=True, timeout=6 * DEADLINE)
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

    def test_exactly_the_good_ciphers_of_tls_1_2_are_accepted(self):
        names = subprocess.run(["openssl", "ciphers", "-tls1_2", "-s", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"], capture_output=True,
                               text=True, check=True).stdout.strip().split(":")
        names = [name for name in names if not name.startswith(("TLS_", "PSK", "SRP", "RSA-PSK", "DHE-PSK", "ECDHE-PSK"))]
        self.assertGreater(len(names), 40)

        def is_accepted(name):
            said = s_client(self.proxy.port, "-tls1_2", "-cipher", f"{name}:@SECLEVEL=0")
            return f"Cipher is {name}" in said

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            accepted = {name for name, good in zip(names, pool.map(is_accepted, names)) if good}
        self.assertEqual(accepted, {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"})
        self.assertGreater(self.failures(reason="no_shared_cipher"), 0)

    def test_the_three_suites_of_tls_1_3_are_accepted_and_no_other(self):
        for suite in ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"):
            self.assertIn(f"Cipher is {suite}", s_client(self.proxy.port, "-tls1_3", "-ciphersuites", suite))
        for suite in ("TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256"):
            self.assertNotIn(f"Cipher is {suite}", s_client(self.proxy.port, "-tls1_3", "-ciphersuites", suite))

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

    def test_a_session_is_resumed_in_both_versions(self):
        for version in (V12, V13):
            context = self.context(versions=[version])
            first = self.tls_client(context=context).open()
            first.send("hello")  # the ticket of 1.3 comes with what is said after the handshake
            first.read_message()
            before = self.proxy.metrics().sum("wsproxy_tls_handshakes_total", resumed="true")
            again = self.tls_client(context=context, session=first.sock.session).open()
            self.assertTrue(again.sock.session_reused, version)
            self.proxy.wait_metric("wsproxy_tls_handshakes_total", before + 1, resumed="true")

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
        client = self.tls_client().open(extensions="permessage-deflate")
        self.assertIsNotNone(client.agreed)
        plain = self.tls_client().open()
        for size in (0, 1, 125, 126, 1368, 1369, 1370, 13690, 13691, 16383, 16384, 16385, 65536, 1 << 20, 5 << 20):
            sent = bytes(at * 7 % 251 for at in range(min(size, 4096))) * (size // 4096 + 1)
            sent = sent[:size]
            plain.send(sent)
            self.assertEqual(plain.read_message().data, sent, size)
            if size <= 65536:
                client.send(sent)
                self.assertEqual(client.read_message().data, sent, size)

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


class Settings(TlsTest):
    def test_min_version_1_3_refuses_1_2(self):
        self.start_tls(tls={"min_version": "1.3"})
        self.assertEqual(self.tls_client().sock.version(), "TLSv1.3")
        with self.assertRaisesRegex(ssl.SSLError, "(?i)protocol.version"):
            self.tls_client(versions=[V12])
        self.wait_failure("protocol_version")

    def test_ciphers_and_ciphersuites_are_what_is_spoken(self):
        self.start_tls(tls={"ciphers": "ECDHE-ECDSA-AES256-GCM-SHA384", "ciphersuites": "TLS_CHACHA20_POLY1305_SHA256"})
        self.assertEqual(self.tls_client(versions=[V12]).sock.cipher()[0], "ECDHE-ECDSA-AES256-GCM-SHA384")
        self.assertEqual(self.tls_client(versions=[V13]).sock.cipher()[0], "TLS_CHACHA20_POLY1305_SHA256")
        with self.assertRaises(ssl.SSLError):
            self.tls_client(versions=[V12], ciphers="ECDHE-ECDSA-AES128-GCM-SHA256")
        self.wait_failure("no_shared_cipher")

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
        self.assertEqual(side.read_close()[0], 1001)
        side.send_close(1001)
        side.close()
        self.assertEqual(self.proxy.wait_exit(), 0)


if __name__ == "__main__":
    main()
