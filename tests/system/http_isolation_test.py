"""Clients that leave or are answered too early: what is left of their requests reaches nobody else's connection."""

import os
import socket
import tempfile
import time

from harness import DEADLINE, Ended, HttpApp, HttpTest, SharedHttpTest, free_port, http_soak, main, wait_until
from harness.http_message import answer, lines, request

SOON = min(DEADLINE, 3)
SEED = int(os.environ.get("WSPROXY_TEST_SEED", "3"))


def half_a_post(length, body=b""):
    return lines("POST /attack HTTP/1.1", [("Host", "x"), ("Content-Length", str(length))]) + body


class Work:
    def let_work(self):
        """The one worker has done all that it could, and some more."""
        for _ in range(3):
            other = self.client().ask("/", host=None)
            self.assertEqual(other.read_answer().status, 400)
            other.close()


class LeftWhileConnecting(Work, HttpTest):
    """The app begins to listen only when the proxy knows what the client did meanwhile."""

    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.start(app_url=f"ws://127.0.0.1:{self.port}", wait="live")

    def said(self, raw):
        """A client that has said this and its last word."""
        client = self.client()
        client.send_bytes(raw)
        client.sock.shutdown(socket.SHUT_WR)
        self.let_work()
        return client

    def listen(self):
        self.app = HttpApp(("127.0.0.1", self.port))
        self.addCleanup(self.app.stop)

    def attack(self, length, body):
        attacker = self.said(lines("POST /attack HTTP/1.1", [("Host", "x"), length]) + body)
        self.listen()
        self.assertEqual(attacker.read_to_end(SOON), b"")
        victim = self.client().ask("/victim", fields=[("Cookie", "secret")])
        side = self.app.next(SOON)
        self.assertEqual((side.request.first_line, side.request.get("Cookie")), ("GET /victim HTTP/1.1", "secret"))
        side.answer(body=b"for the victim")
        self.assertEqual(victim.read_answer().data, b"for the victim")
        self.assertEqual(self.app.unread(), b"")

    def test_the_beginning_of_a_request_is_not_put_before_another_client_s(self):
        self.attack(("Content-Length", "500"), b"EVIL-BODY")

    def test_and_one_that_comes_in_chunks_is_not_either(self):
        self.attack(("Transfer-Encoding", "chunked"), b"1f4\r\nEVIL-BODY")

    def test_whole_requests_are_all_answered(self):
        client = self.said(request("/a") + request("/b", "POST", body=b"all of it") + request("/c"))
        self.listen()
        for path, body in (("/a", b""), ("/b", b"all of it"), ("/c", b"")):
            side = self.app.next(SOON)
            self.assertEqual((side.request.target, side.body().data), (path, body))
            side.answer(body=path.encode())
        for path in (b"/a", b"/b", b"/c"):
            self.assertEqual(client.read_answer(deadline=SOON).data, path)
        self.assertEqual(client.read_end(), "end of file")


class LeftUnread(Work, SharedHttpTest):
    """The app answers before it reads a body, of which the proxy has all and the app's socket has taken a part."""

    HIDDEN = request("/smuggled", host="admin")
    SIZES = range(100_000, 500_000, 16_000)  # from what a unix socket takes to more than the proxy reads ahead

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="wsproxy-")
        cls.addClassCleanup(folder.cleanup)
        cls.app_kind = lambda: HttpApp(os.path.join(folder.name, "app"))
        super().setUpClass()

    def each_size(self):
        """(the client, whose body has been answered but not read, the app's side of it, and the body)"""
        before = self.times_full()
        for size in self.SIZES:
            body = self.HIDDEN * (size // len(self.HIDDEN))
            client = self.client()
            client.send_bytes(half_a_post(len(body)))
            side = self.app.next(SOON)
            client.send_bytes(body)
            self.let_work()
            side.send_bytes(answer(body=b"enough"))
            self.assertEqual(client.read_answer(deadline=SOON).data, b"enough")
            yield client, side, body
            self.app.unread()
            self.app.forget_all()
        self.assertGreater(self.times_full(), before)

    def read_body(self, side, length):
        try:
            came = side.take(length, SOON)
            side.waits = True
        except Ended:
            came = bytes(side.buffer)
            self.app.forget(side)
        return came

    def times_full(self):
        return self.proxy.metrics().sum("wsproxy_backpressure_total", side="app")

    def test_another_client_s_request_does_not_come_inside_of_it(self):
        for _, side, body in self.each_size():
            victim = self.client().ask("/victim")
            came = self.read_body(side, len(body))
            self.assertTrue(body.startswith(came), f"of {len(body)} bytes {len(came)}, with others at the end: {came[-100:]}")
            side = self.app.next(SOON)  # behind the whole body, or on a connection of its own
            self.assertEqual(side.request.first_line, "GET /victim HTTP/1.1")
            side.answer(body=b"for the victim")
            self.assertEqual(victim.read_answer().data, b"for the victim")

    def test_its_rest_does_not_come_before_the_same_client_s_next_request(self):
        for client, _, _ in self.each_size():
            other = self.client().ask("/other")  # on the connection that has been used, if that is good for anything
            self.let_work()
            try:
                client.ask("/next")
                line = ""
                while line != "GET /next HTTP/1.1" and self.app.is_asked_before(client, SOON):
                    line = self.app.next(SOON).request.first_line
                    self.assertIn(line, ("GET /other HTTP/1.1", "GET /next HTTP/1.1"))
            except Ended:
                pass  # the client is hung up on, which is as good
            other.reset()
            client.reset()
            self.let_work()


class Soak(HttpTest):
    def test_many_who_behave_by_chance_get_what_is_theirs_and_leave_nothing_behind(self):
        faults = http_soak.Faults()
        self.start(http_soak.SoakApp(SEED, faults))
        address, until = ("127.0.0.1", self.proxy.port), time.monotonic() + 4
        clients = [http_soak.SoakClient(address, f"c{at}", SEED, until, faults) for at in range(12)]
        for client in clients:
            client.start()
        for client in clients:
            client.join(2 * DEADLINE)
        self.assertEqual(len(faults.list), 0, f"seed {SEED}:\n" + "\n".join(faults.list[:20]))
        self.assertGreater(sum(client.answered for client in clients), 100)
        wait_until(lambda: self.proxy.metrics().sum("wsproxy_connections_active") == 0, "all sessions to be gone")


if __name__ == "__main__":
    main()
