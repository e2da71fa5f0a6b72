"""What goes through wss:// apps: requests, large messages, ends; and the PROXY header that goes ahead of TLS."""

import re
import subprocess

from harness import DEADLINE, HttpClient, ManualApp, free_port, main
from harness.tls import TlsEchoApp, TlsManualApp, TlsNamedApp, TlsTest, in_background


class Carried(TlsTest):
    def test_plain_requests_with_bodies_both_ways(self):
        self.start_in_front(TlsNamedApp(self.certificate, name="app"), wait="ready")
        client = self.closing(HttpClient(("127.0.0.1", self.proxy.port)))
        for at in range(5):
            answer = client.ask(f"/plain/{at}").read_answer()
            self.assertEqual((answer.status, answer.data, answer.head.get("X-App")), (200, f"/plain/{at}".encode(), "app"))
        self.assertEqual(len(self.app.certificates), 1, "one connection for all")
        self.assertEqual(self.app.requests[-1].get("X-Forwarded-Proto"), "http")

    def test_a_slow_app_loses_nothing(self):
        self.start_in_front(TlsManualApp(self.certificate, receive_buffer=65536), limits={"write_buffer": "128KiB"})
        client, side = self.pair()
        sent = [bytes([at % 251]) * (80_000 + at) for at in range(100)]
        sender = in_background(lambda: [client.send(one) for one in sent])
        self.proxy.wait_metric("wsproxy_backpressure_total", 1)
        for one in sent:
            self.assertEqual(side.read_message().data, one)
        sender.join(DEADLINE)
        self.assertFalse(sender.is_alive())

    def test_an_app_that_dies_in_mid_message(self):
        for how in ("reset", "close"):
            with self.subTest(how):
                self.start_in_front(TlsManualApp(self.certificate))
                client, side = self.pair()
                side.send_bytes(side.frame_bytes(2, b"x" * 1000)[:500])
                getattr(side, how)()
                self.assertEqual(client.read_close()[0], 1011)

    def test_the_end_of_an_orderly_close_has_its_close_notify(self):
        self.start_in_front(TlsManualApp(self.certificate))
        client, side = self.pair()
        client.send_close(1000)
        self.assertEqual(side.read_close()[0], 1000)
        side.send_close(1000)
        self.closing(side.sock.unwrap())  # SSLEOFError if there is none


class Ahead(TlsTest):
    """PROXY protocol headers are plain text before TLS, on both sides."""

    def test_the_app_gets_a_header_ahead_of_tls(self):
        heads = []

        def read_line(sock):
            line = b""
            while not line.endswith(b"\r\n") and (byte := sock.recv(1)):
                line += byte
            heads.append(line)
        self.start_in_front(TlsEchoApp(self.certificate, ahead=read_line), upstream={"proxy_protocol": "v1"})
        client = self.closing(self.proxy.client(source="127.0.0.9")).open()
        client.send("hello")
        self.assertEqual(client.read_message().text, "hello")
        wanted = f"PROXY TCP4 127.0.0.9 127.0.0.1 {client.sock.getsockname()[1]} {self.proxy.port}\r\n".encode()
        self.assertEqual([head for head in heads if head], [wanted])


class OpensslApp(TlsTest):
    """`openssl s_server` as the app: it answers a GET with a page about the connection."""

    def s_server(self, *words):
        port = free_port()
        process = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", self.certificate.crt, "-key",
                                    self.certificate.key, "-www", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        while b"ACCEPT" not in (line := process.stdout.readline()):
            assert line, "s_server ended"
        return port

    def page(self, port):
        self.start(ManualApp(), app_url=f"wss://127.0.0.1:{port}", wait="live", upstream={"tls": {"ca": self.ca.crt, "server_name": "localhost"}})
        answer = self.closing(HttpClient(("127.0.0.1", self.proxy.port))).ask("/").read_answer()
        self.assertEqual(answer.status, 200)
        return answer.data.decode()

    def test_it_is_spoken_to_in_the_best_version_and_a_modern_cipher(self):
        page = self.page(self.s_server())
        self.assertRegex(page, r"Protocol\s*: TLSv1\.3|TLSv1\.3, Cipher is TLS_")

    def test_version_1_2_and_what_of_it_the_proxy_offers(self):
        page = self.page(self.s_server("-tls1_2", "-cipher", "ALL:@SECLEVEL=0"))
        self.assertRegex(page, r"TLSv1\.2")
        shared = re.search(r"Shared ciphers\s*:\s*(\S+)|Ciphers common between both SSL end points:\s*([\s\S]+?)\n(?:Signature|---)", page)
        offered = re.split(r"[\s:]+", (shared[1] or shared[2]).strip())
        self.assertGreater(len(offered), 1)
        self.assertEqual([name for name in offered if not name.startswith(("ECDHE-", "TLS_"))], [])


if __name__ == "__main__":
    main()
