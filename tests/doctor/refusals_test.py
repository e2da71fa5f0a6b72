"""Wrong usage, and servers that cannot be examined: a clear line, the right exit code, and soon."""

import socket
import ssl
import threading
import time

import surroundings  # noqa: F401, first
from harness import free_port, main
from harness.app import accept_each

from doctor import DoctorTest, examine
from echo_server import EchoServer
from tls_faults import context_of

FEW_SECONDS = 5  # where half a second is the patience


class Talker:
    """Sends `data` to everybody who comes, then ends; `stays` holds the connection, `endless` repeats the data."""

    def __init__(self, data=b"", *, stays=False, endless=False, reads=True):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"ws://127.0.0.1:{self._listener.getsockname()[1]}/"
        self._data, self._stays, self._endless, self._reads, self._kept = data, stays, endless, reads, []
        threading.Thread(target=accept_each, args=(self._listener, self._serve), daemon=True).start()

    def _serve(self, sock):
        self._kept.append(sock)
        try:
            if self._reads:
                sock.recv(65536)
            sock.sendall(self._data)
            while self._endless:
                sock.sendall(self._data[-64:])
            if self._stays:
                while sock.recv(65536):
                    pass
        except OSError:
            pass
        sock.close()

    def stop(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._kept:
            sock.close()


class Usage(DoctorTest):
    def test_it_is_exit_code_2_and_says_what(self):
        url = "ws://127.0.0.1/"
        for args, word in ((("--json",), "URL"), ((url, "--only", "framing.pong_pong"), "framing.pong_pong"), ((url, "--only", ""), "only"),
                           ((url, "--timeout", "soon"), "timeout"), ((url, "--timeout", "0s"), "timeout"), ((url, "--timeout", "-1s"), "timeout"),
                           ((url, "--header", "no colon"), "header"), ((url, "--header", "X: a\r\nY: b"), "header"),
                           ((url, "--header", ": b"), "header"),
                           ((url, "--header", "sec-websocket-key: x"), "sec-websocket-key"), ((url, "--depth"), "depth"), ((url, "ws://127.0.0.2/"), "127.0.0.2")):
            with self.subTest(args=args):
                report = examine(*args)
                self.assertEqual((report.code, report.text), (2, ""), report.errors)
                self.assertIn(word, report.errors)

    def test_what_is_no_url_is_usage_too(self):
        for url in ("http://127.0.0.1/", "127.0.0.1", "ws://", "ws://127.0.0.1:99999/", "ws://127.0.0.1/#part", "ws:127.0.0.1", ""):
            with self.subTest(url):
                report = examine(url)
                self.assertEqual((report.code, report.text), (2, ""), report.errors)
                self.assertIn(f"{url} is no ws:// or wss:// URL", report.errors)

    def test_help(self):
        report = examine("--help")
        self.assertEqual((report.code, report.errors), (0, ""))
        for option in ("--deep", "--json", "--only", "--timeout", "--header"):
            self.assertIn(option, report.text)


class Unreachable(DoctorTest):
    def refuse(self, url, *args, names=""):
        """Exit code 1, one line on stderr with the address, and no more time than the patience asks for."""
        for json in ((), ("--json",)):
            begin = time.monotonic()
            report = examine(url, "--timeout", "500ms", *json, *args)
            took = time.monotonic() - begin
            self.assertEqual(report.code, 1, report.text + report.errors)
            self.assertEqual(report.errors.count("\n"), 1, report.errors)
            self.assertIn(names or url.partition("//")[2].rstrip("/"), report.errors)
            self.assertLess(took, FEW_SECONDS)
        return report

    def talk(self, *args, **how):
        talker = Talker(*args, **how)
        self.addCleanup(talker.stop)
        return talker

    def test_a_port_where_nobody_listens(self):
        report = self.refuse(f"ws://127.0.0.1:{free_port()}/")
        self.assertRegex(report.errors, "(?i)refused")
        self.refuse(f"wss://127.0.0.1:{free_port()}/")

    def test_a_host_that_is_nowhere(self):
        self.refuse("ws://nowhere.invalid/")

    def test_a_port_that_accepts_nothing(self):
        """A backlog that is full: the connection is never there."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=0)
        self.addCleanup(listener.close)
        for _ in range(3):
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex(listener.getsockname())
            self.addCleanup(sock.close)
        self.refuse(f"ws://127.0.0.1:{listener.getsockname()[1]}/")

    def test_a_server_that_says_nothing(self):
        self.refuse(self.talk(stays=True).url)

    def test_a_server_that_ends_at_once(self):
        self.refuse(self.talk(reads=False).url)
        self.refuse(self.talk().url)

    def test_garbage(self):
        for data in (b"\0\xff\xfe garbage\r\n\r\n", b"SSH-2.0-OpenSSH_9.2p1\r\n", b"\x15\x03\x01\x00\x02\x02\x50", b"HTTP/1.1 banana\r\n\r\n",
                     b"HTTP/1.1 101 Half a head\r\nUpgr", b"\r\n" * 40):
            with self.subTest(data):
                self.refuse(self.talk(data).url)
                self.refuse(self.talk(data, stays=True).url)

    def test_a_head_without_end(self):
        self.refuse(self.talk(b"HTTP/1.1 101 Switching\r\nX-Endless: " + b"x" * 64, endless=True).url)
        self.refuse(self.talk(b"HTTP/1.1 101 Switching\r\n" + b"X-Line: " + b"y" * 54 + b"\r\n", endless=True).url)

    def test_tls_where_there_is_none(self):
        server = self.serve()
        self.refuse(f"wss://127.0.0.1:{server.port}/")

    def test_no_tls_where_there_is(self):
        self.make_authorities()
        server = self.serve_tls()
        self.refuse(f"ws://127.0.0.1:{server.port}/")


class Picky(EchoServer):
    """Wants a certificate of its clients, and lets them read that (with TLS 1.3 they learn it behind the handshake)."""

    def _serve(self, sock):
        tls = self._context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        try:
            tls.do_handshake()
        except ssl.SSLError:
            self._leave(socket.socket(fileno=tls.detach()))
        tls.close()

    @staticmethod
    def _leave(sock):
        try:
            sock.shutdown(socket.SHUT_WR)
            sock.settimeout(5)
            while sock.recv(1 << 16):
                pass
        except OSError:
            pass
        sock.close()


class ClientCertificate(DoctorTest):
    def test_it_is_told_that_one_is_wanted(self):
        self.make_authorities()
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.subTest(version):
                context = context_of(self.ca, self.stranger)
                context.maximum_version = version
                context.verify_mode = ssl.CERT_REQUIRED
                server = Picky(context=context)
                self.addCleanup(server.stop)
                report = examine(server.url, "--timeout", "500ms", **self.trusting)
                self.assertEqual((report.code, report.text), (1, ""))
                # TLS 1.2 knows no alert for it (RFC 8446 section 6.2 does).
                wanted = "certificate required" if version == ssl.TLSVersion.TLSv1_3 else "handshake failure"
                self.assertIn(wanted, report.errors)


class PlainHttp(DoctorTest):
    """It answers, with no 101: that is a finding, handshake.accept, whether the rest is told or not."""

    def test_the_status_is_told(self):
        for status in ("200 OK", "404 Not Found", "301 Moved Permanently\r\nLocation: /ws"):
            with self.subTest(status):
                talker = Talker(f"HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi".encode())
                self.addCleanup(talker.stop)
                begin = time.monotonic()
                report = examine(talker.url, "--timeout", "500ms", "--json")
                self.assertLess(time.monotonic() - begin, FEW_SECONDS)
                self.assertEqual(report.code, 1)
                self.assertIn(status[:3], report.text + report.errors)


if __name__ == "__main__":
    main()
