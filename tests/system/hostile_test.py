"""Peers that break the rules: each rule has its close code, and nobody else notices (RFC 6455, RFC 7692)."""

import os
import struct
import zlib

from harness import Drain, Ended, ManualApp, SharedProxyTest, SystemTest, frames, main, wait_until
from harness.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, RSV1, RSV2, RSV3, TEXT, encode

MIB = 1 << 20


class Hostile(SharedProxyTest):
    def tearDown(self):
        # Whatever a test did, the process lives and serves the next client.
        self.assertTrue(self.proxy.running(), "the proxy died")
        client, app = self.pair()
        client.send("next one, please")
        self.assertEqual(app.read_message().text, "next one, please")
        super().tearDown()

    def assert_client_is_closed(self, code, data, *, offer=None):
        """The client sends these bytes and is closed with that code; the app never takes it for an orderly end."""
        client, app = self.pair(extensions=offer)
        try:
            client.send_bytes(data)
        except Ended:
            pass  # it was closed while it still sent
        self.assertEqual(client.read_close()[0], code)
        self.answer_close(client, code)
        self.assertNotIn(self.end_at(app), (1000, 1005), "the app was told that all is well")
        client.read_to_end()
        # Of lines that are alike the log has the first ones.
        self.proxy.wait_for_line(rf'"message":"protocol error","by":"client","reason":"[^"]+","code":{code}\b')

    def end_at(self, app):
        """The close code that the app got, and answered; 1006 when the connection just ended."""
        try:
            code, _ = app.read_close()
        except Ended:
            return 1006
        self.answer_close(app, code)
        app.close()
        return 1005 if code is None else code

    def answer_close(self, wire, code):
        try:
            wire.send_close(code)
        except Ended:
            pass  # the proxy may have hung up at once


class Frames(Hostile):
    settings = {"timeouts": {"close": "500ms"}}

    def test_protocol_errors_of_the_client_are_1002(self):
        def masked(opcode, payload=b"", **how):
            return encode(opcode, payload, masked=True, **how)

        start = masked(TEXT, b"a", fin=False)
        cases = {
            "5.1: an unmasked text frame": encode(TEXT, b"hello"),
            "5.1: an unmasked close frame": encode(CLOSE, struct.pack("!H", 1000)),
            "5.2: RSV1 without an extension": masked(TEXT, b"hello", rsv=RSV1),
            "5.2: RSV2": masked(TEXT, b"hello", rsv=RSV2),
            "5.2: RSV3": masked(TEXT, b"hello", rsv=RSV3),
            "5.2: RSV2 on a ping": masked(PING, rsv=RSV2),
            "5.2: a length under 126 in 16 bits": masked(TEXT, b"hello", length_form=16),
            "5.2: a length under 65536 in 64 bits": masked(BINARY, b"x" * 126, length_form=64),
            "5.2: a length with its top bit set": b"\x82\xff" + struct.pack("!Q", 1 << 63) + b"key!" + b"data",
            "5.4: a continuation of nothing": masked(CONTINUATION, b"a"),
            "5.4: a continuation after the end": start + masked(CONTINUATION) + masked(CONTINUATION),
            "5.4: a text frame inside a message": start + masked(TEXT, b"b"),
            "5.4: a binary frame inside a message": start + masked(BINARY, b"b", fin=False),
            "5.5: a ping of 126 bytes": masked(PING, b"x" * 126),
            "5.5: a close frame of 126 bytes": masked(CLOSE, struct.pack("!H", 1000) + b"x" * 124),
            "5.5: a fragmented ping": masked(PING, b"x", fin=False),
            "5.5: a fragmented close frame": masked(CLOSE, struct.pack("!H", 1000), fin=False),
            "5.5.1: a close payload of one byte": masked(CLOSE, b"\x03"),
        }
        cases |= {f"5.2: opcode {opcode}": masked(opcode, b"hello") for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)}
        cases |= {f"7.4: close code {code}": masked(CLOSE, struct.pack("!H", code))
                  for code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)}
        for what, data in cases.items():
            with self.subTest(what):
                self.assert_client_is_closed(1002, data)

    def test_rsv1_where_it_does_not_belong_is_1002_even_with_the_extension(self):
        squeezed = zlib.compress(b"hello")[2:-4]
        cases = {
            "7692 6.1: on a continuation": encode(TEXT, squeezed[:2], fin=False, rsv=RSV1, masked=True)
            + encode(CONTINUATION, squeezed[2:], rsv=RSV1, masked=True),
            "7692 6.1: on the continuation of a raw message": encode(TEXT, b"raw", fin=False, masked=True)
            + encode(CONTINUATION, squeezed, rsv=RSV1, masked=True),
            "7692 6.1: on a ping": encode(PING, b"x", rsv=RSV1, masked=True),
            "7692 6.1: on a pong": encode(PONG, b"x", rsv=RSV1, masked=True),
            "7692 6.1: on a close frame": encode(CLOSE, struct.pack("!H", 1000), rsv=RSV1, masked=True),
            "6455 5.2: RSV2 with it": encode(TEXT, squeezed, rsv=RSV1 | RSV2, masked=True),
        }
        for what, data in cases.items():
            with self.subTest(what):
                self.assert_client_is_closed(1002, data, offer="permessage-deflate")

    def test_a_length_that_will_never_come_is_refused_at_the_header(self):
        for length in (17 * MIB, 1 << 40, (1 << 63) - 1):
            with self.subTest(length=length):
                self.assert_client_is_closed(1009, b"\x82\xff" + struct.pack("!Q", length) + b"key!" + b"x" * 100)

    def test_what_follows_a_close_frame_is_not_passed_on(self):
        client, app = self.pair()
        client.send_bytes(client.frame_bytes(CLOSE, struct.pack("!H", 1000)) + client.frame_bytes(TEXT, b"too late"))
        self.assertEqual(app.read_close(), (1000, ""))
        app.send_close(1000)
        self.assertEqual([frame for frame in frames_in(app.read_to_end()) if not frame.is_control], [])


def frames_in(data):
    rest, found = bytearray(data), []
    while (frame := frames.take_frame(rest)) is not None:
        found.append(frame)
    return found


class Utf8(Hostile):
    BROKEN = {
        "a lone continuation": b"ok \x80 no",
        "an overlong slash": b"\xc0\xaf",
        "an overlong of four": b"\xf0\x80\x80\xaf",
        "a surrogate": b"\xed\xa0\x80",
        "over U+10FFFF": b"\xf4\x90\x80\x80",
        "cut short at the end": "größe".encode()[:3],
        "cut short before more": b"\xe2\x82x",
        "0xff": b"\xff",
    }

    def test_text_that_is_no_utf8_is_1007(self):
        for what, text in self.BROKEN.items():
            with self.subTest(what):
                self.assert_client_is_closed(1007, encode(TEXT, text, masked=True))

    def test_the_end_of_a_message_may_not_cut_a_character_even_if_a_fragment_may(self):
        self.assert_client_is_closed(1007, encode(TEXT, b"\xe2\x82", fin=False, masked=True) + encode(CONTINUATION, b"", masked=True))

    def test_compressed_text_that_is_no_utf8_is_1007(self):
        for what, text in self.BROKEN.items():
            with self.subTest(what):
                squeezed = deflated(text)
                self.assert_client_is_closed(1007, encode(TEXT, squeezed, rsv=RSV1, masked=True), offer="permessage-deflate")

    def test_the_same_bytes_as_binary_are_fine(self):
        client, app = self.deflated_pair()
        for data in self.BROKEN.values():
            client.send(data)
            self.assertEqual(app.read_message().data, data)

    def test_a_close_reason_that_is_no_utf8_is_1007(self):
        self.assert_client_is_closed(1007, encode(CLOSE, struct.pack("!H", 1000) + b"\xff\xfe", masked=True))


class Utf8PassedThrough(Hostile):
    """websocket.validate_utf8: false. Only what the proxy inflates, and close reasons, are its business then."""

    settings = {"websocket": {"validate_utf8": False}}

    def test_plain_text_that_is_no_utf8_passes_with_compression_agreed_or_not(self):
        for offer in (None, "permessage-deflate"):
            client, app = self.pair(extensions=offer)
            for what, text in Utf8.BROKEN.items():
                with self.subTest(what, offer=offer):
                    client.send_frame(TEXT, text)
                    got = app.read_message()
                    self.assertEqual((got.opcode, got.data), (TEXT, text))

    def test_compressed_text_that_is_no_utf8_is_1007(self):
        for what, text in Utf8.BROKEN.items():
            with self.subTest(what):
                squeezed = deflated(text)
                self.assert_client_is_closed(1007, encode(TEXT, squeezed, rsv=RSV1, masked=True), offer="permessage-deflate")

    def test_a_close_reason_that_is_no_utf8_is_1007(self):
        self.assert_client_is_closed(1007, encode(CLOSE, struct.pack("!H", 1000) + b"\xff\xfe", masked=True))


def deflated(data):
    stream = zlib.compressobj(6, zlib.DEFLATED, -12)
    return (stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH))[:-4]


class CorruptDeflate(Hostile):
    def test_what_does_not_inflate_is_1007(self):
        cases = {
            "block type 3": b"\x07\x00",
            "stored lengths that disagree": b"\x00\x05\x00\x05\x00hello",
            "a distance before the start": b"\x03\x02\x00",
            "random": b"\xff" * 100,
            "a dynamic block with too many codes": b"\xfd\xff\xff\xff",
            "the middle of a stream": deflated(os.urandom(50) * 20)[30:],
        }
        for what, payload in cases.items():
            with self.subTest(what):
                self.assert_client_is_closed(1007, encode(BINARY, payload, rsv=RSV1, masked=True), offer="permessage-deflate")

    def test_a_message_cut_short_inside_a_block_is_1007(self):
        whole = deflated(b"a message that is long enough to be cut")
        self.assert_client_is_closed(1007, encode(BINARY, whole[: len(whole) // 2], rsv=RSV1, masked=True), offer="permessage-deflate")


class CorruptCrowd(SystemTest):
    COUNT, INFLATER = 60, 40 << 10

    def test_who_sends_a_corrupt_stream_and_stays_keeps_no_inflater(self):
        self.start(timeouts={"close": "1m"}, workers=1)
        before = self.proxy.metrics().sum("wsproxy_compression_memory_bytes")
        wires = [self.deflated_pair() for _ in range(self.COUNT)]
        for client, _ in wires:
            client.send_frame(BINARY, b"\x07", rsv=RSV1)
        for client, _ in wires:
            self.assertEqual(client.read_close()[0], 1007)
        # All of them are still there: nobody has answered.
        self.assertEqual(self.proxy.metrics().sum("wsproxy_connections_active"), self.COUNT)
        kept = self.proxy.metrics().sum("wsproxy_compression_memory_bytes") - before
        self.assertLess(kept, 4 * self.INFLATER)


class MessageSize(Hostile):
    settings = {"limits": {"max_message_size": 1000}}
    OFFER = "permessage-deflate"

    def test_the_limit_passes_and_one_byte_more_is_1009(self):
        for data in (b"x" * 1000, os.urandom(1000)):
            for offer in (None, self.OFFER):
                with self.subTest(offer=offer):
                    client, app = self.pair(extensions=offer)
                    client.send(data)
                    self.assertEqual(app.read_message().data, data)
                    client.send(data + b"!")
                    self.assertEqual(client.read_close()[0], 1009)
                    client.close()
                    self.assertEqual([frame for frame in frames_in(app.read_to_end()) if frame.fin and not frame.is_control], [])

    def test_the_limit_is_of_the_message_not_of_its_fragments(self):
        for offer in (None, self.OFFER):
            with self.subTest(offer=offer):
                client, app = self.pair(extensions=offer)
                client.send_fragments(BINARY, [b"x" * 500, b"x" * 500])
                self.assertEqual(app.read_message().data, b"x" * 1000)
                client.send_fragments(BINARY, [b"x" * 500, b"x" * 500, b"x"])
                self.assertEqual(client.read_close()[0], 1009)

    def test_compressed_fragments_are_counted_after_inflating(self):
        client, app = self.deflated_pair()
        squeezed = client.compressor.compress(b"x" * 1000)
        client.send_fragments(BINARY, [squeezed[:3], squeezed[3:]], rsv=RSV1)
        self.assertEqual(app.read_message().data, b"x" * 1000)
        squeezed = client.compressor.compress(b"x" * 1001)
        client.send_fragments(BINARY, [squeezed[:3], squeezed[3:]], rsv=RSV1)
        self.assertEqual(client.read_close()[0], 1009)

    def test_many_messages_under_the_limit_are_no_large_message(self):
        client, app = self.deflated_pair()
        for _ in range(50):
            client.send(b"x" * 999)
            self.assertEqual(len(app.read_message().data), 999)

    def test_a_message_of_empty_fragments_ends_with_1009(self):
        client, _ = self.pair()
        empty = encode(CONTINUATION, b"", fin=False, masked=True)
        try:
            client.send_frame(BINARY, b"", fin=False)
            for _ in range(200):
                client.send_bytes(empty * 1000)
        except Ended:
            pass
        self.assertEqual(client.read_close()[0], 1009)


class Bomb(SystemTest):
    def squeezed_zeros(self, size):
        stream = zlib.compressobj(9, zlib.DEFLATED, -15)
        return b"".join([*(stream.compress(bytes(MIB)) for _ in range(size // MIB)), stream.flush(zlib.Z_SYNC_FLUSH)])[:-4]

    def test_a_bomb_is_1009_and_costs_no_memory(self):
        self.skip_when_sanitized()
        self.start(timeouts={"close": "500ms"})
        bomb = self.squeezed_zeros(200 * MIB)
        before = self.proxy.memory("VmRSS")
        for _ in range(4):
            client, app = self.deflated_pair("permessage-deflate")
            try:
                client.send_frame(BINARY, bomb, rsv=RSV1)
            except Ended:
                pass
            taken = Drain(app)
            self.assertEqual(client.read_close()[0], 1009)
            self.assertLess(taken.at_end(), 17 * MIB)
        self.assertLess(self.proxy.memory("VmHWM") - before, 24 * MIB)

    def test_without_a_limit_a_huge_message_streams_through_in_bounded_memory(self):
        self.skip_when_sanitized()
        self.start(limits={"max_message_size": 0})
        client, app = self.deflated_pair("permessage-deflate")
        squeezed = self.squeezed_zeros(256 * MIB)
        before = self.proxy.memory("VmRSS")
        taken = Drain(app)
        client.send_frame(BINARY, squeezed, rsv=RSV1)
        wait_until(lambda: taken.size >= 256 * MIB, "the message to arrive", 20)
        self.assertLess(self.proxy.memory("VmHWM") - before, 16 * MIB)
        client.send(b"and on")
        wait_until(lambda: taken.tail.endswith(b"and on"), "the next message")


class HostileApp(SharedProxyTest):
    """An app that breaks the rules gets its client an honest close and never a broken message."""

    def assert_client_is_told(self, data, *, offer="permessage-deflate"):
        client, app = self.pair(extensions=offer)
        app.send_bytes(data)
        self.assertEqual(client.read_close()[0], 1011)
        self.assertEqual(app.read_close()[0], 1002)
        client.close()
        app.read_to_end()
        self.proxy.wait_for_line(r'"message":"protocol error","by":"app","reason":"[^"]+","code":1002\b')

    def test_what_the_app_may_not_send_ends_the_connection(self):
        cases = {
            "a masked frame": encode(TEXT, b"hello", masked=True),
            "compressed though nothing was agreed": encode(TEXT, deflated(b"hello"), rsv=RSV1),
            "an unknown opcode": encode(5, b"hello"),
            "a continuation of nothing": encode(CONTINUATION, b"hello"),
            "a close code that is none": encode(CLOSE, struct.pack("!H", 1005)),
            "a ping too long": encode(PING, b"x" * 126),
        }
        for what, data in cases.items():
            with self.subTest(what):
                self.assert_client_is_told(data)


class Junk(SystemTest):
    def test_random_bytes_at_any_time_leave_the_process_alone(self):
        app = ManualApp()
        self.start(app)
        for at in range(60):
            client = self.closing(self.proxy.client())
            if at % 3:
                client.ask(extensions="permessage-deflate" if at % 2 else None)
                self.closing(app.next()).accept()
                client.read_answer()
            try:
                client.send_bytes(os.urandom(3000))
                if at % 3:
                    client.close()
                else:
                    client.read_answer()
            except (Ended, AssertionError):
                pass
        self.assertTrue(self.proxy.running())


if __name__ == "__main__":
    main()
