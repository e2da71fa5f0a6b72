"""Bodies larger than memory, and sides that do not read: what is held back is bounded (DESIGN section 4)."""

import contextlib
import os
import threading
import time

from harness import DEADLINE, Ended, HttpApp, HttpTest, main
from harness.http_message import lines, request

MIB = 1 << 20
BIG = 200 * MIB
PIECE = os.urandom(1 * MIB)


@contextlib.contextmanager
def beside(work, *args):
    """`work` on a thread of its own; what it failed with fails the test."""
    failed = []

    def run():
        try:
            work(*args)
        except BaseException as error:
            failed.append(error)
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield
    thread.join(6 * DEADLINE)
    assert not thread.is_alive(), "it did not come to its end"
    if failed:
        raise failed[0]


def send_big(wire, size, chunked):
    """That many bytes, and the end of a chunked body."""
    piece = b"%x\r\n" % MIB + PIECE + b"\r\n" if chunked else PIECE
    for _ in range(size // MIB):
        wire.send_bytes(piece)
    if chunked:
        wire.send_bytes(b"0\r\n\r\n")


def wire_size(size, chunked):
    return size + (size // MIB * len(b"%x\r\n\r\n" % MIB) + 5 if chunked else 0)


def receive_big(wire, size):
    """Reads that many bytes and keeps none of them but the last ones."""
    left, tail = size - len(wire.buffer), bytes(wire.buffer[-10:])
    wire.buffer.clear()
    while left > 0:
        data = wire.sock.recv(min(left, MIB))
        if not data:
            raise Ended(f"with {left} bytes to come")
        left -= len(data)
        tail = (tail + data)[-10:]
    return tail


class Big(HttpTest):
    GROWTH = 8 * MIB

    def setUp(self):
        super().setUp()
        self.skip_when_sanitized()

    def head(self, first, chunked):
        return lines(first, [("Host", "x"), ("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(BIG))])

    def test_requests_and_answers_of_200_mb_stream_through_bounded_memory(self):
        self.start()
        self.assert_serves()
        before = self.proxy.memory()
        for chunked in (False, True):
            client = self.client()
            with self.subTest("request", chunked=chunked):
                client.send_bytes(self.head("PUT /big HTTP/1.1", chunked))
                side = self.app.next()
                with beside(send_big, client, BIG, chunked):
                    tail = receive_big(side, wire_size(BIG, chunked))
                self.assertTrue(tail.endswith(b"\r\n0\r\n\r\n" if chunked else PIECE[-10:]), tail)
                side.answer(body=b"got it")
                self.assertEqual(client.read_answer().data, b"got it")
            with self.subTest("answer", chunked=chunked):
                client.ask("/big")
                side = self.app.next()
                side.send_bytes(self.head("HTTP/1.1 200 OK", chunked))
                with beside(send_big, side, BIG, chunked):
                    client.read_head()
                    tail = receive_big(client, wire_size(BIG, chunked))
                side.waits = True
                self.assertTrue(tail.endswith(b"\r\n0\r\n\r\n" if chunked else PIECE[-10:]), tail)
                self.assert_serves(client)
        self.assertLess(self.proxy.memory("VmHWM") - before, self.GROWTH)

    def test_a_request_and_its_answer_stream_at_the_same_time(self):
        self.start()
        self.assert_serves()
        before, size = self.proxy.memory(), 64 * MIB
        client = self.client()
        client.send_bytes(lines("POST /echo HTTP/1.1", [("Host", "x"), ("Content-Length", str(size))]))
        side = self.app.next()
        side.send_bytes(lines("HTTP/1.1 200 OK", [("Content-Length", str(size))]))
        client.read_head()

        def echo():
            left = size
            while left:
                data = side.sock.recv(65536)
                assert data
                side.send_bytes(data)
                left -= len(data)
        with beside(echo), beside(send_big, client, size, False):
            self.assertEqual(receive_big(client, size), PIECE[-10:])
        self.assertLess(self.proxy.memory("VmHWM") - before, self.GROWTH)


class Backpressure(HttpTest):
    SMALL = 64 * 1024  # socket buffers of ours
    QUIET = 0.4  # seconds in which nothing goes: the sender is held back
    ALL = 64 * MIB
    HELD = 24 * MIB  # what sockets and proxy may take: the kernel's buffers grow to 6 MiB each

    def fill(self, wire):
        """Sends until nothing goes any more: how much went."""
        sent = 0
        wire.sock.settimeout(self.QUIET)
        try:
            while sent < self.ALL:
                sent += wire.sock.send(PIECE[: 256 * 1024])
        except TimeoutError:
            pass
        wire.sock.settimeout(DEADLINE)
        return sent

    def finish(self, sender, sent, receiver):
        def rest():
            left = self.ALL - sent
            while left:
                piece = PIECE[: min(left, 256 * 1024)]
                sender.send_bytes(piece)
                left -= len(piece)
        with beside(rest):
            receive_big(receiver, self.ALL)

    def held(self, side, before):
        self.assertLess(self.proxy.memory() - before, 8 * MIB)
        self.assertGreaterEqual(self.proxy.metrics().sum("wsproxy_backpressure_total", side=side), 1)
        self.assert_serves()  # somebody else

    def setUp(self):
        super().setUp()
        self.skip_when_sanitized()

    def test_a_client_that_does_not_read_holds_the_app_back(self):
        self.start()
        self.assert_serves()
        before = self.proxy.memory()
        client = self.client(receive_buffer=self.SMALL).ask("/much")
        side = self.app.next()
        side.send_bytes(lines("HTTP/1.1 200 OK", [("Content-Length", str(self.ALL))]))
        sent = self.fill(side)
        self.assertLess(sent, self.HELD)
        self.held("client", before)
        client.read_head()
        self.finish(side, sent, client)
        side.waits = True
        self.assert_serves(client)

    def test_an_app_that_does_not_read_holds_the_client_back(self):
        self.start(HttpApp(receive_buffer=self.SMALL))
        self.assert_serves()
        before = self.proxy.memory()
        client = self.client()
        client.send_bytes(lines("PUT /much HTTP/1.1", [("Host", "x"), ("Content-Length", str(self.ALL))]))
        side = self.app.next()
        sent = self.fill(client)
        self.assertLess(sent, self.HELD)
        self.held("app", before)
        self.finish(client, sent, side)
        side.answer(body=b"")
        self.assertEqual(client.read_answer().status, 200)

    def test_a_client_that_takes_nothing_for_client_timeout_is_let_go_and_the_app_is_free(self):
        self.start(http={"client_timeout": "300ms"})
        client = self.client(receive_buffer=self.SMALL).ask("/much")
        side = self.app.next()
        side.send_bytes(lines("HTTP/1.1 200 OK", []))
        with self.assertRaises(Ended):
            while True:
                side.send_bytes(PIECE)
        self.assertRaises(Ended, receive_big, client, 1 << 40)

    def test_an_app_that_takes_nothing_for_response_timeout_is_504(self):
        self.start(HttpApp(receive_buffer=self.SMALL), http={"response_timeout": "300ms"})
        client = self.client()
        client.send_bytes(lines("PUT /much HTTP/1.1", [("Host", "x"), ("Content-Length", str(1 << 40))]))
        self.app.next()
        begin = time.monotonic()
        try:
            while True:
                client.send_bytes(PIECE)
        except Ended:
            pass
        self.assertLess(time.monotonic() - begin, DEADLINE / 2)
        self.assertRegex(client.read_to_end(), rb"\A(HTTP/1.1 504 (?s:.*))?\Z")  # the reset of what was sent since may lose it


if __name__ == "__main__":
    main()
