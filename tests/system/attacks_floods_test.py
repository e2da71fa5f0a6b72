"""Floods of what a client may send but nobody wants: memory stays where it was, the limit that is there ends it by its code, and
a bystander on the same worker is answered meanwhile."""

import os
import struct
import threading
import zlib

from harness import SANITIZED, Ended, SharedProxyTest, main, wait_until
from harness.bystander import bystander
from harness.frames import BINARY, CLOSE, CONTINUATION, RSV1, encode, take_frame

MIB = 1 << 20
OFFER = "permessage-deflate"
ANSWERS = 20  # that the bystander gets while a flood lasts: far fewer than it does on a busy machine
GROWTH = 8 * MIB
LIMIT = MIB


def masked(opcode, payload=b"", **how):
    return encode(opcode, payload, masked=True, **how)


def deflated(data):
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH))[:-4]


class Swallow:
    """Reads one side to its end on a thread of its own; takes no frame apart, so that it is faster than who sends."""

    def __init__(self, wire):
        self._sock, self.size, self.head = wire.sock, len(wire.buffer), bytes(wire.buffer)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        try:
            while data := self._sock.recv(1 << 18):
                self.size += len(data)
                self.head += data[: 1000 - len(self.head)] if len(self.head) < 1000 else b""
        except OSError:
            pass


class Floods(SharedProxyTest):
    settings = {"workers": 1, "limits": {"max_message_size": LIMIT}, "timeouts": {"close": "500ms"}}

    def setUp(self):
        super().setUp()
        client, app = self.pair(extensions=OFFER)  # what a worker takes once it has then
        client.send("x" * 1000)
        app.read_message()
        client.close()

    def neighbour(self):
        """A client whose messages come back."""
        client, app = self.pair("/neighbour")

        def echo():
            try:
                while True:
                    app.send(app.read_message().text)
            except (Ended, OSError, AssertionError):
                pass

        threading.Thread(target=echo, daemon=True).start()
        return client

    def flood(self, first, again, size, *, offer=None):
        """A client says `first`, and then `again` until so many bytes have gone or it was ended; it, and its app's side."""
        client, app = self.pair(extensions=offer)
        swallowed, before, most = Swallow(app), self.proxy.own_memory(), 0
        with bystander(self.neighbour()) as other:
            turns, sent = other.turns, 0
            try:
                client.send_bytes(first)
                while sent < size:
                    client.send_bytes(again)
                    sent += len(again)
                    most = max(most, self.proxy.own_memory())
            except Ended:
                pass
            wait_until(lambda: other.turns >= turns + ANSWERS or other.problem, "the bystander to be answered")
        self.assert_no_growth(before, most)
        return client, swallowed

    def assert_no_growth(self, before, most):
        if not SANITIZED:
            self.assertLess(most - before, GROWTH)

    def closes(self, code):
        return self.proxy.metrics().sum("wsproxy_closes_total", side="client", code=str(code))

    def test_messages_of_a_byte(self):
        self.flood(b"", masked(BINARY, b"x") * 8192, 4 * MIB)

    def test_compressed_messages_each_with_tables_of_its_own(self):
        messages = [masked(BINARY, deflated(os.urandom(300).hex().encode()), rsv=RSV1) for _ in range(200)]
        self.flood(b"", b"".join(messages), 4 * MIB, offer=OFFER)

    def test_a_message_of_tiny_fragments_ends_with_1009_at_the_limit(self):
        before = self.closes(1009)
        client, swallowed = self.flood(masked(BINARY, b"x", fin=False), masked(CONTINUATION, b"x", fin=False) * 8192, 12 * MIB)
        self.assertEqual(client.read_close()[0], 1009)
        self.assertLess(swallowed.size, 8 * LIMIT)
        self.proxy.wait_metric("wsproxy_closes_total", before + 1, side="client", code="1009")

    def test_blocks_of_nothing_are_nothing_for_the_app(self):
        # RFC 7692 section 7.2.2: a stored block may be empty, and a message may be any number of blocks.
        nothing = b"\x00\x00\x00\xff\xff" * 13_000
        client, swallowed = self.flood(masked(BINARY, nothing, fin=False, rsv=RSV1), masked(CONTINUATION, nothing, fin=False),
                                       8 * MIB, offer=OFFER)
        client.send_frame(CONTINUATION, b"\x00")
        wait_until(lambda: swallowed.size > 0, "the empty message to arrive")
        frame = take_frame(bytearray(swallowed.head))
        self.assertEqual((frame.opcode, frame.fin, frame.payload, swallowed.size), (BINARY, True, b"", 6))

    def test_only_the_first_of_many_close_frames_counts(self):
        close = masked(CLOSE, struct.pack("!H", 1000))
        client, swallowed = self.flood(close, close * 8192, 4 * MIB)
        wait_until(lambda: swallowed.size > 0, "the close frame to arrive")
        client.close()
        self.proxy.wait_metric("wsproxy_closes_total", 1, side="client", code="1000")
        self.assertEqual(swallowed.size, 8)

    def test_a_bomb_in_fragments_with_empty_ones_between_is_1009_each_time(self):
        whole = deflated(bytes(64 * MIB))
        pieces = [whole[at : at + 500] for at in range(0, len(whole), 500)]
        bomb = b"".join(masked(CONTINUATION if at else BINARY, piece, fin=False, rsv=0 if at else RSV1) +
                        masked(CONTINUATION, fin=False) for at, piece in enumerate(pieces))
        before, at_1009, most = self.proxy.own_memory(), self.closes(1009), 0
        with bystander(self.neighbour()) as other:
            turns = other.turns
            for _ in range(10):
                client, app = self.pair(extensions=OFFER)
                swallowed = Swallow(app)
                try:
                    client.send_bytes(bomb)
                except Ended:
                    pass
                self.assertEqual(client.read_close()[0], 1009)
                most = max(most, self.proxy.own_memory())
                client.close()
                self.assertLess(swallowed.size, 2 * LIMIT)
            wait_until(lambda: other.turns >= turns + ANSWERS or other.problem, "the bystander to be answered")
        self.assert_no_growth(before, most)
        self.proxy.wait_metric("wsproxy_closes_total", at_1009 + 10, side="client", code="1009")


if __name__ == "__main__":
    main()
