"""What goes in on one side comes out on the other: messages, fragments, pings (DESIGN section 4)."""

import os
import random
import threading

from harness import SharedProxyTest, frames, http_head, main
from harness.deflate import BlockWriter, FastInflater

SIZES = (0, 1, 31, 32, 125, 126, 127, 65535, 65536, 65537, 1 << 20)


def text_of(size, seed=0):
    words = ["order", "price", "größe", "日本", "🙂", '{"type":"chat","id":']
    chosen = " ".join(random.Random(seed).choices(words, k=size // 4 + 1)).encode()[:size]
    # a cut may fall into a character: what is left of it makes room for plain letters
    whole = chosen.decode(errors="ignore").encode()
    return (whole + b"x" * (size - len(whole))).decode()


class Relay(SharedProxyTest):
    def test_text_of_every_size_reaches_the_app_unchanged_from_a_client_without_compression(self):
        client, app = self.pair()
        for size in SIZES:
            with self.subTest(size=size):
                client.send(text_of(size))
                got = app.read_message()
                self.assertEqual((got.opcode, got.text), (frames.TEXT, text_of(size)))

    def test_binary_of_every_size_reaches_the_app_unchanged_from_a_client_without_compression(self):
        client, app = self.pair()
        for size in SIZES:
            with self.subTest(size=size):
                sent = os.urandom(size)
                client.send(sent)
                got = app.read_message()
                self.assertEqual((got.opcode, got.data), (frames.BINARY, sent))

    def test_messages_of_every_size_reach_the_app_inflated(self):
        client, app = self.deflated_pair()
        for size in SIZES:
            for sent in (text_of(size), os.urandom(size)):
                with self.subTest(size=size, kind=type(sent).__name__):
                    client.send(sent)
                    got = app.read_message()
                    self.assertEqual(got.data, sent.encode() if isinstance(sent, str) else sent)

    def test_messages_of_every_size_reach_a_client_with_compression(self):
        client, app = self.deflated_pair()
        client.inflater = FastInflater(client.agreed.server_bits)
        for size in SIZES:
            for sent in (text_of(size), os.urandom(size)):
                with self.subTest(size=size, kind=type(sent).__name__):
                    app.send(sent)
                    got = client.read_message()
                    self.assertEqual(got.data, sent.encode() if isinstance(sent, str) else sent)

    def test_messages_of_every_size_reach_a_client_without_compression(self):
        client, app = self.pair()
        for size in SIZES:
            with self.subTest(size=size):
                app.send(text_of(size))
                got = client.read_message()
                self.assertEqual((got.opcode, got.text, got.compressed), (frames.TEXT, text_of(size), False))

    def test_repeated_text_shrinks_on_the_client_s_wire_and_keeps_shrinking_with_takeover(self):
        client, app = self.deflated_pair()
        sizes = []
        for _ in range(3):
            app.send(text_of(400, seed=7))
            got = client.read_message()
            self.assertEqual(got.text, text_of(400, seed=7))
            self.assertTrue(got.compressed)
            sizes.append(got.wire_size)
        self.assertLess(sizes[0], 300)
        self.assertLess(sizes[1], sizes[0] * 0.75, "the second refers to the first")
        self.assertLess(sizes[2], sizes[0] * 0.75)

    def test_the_history_reaches_over_many_messages_both_ways(self):
        client, app = self.deflated_pair()
        for at in range(500):
            sent = f'{{"type":"chat","id":{at},"text":"{text_of(150, seed=at % 17)}"}}'
            client.send(sent)
            self.assertEqual(app.read_message().text, sent)
            app.send(sent)
            self.assertEqual(client.read_message().text, sent)

    def test_the_client_never_gets_a_masked_frame_and_the_app_gets_a_fresh_key_each_time(self):
        client, app = self.pair()
        keys = []
        for _ in range(20):
            client.send("same text")
            keys += [part.key for part in app.read_message().parts]
            app.send("same text")
            self.assertTrue(all(part.key is None for part in client.read_message().parts))
        self.assertGreater(len(set(keys)), 15)

    def test_a_thousand_messages_in_one_write_all_arrive_in_order(self):
        client, app = self.deflated_pair()
        client.send_bytes(b"".join(client.message_bytes(f"up {at}") for at in range(1000)))
        for at in range(1000):
            self.assertEqual(app.read_message().text, f"up {at}")
        app.send_bytes(b"".join(app.message_bytes(f"down {at}, and some more text") for at in range(1000)))
        for at in range(1000):
            self.assertEqual(client.read_message().text, f"down {at}, and some more text")

    def test_a_conversation_arriving_byte_by_byte_is_the_same_conversation(self):
        client, app = self.deflated_pair()
        for byte in client.message_bytes("byte by byte " * 10):
            client.send_bytes(bytes([byte]))
        self.assertEqual(app.read_message().text, "byte by byte " * 10)
        for byte in app.message_bytes("and back " * 20):
            app.send_bytes(bytes([byte]))
        self.assertEqual(client.read_message().text, "and back " * 20)

    def test_a_compressed_message_of_64_KiB_reaches_the_app_as_one_frame(self):
        client, app = self.deflated_pair()
        for size in (65535, 65536):
            for data in (text_of(size), os.urandom(size)):
                with self.subTest(size=size, kind=type(data).__name__):
                    client.send(data)
                    self.assertEqual([len(part.payload) for part in app.read_message().parts], [size])

    def test_a_message_of_64_KiB_reaches_a_client_with_compression_as_one_frame(self):
        client, app = self.deflated_pair()
        client.inflater = FastInflater(client.agreed.server_bits)
        for size in (65535, 65536):
            with self.subTest(size=size):
                app.send(text_of(size))
                got = client.read_message()
                self.assertEqual((len(got.parts), got.text), (1, text_of(size)))

    def test_bytes_right_behind_the_handshake_are_the_first_message(self):
        client = self.closing(self.proxy.client())
        client.send_bytes(http_head.request("/early") + client.message_bytes("already here"))
        app = self.closing(self.app.next())
        app.send_bytes(http_head.answer_101(app.request.get("Sec-WebSocket-Key")) + app.message_bytes("me too"))
        self.assertEqual(client.read_answer().status, 101)
        self.assertEqual(client.read_message().text, "me too")
        self.assertEqual(app.read_message().text, "already here")

    def test_all_that_comes_before_the_101_arrives_in_order(self):
        for size in (0, 60_000, 65_500, 65_536, 200_000):
            with self.subTest(size=size):
                client = self.closing(self.proxy.client())
                messages = [os.urandom(size), *(f"message {at}" for at in range(20))]
                early = b"".join(map(client.message_bytes, messages))
                client.send_bytes(http_head.request() + early[:-100])
                app = self.closing(self.app.next())
                client.send_bytes(early[-100:])
                app.accept()
                self.assertEqual(client.read_answer().status, 101)
                for message in messages:
                    self.assertEqual(app.read_message().data, message.encode() if isinstance(message, str) else message)
                app.send("and back")
                self.assertEqual(client.read_message().text, "and back")


class Fragments(SharedProxyTest):
    PARTS = [b"first ", b"", b"second ", "größe ".encode()[:3], "größe ".encode()[3:], b"last"]

    def test_plain_fragments_of_the_client_make_one_message_at_the_app(self):
        client, app = self.pair()
        client.send_fragments(frames.TEXT, self.PARTS)
        got = app.read_message()
        self.assertEqual((got.opcode, got.data), (frames.TEXT, b"".join(self.PARTS)))

    def test_compressed_fragments_of_the_client_make_one_message_at_the_app(self):
        client, app = self.deflated_pair()
        for _ in range(3):
            squeezed = client.compressor.compress(b"".join(self.PARTS) * 20)
            client.send_fragments(frames.TEXT, [squeezed[:1], b"", squeezed[1:7], squeezed[7:]], rsv=frames.RSV1)
            self.assertEqual(app.read_message().data, b"".join(self.PARTS) * 20)

    def test_fragments_of_the_app_make_one_message_at_the_client(self):
        for offer in (None, "permessage-deflate"):
            with self.subTest(offer=offer):
                client, app = self.pair(extensions=offer)
                app.send_fragments(frames.BINARY, self.PARTS * 50)
                got = client.read_message()
                self.assertEqual((got.opcode, got.data), (frames.BINARY, b"".join(self.PARTS * 50)))

    def test_a_ping_between_fragments_reaches_the_app_s_side_of_them_whole(self):
        client, app = self.deflated_pair()
        squeezed = client.compressor.compress(b"around a ping " * 30)
        client.send_frame(frames.TEXT, squeezed[:5], fin=False, rsv=frames.RSV1)
        client.send_frame(frames.PING, b"between")
        pong = self.pong_for(client, app)
        self.assertEqual(pong.payload, b"between")
        client.send_frame(frames.CONTINUATION, squeezed[5:])
        self.assertEqual(app.read_message().data, b"around a ping " * 30)

    def test_a_ping_of_the_app_between_its_fragments_overtakes_them_and_harms_no_compression(self):
        client, app = self.deflated_pair()
        for at in range(3):
            app.send_frame(frames.TEXT, b"the first half, ", fin=False)
            app.send_frame(frames.PING, b"%d" % at)
            client.answers_pings = False
            self.assertEqual(client.read_control(frames.PING).payload, b"%d" % at)
            app.send_frame(frames.CONTINUATION, b"the second half")
            self.assertEqual(client.read_message().text, "the first half, the second half")

    def test_a_first_part_of_a_streamed_message_does_not_wait_for_the_last(self):
        client, app = self.pair()
        app.send_frame(frames.BINARY, b"a" * 200_000, fin=False)
        first = client.read_frame()
        self.assertFalse(first.fin)
        app.send_frame(frames.CONTINUATION, b"z")
        rest = [first]
        while not rest[-1].fin:
            rest.append(client.read_frame())
        self.assertEqual(b"".join(part.payload for part in rest), b"a" * 200_000 + b"z")

    def pong_for(self, client, app):
        """Whoever answers pings, the app by hand or the proxy by itself, the client gets its pong."""
        answering = threading.Thread(target=lambda: app.read_control(frames.PING, deadline=1), daemon=True)
        answering.start()
        pong = client.read_control(frames.PONG)
        answering.join()
        return pong


class Pings(SharedProxyTest):
    def test_the_client_s_ping_is_answered_with_its_payload(self):
        client, app = self.pair()
        for payload in (b"", b"x", b"p" * 125):
            with self.subTest(size=len(payload)):
                client.send_frame(frames.PING, payload)
                client.send("behind it")
                self.assertEqual(app.read_message().text, "behind it")
                self.assertEqual(client.read_control(frames.PONG).payload, payload)

    def test_the_app_s_ping_is_answered_with_its_payload(self):
        client, app = self.deflated_pair()
        for payload in (b"", b"x", b"p" * 125):
            with self.subTest(size=len(payload)):
                app.send_frame(frames.PING, payload)
                app.send("behind it")
                self.assertEqual(client.read_message().text, "behind it")
                self.assertEqual(app.read_control(frames.PONG).payload, payload)

    def test_a_pong_that_nobody_asked_for_is_harmless(self):
        client, app = self.pair()
        client.send_frame(frames.PONG, b"unasked")
        client.send("still here")
        self.assertEqual(app.read_message().text, "still here")


class UnusualDeflate(SharedProxyTest):
    """Legal streams that zlib's own compressor does not make (RFC 7692 section 7.2.3)."""

    def app_gets(self, *messages, bits=15):
        client, app = self.deflated_pair(f"permessage-deflate; client_max_window_bits={bits}" if bits < 15
                                         else "permessage-deflate")
        for payload, meant in messages:
            client.send_frame(frames.BINARY, payload, rsv=frames.RSV1)
            self.assertEqual(app.read_message().data, meant)

    def test_an_empty_message_is_one_zero_octet(self):
        self.app_gets((b"\x00", b""), (b"\x00", b""))

    def test_a_stored_block(self):
        self.app_gets((BlockWriter().stored(b"Hello").message(), b"Hello"))

    def test_two_blocks_in_one_message(self):
        self.app_gets((BlockWriter().fixed([b"Hel"]).fixed([b"lo"]).message(), b"Hello"))

    def test_a_final_block_at_the_end_and_what_follows_in_the_next_message(self):
        self.app_gets((BlockWriter().fixed([b"Hello"], final=True).message(), b"Hello"),
                      (BlockWriter().fixed([b"again"]).message(), b"again"))

    def test_a_final_block_keeps_the_window(self):
        self.app_gets((BlockWriter().fixed([b"Hello"], final=True).message(), b"Hello"),
                      (BlockWriter().fixed([5]).message(), b"Hel"))

    def test_a_final_block_in_the_middle_of_a_message(self):
        self.app_gets((BlockWriter().fixed([b"Hello "], final=True).fixed([b"world", 11]).message(), b"Hello worldHel"))

    def test_a_fragment_may_inflate_to_nothing(self):
        client, app = self.deflated_pair()
        squeezed = client.compressor.compress(b"nothing, then all of it")
        client.send_fragments(frames.TEXT, [squeezed[:1], squeezed[1:2], squeezed[2:-1], squeezed[-1:], b""], rsv=frames.RSV1)
        self.assertEqual(app.read_message().text, "nothing, then all of it")

    def test_a_reference_as_far_back_as_the_agreed_window(self):
        for bits in (8, 9, 10, 11, 12):
            with self.subTest(bits=bits):
                past = os.urandom(1 << bits)
                self.app_gets((BlockWriter().stored(past).message(), past),
                              (BlockWriter().fixed([1 << bits]).message(), past[:3]), bits=bits)

    def test_a_reference_over_32_KiB_when_the_client_takes_the_largest_window(self):
        past = os.urandom(32768)
        self.app_gets((BlockWriter().stored(past).message(), past), (BlockWriter().fixed([32768]).message(), past[:3]))

    def test_raw_messages_between_compressed_ones_leave_the_context_alone(self):
        client, app = self.deflated_pair()
        for at in range(5):
            client.send("compressed text, compressed text")
            self.assertEqual(app.read_message().text, "compressed text, compressed text")
            client.send_frame(frames.TEXT, b"raw %d" % at)
            self.assertEqual(app.read_message().text, f"raw {at}")


class Independence(SharedProxyTest):
    def test_a_hundred_connections_with_different_texts_do_not_mix(self):
        pairs = [self.deflated_pair(path=f"/{at}") for at in range(100)]
        for turn in range(3):
            for at, (client, app) in enumerate(pairs):
                client.send(f"up {at} {turn} {text_of(300, seed=at)}")
                app.send(f"down {at} {turn} {text_of(300, seed=-at)}")
            for at, (client, app) in enumerate(pairs):
                self.assertEqual(app.read_message().text, f"up {at} {turn} {text_of(300, seed=at)}")
                self.assertEqual(client.read_message().text, f"down {at} {turn} {text_of(300, seed=-at)}")

    def test_the_same_feed_to_many_clients_arrives_whole_at_each(self):
        pairs = [self.deflated_pair() for _ in range(30)]
        for turn in range(10):
            for _, app in pairs:
                app.send(f"tick {turn} {text_of(200, seed=turn)}")
            for client, _ in pairs:
                self.assertEqual(client.read_message().text, f"tick {turn} {text_of(200, seed=turn)}")


if __name__ == "__main__":
    main()
